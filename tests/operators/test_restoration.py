"""Restores from start to end: what is sent, when an end is believed, and what the tasks after it read."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.protocol.errors import (
    CssBusyError,
    CssNotFoundError,
    CssSnapshotFailedError,
    CssStateError,
    CssUsageError,
    CssWaitTimeoutError,
)
from tests.marked import add_marked
from tests.operators.restoring import ANYWHERE, RESTORE, error_of, restore, world_of
from tests.running import TaskRun
from tests.task_log import reading_the_log
from tests.world import World

IN_PLACE: dict[str, Any] = {"rename_pattern": None, "rename_replacement": None}


@ANYWHERE
def test_a_restore_brings_the_indices_under_new_names(kind: type[World]) -> None:
    """The cluster has them afterwards, and the XComs name each, before the wait and at the end."""
    with world_of(kind) as world:
        before = set(world.emulator.indices())
        (snapshot,) = world.emulator.snapshots()
        outcome = restore(world)
        assert outcome.state == "success", outcome.error
        assert set(world.emulator.indices()) - before == {f"restored-{name}" for name in snapshot.indices}
        result = outcome.xcom["return_value"]
        assert result["indices"] == [{"source": name, "target": f"restored-{name}"} for name in snapshot.indices]
        assert (result["status"], result["snapshot_id"], result["is_end_inferred"]) == ("success", snapshot.id, False)
        assert 300 <= result["duration_seconds"] <= 300 * 1.1 + 3
        early = ("snapshot_id", "snapshot_name", "cluster_id", "target_cluster_id", "indices", "taken_at")
        assert {key: outcome.xcom[key] for key in early} == {key: result[key] for key in early}
        assert world.emulator.count(RESTORE) == 1


@ANYWHERE
def test_another_cluster_can_be_the_target(kind: type[World]) -> None:
    """The restore is seen to its end on the target, while the snapshot's own cluster stays as it is."""
    with world_of(kind, clusters=["search-prod", "search-staging"]) as world:
        staging = world.emulator.add_cluster("search-empty", indices={})
        before = world.emulator.indices()
        outcome = restore(world, target_cluster_id=staging, **IN_PLACE)
        assert outcome.state == "success", outcome.error
        assert set(world.emulator.indices(staging)) == set(world.emulator.snapshots()[0].indices)
        assert world.emulator.indices() == before


@ANYWHERE
@pytest.mark.parametrize("word", ["none", "success", "failed"])
def test_a_word_of_an_earlier_restore_is_never_the_end(kind: type[World], word: str) -> None:
    """Whatever was left of an earlier restore, stale for 20 seconds more: the task ends after this one ended."""
    with world_of(kind) as world:
        world.emulator.add_snapshot("orders-2", restore_status=word)
        world.emulator.faults.restore_fate("success", stale=20)
        began = world.clock.now()
        outcome = restore(world, snapshot_name="orders-2")
        assert outcome.state == "success", outcome.error
        assert (world.clock.now() - began).total_seconds() >= 300
        assert not outcome.xcom["return_value"]["is_end_inferred"]


@ANYWHERE
def test_a_restore_that_ends_before_the_first_look_is_noticed(kind: type[World]) -> None:
    """With an older ``success`` left over, an instant restore is inferred from two looks, and said so."""
    with world_of(kind) as world:
        world.emulator.add_snapshot("orders-2", restore_status="success")
        world.emulator.faults.restore_fate("success", takes=0)
        with reading_the_log() as log:
            outcome = restore(world, snapshot_name="orders-2")
        assert outcome.state == "success", outcome.error
        assert outcome.xcom["return_value"]["is_end_inferred"]
        assert 40 <= outcome.xcom["return_value"]["duration_seconds"] <= 70
        assert log.having("end inferred", "info") or kind is not World


