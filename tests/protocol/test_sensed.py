"""The conditions of the sensors: what meets them, what ends them, and that they travel."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.conditions import Condition, Gone, Wait
from airflow_css.protocol.errors import CssError, CssNotFoundError, CssSnapshotFailedError, CssStateError
from airflow_css.protocol.freshness import SnapshotFresh
from airflow_css.protocol.known_conditions import read_condition
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotStatus
from airflow_css.protocol.sensed import ClusterIdle, SnapshotGone, SnapshotGood, SnapshotRestored

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ID = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
GOOD = Snapshot(ID, "orders-1", SnapshotStatus.COMPLETED, "COMPLETED", total_shards=3, failed_shards=0, started_at=NOW)
OTHER = replace(GOOD, id="other", name="other")

CONDITIONS = [
    Gone(["id-1", "id-2"]),
    SnapshotGood(ID, None, allow_partial=True, fail_if_empty=False),
    SnapshotGood(None, "orders-1"),
    SnapshotRestored(ID),
    SnapshotGone(None, "orders-1"),
    ClusterIdle(),
    SnapshotFresh(60.0, "orders-", "dag", "4852a827", "manual", "bucket"),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=repr)
def test_a_condition_travels_and_forgets_what_it_saw(condition: Condition) -> None:
    """As plain JSON it arrives equal, also after it has seen something."""
    seen: Any = Cluster("id", status="200", actions=("GROWING",)) if condition.looks_at == "cluster" else (OTHER,)
    sent = json.loads(json.dumps(condition.as_json()))
    assert read_condition(sent) == condition
    condition.see(seen, NOW)
    assert json.loads(json.dumps(condition.as_json())) == sent


@pytest.mark.parametrize("condition", CONDITIONS[1:], ids=repr)
def test_a_condition_says_what_it_saw(condition: Condition) -> None:
    """The message of a late wait has a clause about it before and after the first look."""
    fresh = read_condition(condition.as_json())
    assert "was not read yet" in fresh.state()
    fresh.see(Cluster("id", status="200", actions=("GROWING",)) if fresh.looks_at == "cluster" else (OTHER,), NOW)
    assert "was not read yet" not in fresh.state()


def _met(condition: Condition, seen: Any) -> str:
    try:
        found = condition.see(seen, NOW)
    except CssError as error:
        return type(error).__name__
    return "met" if found is not None else "not yet"


FAILED = CssSnapshotFailedError.__name__
TABLE: list[tuple[Condition, Any, str]] = [
    (SnapshotGood(ID), GOOD, "met"),
    (SnapshotGood(ID), replace(GOOD, status=SnapshotStatus.BUILDING), "not yet"),
    (SnapshotGood(ID), replace(GOOD, status=SnapshotStatus.UNKNOWN), "not yet"),
    (SnapshotGood(ID), replace(GOOD, status=SnapshotStatus.FAILED), FAILED),
    (SnapshotGood(ID), replace(GOOD, status=SnapshotStatus.PART_FAILED), FAILED),
    (SnapshotGood(ID), replace(GOOD, failed_shards=1), FAILED),
    (SnapshotGood(ID, allow_partial=True), replace(GOOD, failed_shards=1), "met"),
    (SnapshotGood(ID), replace(GOOD, total_shards=0), FAILED),
    (SnapshotGood(ID, fail_if_empty=False), replace(GOOD, total_shards=0), "met"),
    (SnapshotGood(ID), OTHER, "not yet"),
    (SnapshotGood(None, "orders-1"), GOOD, "met"),
    (SnapshotGood(None, "orders"), GOOD, "not yet"),
    (SnapshotRestored(ID), replace(GOOD, restore_status="success"), "met"),
    (SnapshotRestored(ID), replace(GOOD, restore_status="failed"), FAILED),
    (SnapshotRestored(ID), replace(GOOD, restore_status="restoring"), "not yet"),
    (SnapshotRestored(ID), replace(GOOD, restore_status="none"), "not yet"),
    (SnapshotRestored(ID), replace(GOOD, restore_status="polishing"), "not yet"),
    (SnapshotRestored(ID), replace(OTHER, restore_status="success"), "not yet"),
    (SnapshotGone(ID), GOOD, "not yet"),
    (SnapshotGone(ID), OTHER, "met"),
]


@pytest.mark.parametrize(("condition", "listed", "result"), TABLE)
def test_a_look_is_judged_by_the_table(condition: Condition, listed: Snapshot, result: str) -> None:
    """Good, bad, unknown and absent lead each condition where it should go."""
    assert _met(read_condition(condition.as_json()), (listed,)) == result


@pytest.mark.parametrize(
    ("cluster", "result"),
    [
        (Cluster("id", status="200"), "met"),
        (Cluster("id", status="200", is_snapshot_function_on=False), "met"),
        (Cluster("id", status="200", actions=("SNAPSHOTTING",)), "not yet"),
        (Cluster("id", status="100"), "not yet"),
        (Cluster("id", status="300"), CssStateError.__name__),
        (Cluster("id", status="303"), CssStateError.__name__),
    ],
)
def test_a_cluster_is_idle_or_down_or_neither(cluster: Cluster, result: str) -> None:
    """Whether it can make snapshots does not matter to those who only wait."""
    assert _met(ClusterIdle(), cluster) == result


def test_a_doubt_is_a_word_that_is_not_known() -> None:
    """Only a word of a later CSS makes a warning."""
    for condition, doubtful in (
        (SnapshotGood(ID), replace(GOOD, status=SnapshotStatus.UNKNOWN)),
        (SnapshotRestored(ID), replace(GOOD, restore_status="polishing")),
    ):
        assert not condition.is_doubtful()
        condition.see((replace(GOOD, status=SnapshotStatus.BUILDING, restore_status="restoring"),), NOW)
        assert not condition.is_doubtful()
        condition.see((doubtful,), NOW)
        assert condition.is_doubtful()
        assert "a word that is not known" in condition.state()


looks = st.lists(st.tuples(st.floats(0.5, 30), st.booleans()), min_size=1, max_size=15)


@given(looks)
def test_an_id_is_missing_only_after_two_looks_well_apart(seen: list[tuple[float, bool]]) -> None:
    """Never before 40 seconds, never by one look, never when the look before showed it less than 10 seconds ago."""
    condition, at = SnapshotRestored(ID), NOW
    first = missed = None
    for pause, is_listed in seen:
        at += timedelta(seconds=pause)
        first = first or at
        missed = None if is_listed else missed or at
        due = missed is not None and at - first >= timedelta(seconds=40) and at - missed >= timedelta(seconds=10)
        if due:
            with pytest.raises(CssNotFoundError):
                condition.see((), at)
            return
        assert condition.see((GOOD,) if is_listed else (), at) is None


@given(looks)
def test_a_name_is_never_missing(seen: list[tuple[float, bool]]) -> None:
    """It may come at any time."""
    condition, at = SnapshotGood(None, "orders-9"), NOW
    for pause, _ in seen:
        at += timedelta(seconds=pause)
        assert condition.see((GOOD,), at) is None


def test_a_late_wait_says_what_was_missing() -> None:
    """The error of a wait whose time is up names the time, the state and what to do."""
    wait = Wait(SnapshotGood(None, "orders-9"), NOW.timestamp(), NOW.timestamp() + 600)
    wait.condition.see((GOOD,), NOW)
    assert str(wait.late(NOW)) == (
        "What was waited for did not come within 10 min; no snapshot orders-9 is listed. Raise timeout if that is "
        "usual here"
    )
