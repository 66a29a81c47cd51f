"""The cook-book's rows on restores: each is what a task really says, and Airflow does what the row says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from airflow_css.version_compat import AIRFLOW_V_3_3_PLUS
from tests.docs.failure_rows import check_row, words_of
from tests.docs.markdown import page
from tests.operators.restoring import RESTORE, restore, world_of
from tests.running import Outcome, TaskRun
from tests.world import World

ROWS = page("docs/failures.md").table("the error says", below="## A snapshot or a restore did not end well")
STAGING = "1f3deec3-efa8-4598-bf91-560aad1377a3"
KEEP: dict[str, Any] = {"rename_pattern": None, "rename_replacement": None}


def _restore(world: World, **parameters: Any) -> Outcome:
    return restore(world, **{"retries": 1, **parameters})


def _of(world: World, status: str) -> Outcome:
    world.emulator.add_snapshot("orders-2", status=status, failed_shards=1 if status == "PART_FAILED" else 0)
    return _restore(world, snapshot_name="orders-2")


def _too_old(world: World) -> Outcome:
    world.clock.sleep(7_200)
    return _restore(world, latest_good=True, max_age=60)


def _fails(world: World) -> Outcome:
    world.emulator.faults.restore_fate("failed")
    return _restore(world)


def _is_stuck(world: World) -> Outcome:
    world.emulator.faults.restore_fate("stuck")
    return _restore(world, timeout=60)


def _is_lost(world: World) -> Outcome:
    world.emulator.add_snapshot("orders-2", restore_status="success")
    world.emulator.faults.restore_fate("success", takes=0)
    world.emulator.faults.drop(call=RESTORE, when="before")
    return _restore(world, snapshot_name="orders-2", **KEEP)


def _stranger_restores(world: World) -> None:
    world.emulator.add_cluster("search-staging", STAGING)
    (snapshot,) = world.emulator.snapshots()
    world.client.restore_snapshot(world.emulator.cluster_id, snapshot.id, target_cluster_id=STAGING)


def _is_overtaken(world: World) -> Outcome:
    world.clock.at(300, lambda: _stranger_restores(world))
    return _restore(world)


def _is_in_use(world: World) -> Outcome:
    _stranger_restores(world)
    return _restore(world, turn_timeout=0)


class _KilledError(BaseException):
    """Ends a process: nothing that the task does may catch it."""


def _changes_its_mind(world: World) -> Outcome:
    run = TaskRun()

    def die() -> None:
        raise _KilledError

    world.clock.at(60, die)
    with suppress(_KilledError):
        restore(world, run, retries=3)
    return restore(world, TaskRun(try_number=2, store=run.store), rename_replacement="other-$1", retries=3)


SCENES: dict[str, Callable[[World], Outcome]] = {
    "cannot be relied on: it is BUILDING": lambda world: _of(world, "BUILDING"),
    "cannot be relied on: it is": lambda world: _of(world, "PART_FAILED"),
    "has no snapshot": lambda world: _restore(world, snapshot_name="missing"),
    "has no good snapshot": lambda world: _restore(world, latest_good=True, name_prefix="stock-"),
    "The newest good snapshot": _too_old,
    "failed; CSS gives no reason": _fails,
    "did not end within": _is_stuck,
    "Nothing tells whether an earlier call": _is_lost,
    "does not tell any more how the restore": _is_overtaken,
    "with other values": _changes_its_mind,
    "is being restored by another": _is_in_use,
    "verify says that it is not as it should be": lambda world: _restore(world, verify=lambda _names: False),
    "it changes none of the names": lambda world: _restore(world, rename_pattern="(missing)"),
    "nothing in the snapshot matches": lambda world: _restore(world, indices="missing"),
}
# Before Airflow 3.3 nothing is kept from one try to the next, so nobody can say this.
NEEDS_A_MEMORY = {"with other values"}


def test_every_row_has_a_scene() -> None:
    """No row is without the task that says it."""
    assert words_of(ROWS) == list(SCENES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_task_says_what_the_row_says(row: list[str]) -> None:
    """The error has the words and names the way out; the midnight line follows; Airflow retries or does not."""
    words = row[0].strip("`")
    if words in NEEDS_A_MEMORY and not AIRFLOW_V_3_3_PLUS:
        pytest.skip("Airflow keeps nothing for a task over its tries before 3.3")
    with world_of(World) as world:
        check_row(row, lambda: SCENES[words](world))