@ANYWHERE
@pytest.mark.parametrize("word", ["none", "success", "failed"])
@pytest.mark.parametrize("takes", [0, 300])
def test_a_failure_is_never_taken_for_a_success(kind: type[World], word: str, takes: float) -> None:
    """A restore that fails, at once or later, fails the task; the next try begins another one."""
    with world_of(kind) as world:
        world.emulator.add_snapshot("orders-2", restore_status=word)
        world.emulator.faults.restore_fate("failed", takes=takes)
        outcome = restore(world, snapshot_name="orders-2", retries=1)
        assert outcome.state == "up_for_retry"
        assert isinstance(error_of(outcome), CssSnapshotFailedError)


@ANYWHERE
@pytest.mark.parametrize(("existing_index", "state"), [("keep", "success"), ("fail", "up_for_retry")])
def test_both_ends_of_a_conflict(kind: type[World], existing_index: Any, state: str) -> None:
    """Without renaming a warning says what may happen; the end is what CSS makes of it, and ``verify`` is the proof."""
    with world_of(kind, existing_index=existing_index) as world, reading_the_log() as log:
        outcome = restore(world, retries=1, **IN_PLACE)
        assert outcome.state == state
        assert len(log.having("Where the target has an index of such a name already", "warning")) == 1


@ANYWHERE
@pytest.mark.parametrize("answer", [True, None, False])
def test_verify_decides(kind: type[World], answer: object) -> None:
    """It gets the new names once the restore has ended; ``False`` fails the task at once."""
    with world_of(kind) as world:
        asked: list[Any] = []

        def verify(names: tuple[str, ...] | None) -> object:
            asked.append((names, set(names or ()) <= set(world.emulator.indices())))
            return answer

        outcome = restore(world, verify=verify, retries=1)
        (snapshot,) = world.emulator.snapshots()
        assert asked == [(tuple(f"restored-{name}" for name in snapshot.indices), True)]
        assert outcome.state == ("failed" if answer is False else "success")


@ANYWHERE
def test_replace_overwrites(kind: type[World]) -> None:
    """CSS is told to overwrite, and nothing is warned of."""
    with world_of(kind) as world, reading_the_log() as log:
        assert restore(world, existing_indices="replace", **IN_PLACE).state == "success"
        (entry,) = world.emulator.restores()
        assert entry.order.replace_existing
        assert not log.having("it is left as it is")


@ANYWHERE
@pytest.mark.parametrize("which", ["source", "target"])
def test_the_turn_is_waited_for_on_both_clusters(kind: type[World], which: str) -> None:
    """A snapshot that is being made on either cluster is waited out, once CSS says busy."""
    with world_of(kind, clusters=["search-prod", "search-staging"]) as world:
        staging = next(c.id for c in world.client.list_clusters() if c.name == "search-staging")
        busy = world.emulator.cluster_id if which == "source" else staging
        world.emulator.add_snapshot("strangers", cluster_id=busy, status="BUILDING", takes=900)
        # Whether a busy source is in the way is not documented; here CSS says so.
        world.emulator.faults.busy(call=RESTORE)
        began = world.clock.now()
        outcome = restore(world, target_cluster_id=staging)
        assert outcome.state == "success", outcome.error
        assert (world.clock.now() - began).total_seconds() >= 1_200
        assert len(world.emulator.restores(staging)) == 1


@ANYWHERE
def test_no_turn_is_waited_for_when_that_is_asked(kind: type[World]) -> None:
    """With ``turn_timeout=0`` a busy cluster fails the task at once."""
    with world_of(kind) as world:
        world.emulator.add_snapshot("strangers", status="BUILDING", takes=900)
        outcome = restore(world, turn_timeout=0)
        assert isinstance(error_of(outcome), CssBusyError)


@ANYWHERE
def test_a_stuck_restore_is_given_up_in_time(kind: type[World]) -> None:
    """After ``timeout`` the task fails, tells the word and leaves the restore alone."""
    with world_of(kind) as world:
        world.emulator.faults.restore_fate("stuck")
        began = world.clock.now()
        outcome = restore(world, timeout=1_000)
        assert isinstance(error_of(outcome), CssWaitTimeoutError)
        assert "CSS says restoring of it" in str(outcome.error)
        assert 1_000 <= (world.clock.now() - began).total_seconds() <= 1_030


