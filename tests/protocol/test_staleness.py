"""Why no backup is fresh: there is always a reason, and only what is proven is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.freshness import SnapshotFresh
from airflow_css.protocol.models import Snapshot, SnapshotPolicy, SnapshotStatus
from airflow_css.protocol.staleness import why_stale
from tests.protocol.freshness_cases import NOW, snapshots, wanted

DAILY = SnapshotPolicy(enabled=True, period="01:00 GMT+00:00", frequency="DAY")
MARK = "[af1 6754af 4852a827 4ba28873 0953c081 fd891501 0]"
DUE = datetime(2026, 11, 23, 1, tzinfo=UTC)
FAILED = SnapshotStatus.FAILED
policies = st.builds(
    SnapshotPolicy,
    enabled=st.booleans(),
    period=st.sampled_from(["01:00 GMT+00:00", "16:00 GMT+08:00", "?"]),
    frequency=st.sampled_from(["HOUR", "DAY", "SUN", "?"]),
    bucket=st.sampled_from(["", "new"]),
)


@given(wanted, st.lists(snapshots, max_size=6), st.none() | policies)
def test_there_is_always_a_sentence(
    condition: SnapshotFresh, listed: list[Snapshot], policy: SnapshotPolicy | None
) -> None:
    """Whatever is listed, the reason has a fact and a way out, and is silent of a policy that was not read."""
    if condition.see(tuple(listed), NOW) is not None:
        return
    reason = why_stale(condition, tuple(listed), policy, NOW)
    assert reason.fact
    assert reason.way_out
    assert str(reason) == f"{reason.fact}; {reason.way_out}"
    assert reason.newest is None or reason.newest in listed
    if policy is None:
        assert "policy" not in str(reason)


def test_a_start_in_the_future_is_said() -> None:
    """A date that cannot be right is named as the reason, with how far it lies ahead."""
    began = NOW + timedelta(hours=2)
    future = Snapshot("id-1", "future", SnapshotStatus.COMPLETED, "COMPLETED", total_shards=1, started_at=began)
    reason = why_stale(SnapshotFresh(3600), (future,), None, NOW)
    assert "future (id-1) starts 2 h in the future" in reason.fact
    assert "clock" in reason.way_out


def _ours(began: datetime, ended: datetime | None, *, mark: str = MARK, is_automatic: bool = False) -> Snapshot:
    return Snapshot("id-1", "ours", FAILED, "FAILED", mark, started_at=began, ended_at=ended, is_automatic=is_automatic)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("snapshot", "is_said"),
    [
        (_ours(DUE - 10 * MINUTE, DUE + 10 * MINUTE), True),
        (_ours(DUE - 10 * MINUTE, None), True),
        (_ours(DUE, DUE), True),
        (_ours(DUE - 10 * MINUTE, DUE - MINUTE), False),
        (_ours(DUE + MINUTE, None), False),
        (_ours(DUE - 10 * MINUTE, DUE + 10 * MINUTE, mark=""), False),
        (_ours(DUE - 10 * MINUTE, DUE + 10 * MINUTE, is_automatic=True), False),
    ],
)
def test_a_cancellation_is_said_only_of_one_of_ours_that_ran_then(snapshot: Snapshot, is_said: bool) -> None:  # noqa: FBT001 - a table's column
    """Somebody else's snapshot, or one that ran before or after, proves nothing."""
    other = Snapshot("id-2", "by-policy", FAILED, "FAILED", started_at=DUE - timedelta(days=3), is_automatic=True)
    old = SnapshotFresh(60, name_prefix="none-such")
    assert ("likely cancelled" in str(why_stale(old, (snapshot, other), DAILY, NOW))) is is_said


def test_where_only_manual_ones_are_wanted_the_policy_does_not_matter() -> None:
    """Neither its being off nor a cancellation explains a missing manual snapshot."""
    listed = (_ours(DUE - MINUTE, DUE + MINUTE),)
    for policy in (DAILY, SnapshotPolicy()):
        reason = why_stale(SnapshotFresh(60, name_prefix="none-such", made_by="manual"), listed, policy, NOW)
        assert "polic" not in str(reason)
        assert "cancelled" not in str(reason)
