"""Two conditions on the list of snapshots: all gone, and all at rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from airflow_css.protocol.conditions import Condition, Gone, Settled
from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.known_conditions import read_condition
from airflow_css.protocol.models import Snapshot, SnapshotStatus

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DONE = Snapshot("a", "orders", SnapshotStatus.COMPLETED)
MADE = Snapshot("a", "orders", SnapshotStatus.BUILDING)
RESTORED = Snapshot("a", "orders", SnapshotStatus.COMPLETED, restore_status="restoring")
STRANGER = Snapshot("b", "others", SnapshotStatus.BUILDING)


def test_gone_is_met_by_a_list_without_any_of_them() -> None:
    """As long as one is listed the wait goes on, and says which."""
    gone = Gone(["a", "c"])
    assert gone.see([DONE, STRANGER], NOW) is None
    assert gone.state() == "still listed: orders (a)"
    assert gone.see([STRANGER], NOW) == {"snapshot_ids": ["a", "c"]}


@pytest.mark.parametrize(
    ("seen", "state"), [(MADE, "orders (a) is being made"), (RESTORED, "orders (a) is being restored")]
)
def test_settled_waits_for_what_is_at_work(seen: Snapshot, state: str) -> None:
    """Making and restoring count, a stranger's work does not; what is not listed is at rest."""
    settled = Settled(["a"])
    assert settled.see([seen, STRANGER], NOW) is None
    assert settled.state() == state
    assert settled.see([DONE, STRANGER], NOW) == {"snapshot_ids": ["a"]}
    assert settled.see([STRANGER], NOW) is not None


def test_settled_is_not_met_before_its_time() -> None:
    """A pause is part of the condition, so that it also holds in the triggerer."""
    settled = Settled(["a"], not_before=NOW.timestamp() + 60)
    assert settled.see([DONE], NOW) is None
    assert settled.state() == "CSS says busy"
    assert settled.see([DONE], NOW + timedelta(seconds=60)) is not None


@pytest.mark.parametrize("condition", [Gone(["a"]), Settled(["a", "b"], not_before=5.0)], ids=lambda c: c.kind)
def test_a_condition_travels_as_json(condition: Condition) -> None:
    """It comes back equal, without what a look taught it."""
    condition.see([MADE], NOW)
    arrived = read_condition(json.loads(json.dumps(condition.as_json())))
    assert arrived.as_json() == condition.as_json()
    assert type(arrived) is type(condition)


@pytest.mark.parametrize("facts", [None, {}, {"kind": "settled"}, {"kind": "gone", "snapshot_ids": [], "more": 1}])
def test_what_is_no_condition_is_said_so(facts: object) -> None:
    """Facts of another version are refused with the way out."""
    with pytest.raises(CssReplyError, match="restart the triggerer"):
        read_condition(facts)