@ANYWHERE
def test_an_end_need_not_be_waited_for(kind: type[World]) -> None:
    """With ``wait_for_completion=False`` the task succeeds once CSS has accepted the restore."""
    with world_of(kind) as world:
        outcome = restore(world, wait_for_completion=False)
        assert outcome.xcom["return_value"]["status"] == "restoring"
        assert world.emulator.restores()[0].is_running


@pytest.mark.parametrize("status", ["FAILED", "PART_FAILED", "BUILDING"])
def test_only_a_good_snapshot_is_restored(status: str) -> None:
    """Anything but a complete snapshot is refused before anything is sent."""
    with world_of(World) as world:
        world.emulator.add_snapshot("orders-2", status=status, failed_shards=1 if status == "PART_FAILED" else 0)
        outcome = restore(world, snapshot_name="orders-2")
        assert isinstance(error_of(outcome), CssStateError)
        assert "cannot be relied on" in str(outcome.error)
        assert world.emulator.count(RESTORE) == 0


def test_a_part_is_restored_when_that_is_asked() -> None:
    """With ``allow_partial`` a snapshot in which shards failed will do."""
    with world_of(World, partial_restorable=True) as world:
        world.emulator.add_snapshot("orders-2", status="PART_FAILED", failed_shards=1)
        assert restore(world, snapshot_name="orders-2", allow_partial=True).state == "success"


def _newest(world: World, **parameters: Any) -> str:
    outcome = restore(world, latest_good=True, **parameters)
    assert outcome.state == "success", outcome.error
    return str(outcome.xcom["snapshot_name"])


def test_the_latest_good_one_is_chosen() -> None:
    """Newer ones that are failed, partial or still being made do not count; a prefix narrows the choice."""
    with world_of(World) as world:
        world.clock.sleep(1_000)
        world.emulator.add_snapshot("stock-1")
        world.clock.sleep(1_000)
        world.emulator.add_snapshot("orders-bad", status="FAILED")
        world.emulator.add_snapshot("orders-part", status="PART_FAILED", failed_shards=1)
        assert _newest(world) == "stock-1"
        assert _newest(world, name_prefix="orders-", rename_replacement="again-$1") == "orders-1"


def test_no_good_one_and_an_old_one_are_refused() -> None:
    """What is missing, or too old, is said with name and age, and nothing is sent."""
    with world_of(World) as world:
        world.clock.sleep(86_400)
        none = restore(world, latest_good=True, name_prefix="stock-")
        assert isinstance(error_of(none), CssNotFoundError)
        old = restore(world, latest_good=True, max_age=3_600)
        assert isinstance(error_of(old), CssStateError)
        assert "orders-1" in str(old.error)
        assert "24 h 1 min old" in str(old.error)
        assert world.emulator.count(RESTORE) == 0


