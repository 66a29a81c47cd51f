"""What must not be deleted, and that the refusal says why and what to do."""

from __future__ import annotations

import pytest

from airflow_css.protocol.errors import CssBusyError, CssStateError
from airflow_css.protocol.models import Snapshot, SnapshotPolicy, SnapshotStatus
from airflow_css.protocol.protection import refuse_at_work, refuse_held, refuse_policys
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark

WHO = RunIdentity("prod", "orders_etl", "backup", "manual__1")
ON, OFF = SnapshotPolicy(enabled=True, keep=7), SnapshotPolicy(enabled=False)


def _described(text: str) -> Snapshot:
    return Snapshot("9dc4", "orders", description=text)


@pytest.mark.parametrize("text", ["", "by hand", write_mark(make_mark(WHO, None)), "hold"])
def test_what_nobody_holds_may_go(text: str) -> None:
    """Only the word inside a mark holds."""
    refuse_held(_described(text))


@pytest.mark.parametrize("text", [write_mark(make_mark(WHO, None, hold=True)), "before the load [af2 0 0]"])
def test_what_may_be_held_stays(text: str) -> None:
    """A held one, and one whose mark nobody here understands, is refused for good, with the snapshot's name."""
    with pytest.raises(CssStateError, match=r"orders \(9dc4\).*console") as caught:
        refuse_held(_described(text))
    assert not caught.value.curable


@pytest.mark.parametrize(
    ("policy", "allowed", "says"),
    [(ON, False, "newest 7"), (ON, True, "newest 7"), (OFF, False, "allow_automatic=True"), (OFF, True, "")],
)
def test_the_policys_own_go_only_when_it_is_off_and_the_user_says_so(
    policy: SnapshotPolicy,
    allowed: bool,  # noqa: FBT001 - a table's column
    says: str,
) -> None:
    """While it is on CSS forbids it, whatever the user allows."""
    if not says:
        refuse_policys(_described(""), policy, allow_automatic=allowed)
        return
    with pytest.raises(CssStateError, match=says) as caught:
        refuse_policys(_described(""), policy, allow_automatic=allowed)
    assert not caught.value.curable


@pytest.mark.parametrize(
    ("status", "restore_status", "work"),
    [
        (SnapshotStatus.BUILDING, "none", "made"),
        (SnapshotStatus.COMPLETED, "restoring", "restored"),
        (SnapshotStatus.COMPLETED, "success", ""),
        (SnapshotStatus.FAILED, "", ""),
    ],
)
def test_what_is_at_work_is_busy(status: SnapshotStatus, restore_status: str, work: str) -> None:
    """One that is made or restored is refused for now; a later try may succeed."""
    snapshot = Snapshot("9dc4", "orders", status=status, restore_status=restore_status)
    assert snapshot.work == work
    if not work:
        refuse_at_work(snapshot)
        return
    with pytest.raises(CssBusyError, match=f"being {work}") as caught:
        refuse_at_work(snapshot)
    assert caught.value.curable


def test_an_unknown_state_is_refused() -> None:
    """What this version cannot judge is not deleted, and no retry changes that."""
    snapshot = Snapshot("9dc4", "orders", status=SnapshotStatus.UNKNOWN, status_word="HIBERNATING")
    with pytest.raises(CssStateError, match="HIBERNATING") as caught:
        refuse_at_work(snapshot)
    assert not caught.value.curable
