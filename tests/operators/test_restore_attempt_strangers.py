"""Restores beside those of strangers: what is not ours is never taken for ours, and ours is never sent twice for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from airflow_css.operators.snapshot import RestoreSnapshotOperator
from airflow_css.protocol.errors import CssStateError
from airflow_css.version_compat import AIRFLOW_V_3_3_PLUS
from tests.operators.restoring import ANYWHERE, RESTORE, error_of, restore, world_of
from tests.running import Outcome, TaskRun, run_task
from tests.virtual_time import run_in_virtual_time
from tests.world import DeferringWorld, World

REMEMBERS = pytest.mark.skipif(
    not AIRFLOW_V_3_3_PLUS, reason="Airflow keeps nothing for a task over its tries before 3.3"
)
STAGING = "1f3deec3-efa8-4598-bf91-560aad1377a3"
OTHER = "2f3deec3-efa8-4598-bf91-560aad1377a3"


def _two_targets(world: World) -> None:
    world.emulator.add_cluster("search-staging", STAGING)
    world.emulator.add_cluster("search-other", OTHER)


def _stranger_restores(world: World, target: str = OTHER, name: str = "orders-1") -> None:
    """Restore the snapshot elsewhere, as another team would."""
    snapshot = next(s for s in world.emulator.snapshots() if s.name == name)
    world.client.restore_snapshot(
        world.emulator.cluster_id,
        snapshot.id,
        target_cluster_id=target,
        rename_pattern="(.+)",
        rename_replacement="x-$1",
    )


def _retry(run: TaskRun, number: int = 2) -> TaskRun:
    return TaskRun(try_number=number, store=run.store)


@ANYWHERE
def test_a_later_restore_of_a_stranger_is_not_our_end(kind: type[World]) -> None:
    """Ours fails; right after it a stranger restores the snapshot elsewhere, and well: that is no success of ours."""
    with world_of(kind) as world:
        _two_targets(world)
        world.emulator.faults.restore_fate("failed")
        world.clock.at(301, lambda: _stranger_restores(world))
        outcome = restore(world, target_cluster_id=STAGING, retries=1)
        assert outcome.state != "success"
        assert [entry.status for entry in world.emulator.restores(STAGING)] == ["failed"]


@ANYWHERE
def test_a_later_failure_of_a_stranger_does_not_send_ours_again(kind: type[World]) -> None:
    """Ours ends well, a stranger's fails: nobody can tell, the task fails for good, and nothing is sent again."""
    with world_of(kind) as world:
        _two_targets(world)

        def fail_elsewhere() -> None:
            world.emulator.faults.restore_fate("failed")
            _stranger_restores(world)

        world.clock.at(301, fail_elsewhere)
        outcome = restore(world, target_cluster_id=STAGING, retries=1)
        assert outcome.state in {"success", "failed"}
        if outcome.state == "failed":
            assert isinstance(error_of(outcome), CssStateError)
            assert "does not tell any more" in str(outcome.error)
        assert len(world.emulator.restores(STAGING)) == 1


@pytest.mark.parametrize("apart", [0, 5, 200, 310])
def test_two_tasks_of_one_snapshot_take_turns(apart: float) -> None:
    """Two targets, one of which fails: each task ends as its own restore did, whenever the second one begins."""
    with world_of(DeferringWorld) as world:
        _two_targets(world)
        world.emulator.faults.restore_fate("failed")
        usual: dict[str, Any] = {
            "operator_class": RestoreSnapshotOperator,
            "snapshot_name": "orders-1",
            "rename_pattern": "(.+)",
            "rename_replacement": "restored-$1",
            "deferrable": True,
        }

        async def one(target: str, delay: float) -> Outcome:
            await asyncio.sleep(delay)
            given = {**usual, "task_id": f"to-{target[0]}", "target_cluster_id": target}
            return await world.go_on(run_task(world.operator(**given)), None, **given)

        async def both() -> list[Outcome]:
            return list(await asyncio.gather(one(STAGING, 0), one(OTHER, apart)))

        outcomes = run_in_virtual_time(world.clock, both)
        ends = [[entry.status for entry in world.emulator.restores(target)] for target in (STAGING, OTHER)]
        assert ends == [["failed"], ["success"]]
        assert [outcome.state for outcome in outcomes] == ["failed", "success"]