BAD: dict[str, dict[str, Any]] = {
    "no snapshot": {"snapshot_name": None},
    "two snapshots": {"latest_good": True, "snapshot_name": "orders-1"},
    "an id that is none": {"snapshot_id": "orders-1"},
    "an empty id": {"snapshot_id": ""},
    "a printed None": {"snapshot_id": "None"},
    "a prefix without a choice": {"name_prefix": "orders-"},
    "an age without a choice": {"max_age": 60},
    "an owner without a choice": {"scope": "dag"},
    "an owner that is none": {"scope": "mine", "latest_good": True},
    "a target that is none": {"target_cluster_id": "search-prod"},
    "an empty target": {"target_cluster_id": ""},
    "no target": {"target_cluster_id": None},
    "a pattern alone": {"rename_replacement": None},
    "a replacement alone": {"rename_pattern": None},
    "a pattern that is none": {"rename_pattern": "("},
    "a group that is none": {"rename_replacement": "r-$2"},
    "capitals": {"rename_replacement": "R-$1"},
    "a comma": {"rename_replacement": "a,b"},
    "another word": {"existing_indices": "overwrite"},
    "a word for a truth value": {"allow_partial": "false"},
    "no time": {"timeout": 0},
    "a negative turn": {"turn_timeout": -1},
    "too often": {"poll_interval": 0},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_before_anything_is_sent(name: str) -> None:
    """The error names the value, the rule and a legal value; no request was made."""
    with world_of(World) as world:
        outcome = restore(world, **BAD[name])
        assert outcome.state == "failed"
        assert isinstance(outcome.error, AirflowFailException)
        assert isinstance(error_of(outcome), CssUsageError)
        assert "For example: " in str(outcome.error)
        assert world.emulator.requests == ()


@pytest.mark.parametrize(
    "parameters",
    [{"indices": "missing"}, {"indices": "orders-*,missing"}, {"rename_pattern": ".+", "rename_replacement": "all"}],
    ids=str,
)
def test_what_would_restore_nothing_or_lose_an_index_is_not_sent(parameters: dict[str, Any]) -> None:
    """Names that the snapshot does not hold, and two indices with one new name, are refused after one look."""
    with world_of(World) as world:
        outcome = restore(world, **parameters)
        assert isinstance(error_of(outcome), CssUsageError)
        assert world.emulator.count(RESTORE) == 0


def test_a_failed_restore_ends_with_the_midnight_line() -> None:
    """The last line names cluster, snapshot, run and the newest good backup."""
    with world_of(World) as world, reading_the_log() as log:
        world.emulator.faults.restore_fate("failed")
        restore(world)
    assert "Newest good backup: orders-1" in log[-1].text
    assert "Snapshot: orders-1 (" in log[-1].text


@pytest.mark.parametrize("replaces", [True, False])
def test_a_failed_restore_advises_what_is_not_done_already(replaces: bool) -> None:  # noqa: FBT001 - drawn
    """To give up the indices is no way out where they were given up."""
    word = "replace" if replaces else "keep"
    with world_of(World) as world:
        world.emulator.faults.restore_fate("failed")
        said = str(error_of(restore(world, existing_indices=word)))
    assert ("existing_indices='replace'" in said) is not replaces
    assert "Rename the indices" in said


@pytest.mark.parametrize("prefix", [None, "orders-", "damaged-"])
def test_the_newest_good_one_holds_no_damage(prefix: str | None) -> None:
    """What a checkpoint kept before it overwrote it is newer, whole and of the same DAG, and no state to go back to."""
    with world_of(World) as world:
        add_marked(world, "orders-2", 0.1)
        add_marked(world, "damaged-orders-3", 0, damaged=True)
        add_marked(world, "orders-4", 0, damaged=True)
        outcome = restore(world, latest_good=True, name_prefix=prefix, allow_partial=True)
        if prefix == "damaged-":
            assert isinstance(error_of(outcome), CssNotFoundError)
        else:
            assert outcome.xcom["snapshot_name"] == "orders-1"


@ANYWHERE
@pytest.mark.parametrize("by", ["snapshot_id", "snapshot_name"])
def test_a_damaged_state_is_restored_by_its_id_or_name(kind: type[World], by: str) -> None:
    """It is what was asked for; one line warns. Another snapshot is restored without it."""
    with world_of(kind) as world, reading_the_log() as log:
        snapshot_id = add_marked(world, "damaged-orders-2", 0.1, damaged=True)
        asked: dict[str, Any] = {by: {"snapshot_id": snapshot_id, "snapshot_name": "damaged-orders-2"}[by]}
        assert restore(world, **asked).state == "success"
        assert len(log.having("holds a damaged state", "warning")) == 1
        assert restore(world, TaskRun(run_id="another")).state == "success"
        assert len(log.having("holds a damaged state", "warning")) == 1