@ANYWHERE
@REMEMBERS
@pytest.mark.parametrize("word", ["none", "success"])
def test_a_stranger_s_restore_is_not_joined(kind: type[World], word: str) -> None:
    """Nothing of ours was begun, then a stranger restores the snapshot elsewhere: it is not called ours."""
    with world_of(kind) as world:
        _two_targets(world)
        world.emulator.add_snapshot("orders-2", indices="orders-*", restore_status=word)
        run = TaskRun()
        world.emulator.faults.drop(call=RESTORE, when="before", times=None)
        first = restore(world, run, target_cluster_id=STAGING, snapshot_name="orders-2", retries=3)
        assert first.state == ("up_for_retry" if word == "none" else first.state)
        world.emulator.faults.clear()
        _stranger_restores(world, name="orders-2")
        outcome = restore(world, _retry(run), target_cluster_id=STAGING, snapshot_name="orders-2", retries=3)
        assert (outcome.state == "success") == bool(world.emulator.restores(STAGING))


class _KilledError(BaseException):
    """Ends a process: nothing that the task does may catch it."""


@REMEMBERS
@pytest.mark.parametrize("how", [{}, {"rename_pattern": None, "rename_replacement": None}], ids=["renamed", "keep"])
def test_one_that_was_seen_running_is_remembered(how: dict[str, Any]) -> None:
    """Its answer was lost, it was seen running, the process died, it ended: the next try does not send it again."""
    with world_of(World) as world:
        world.emulator.add_snapshot("orders-2", indices="orders-*", restore_status="success")
        world.emulator.faults.drop(call=RESTORE, when="after")
        run = TaskRun()

        def die() -> None:
            raise _KilledError

        world.clock.at(150, die)
        with suppress(_KilledError):
            restore(world, run, snapshot_name="orders-2", retries=3, **how)
        world.clock.sleep(1_000)
        outcome = restore(world, _retry(run), snapshot_name="orders-2", retries=3, **how)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 1


@REMEMBERS
@pytest.mark.parametrize(
    "other",
    [{"target_cluster_id": STAGING}, {"rename_replacement": "other-$1"}, {"snapshot_name": "orders-2"}],
    ids=["target", "names", "snapshot"],
)
def test_a_try_that_wants_something_else_says_so(other: dict[str, Any]) -> None:
    """A template that renders differently after a kill: no success for what was never restored."""
    with world_of(World) as world:
        _two_targets(world)
        world.emulator.add_snapshot("orders-2", indices="orders-*")
        run = TaskRun()

        def die() -> None:
            raise _KilledError

        world.clock.at(100, die)
        with suppress(_KilledError):
            restore(world, run, retries=3)
        outcome = restore(world, _retry(run), retries=3, **other)
        assert isinstance(error_of(outcome), CssStateError)
        assert "renders differently" in str(outcome.error)
        assert world.emulator.count(RESTORE) == 1


@REMEMBERS
@pytest.mark.parametrize(("change", "state"), [({"later": 1}, "success"), ({"snapshot_id": None}, "failed")], ids=str)
def test_a_note_of_another_version_is_read_or_refused(change: dict[str, Any], state: str) -> None:
    """What was added to a note is passed over; a note that lacks something is not taken for none."""
    with world_of(World) as world:
        run = TaskRun()
        assert restore(world, run, retries=3).state == "success"
        (key,) = run.store
        run.store[key] = {k: v for k, v in {**run.store[key], **change}.items() if v is not None}
        outcome = restore(world, _retry(run), retries=3)
        assert outcome.state == state, outcome.error
        assert len(world.emulator.restores()) == 1


@ANYWHERE
def test_a_busy_answer_does_not_erase_what_may_have_begun(kind: type[World]) -> None:
    """The answer is lost, the word stale for a minute, the target at work: it is ours, and sent once."""
    with world_of(kind) as world:
        world.emulator.faults.restore_fate("success", stale=60)
        world.emulator.faults.drop(call=RESTORE, when="after")
        outcome = restore(world)
        assert outcome.state == "success", outcome.error
        assert world.emulator.count(RESTORE) == 1


@pytest.mark.skipif(AIRFLOW_V_3_3_PLUS, reason="Airflow 3.3 remembers")
def test_without_a_memory_a_stale_word_is_waited_out() -> None:
    """Killed right after the call, the word still stale: the retry sees the target at work and joins."""
    with world_of(World) as world:
        world.emulator.faults.restore_fate("success", stale=20)

        def die() -> None:
            raise _KilledError

        world.clock.at(5, die)
        with suppress(_KilledError):
            restore(world, TaskRun(), retries=3)
        outcome = restore(world, TaskRun(try_number=2), retries=3)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 1
