"""The cook-book's rows on deletions: each is what a task really says, and Airflow does what the row says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import DeleteSnapshotOperator
from tests.docs.failure_rows import check_row, words_of
from tests.docs.markdown import page
from tests.marked import add_history, mark_of
from tests.running import Outcome
from tests.world import World

ROWS = page("docs/failures.md").table("the error says", below="## A deletion did not end well")


def _delete(world: World, *, is_policy_on: bool = False, parameters: Any = None, **snapshot: Any) -> Outcome:
    world.emulator.policy(enabled=is_policy_on)
    wanted = world.emulator.add_snapshot("orders", **snapshot)
    task = {"operator_class": DeleteSnapshotOperator, "snapshot_id": wanted, "retries": 1}
    return world.run(**{**task, **(parameters or {})})


def _slowly(world: World) -> Outcome:
    world.emulator.faults.slow_deletion(9_000)
    return _delete(world, parameters={"timeout": 60})


def _prune(world: World, **parameters: Any) -> Outcome:
    add_history(world, 3)
    world.emulator.faults.answer(500, "CSS.0005", call="delete_snapshot", times=None)
    return world.run(operator_class=PruneSnapshotsOperator, retries=1, **parameters)


def _prune_slowly(world: World, **parameters: Any) -> Outcome:
    add_history(world, 3)
    world.emulator.faults.slow_deletion(9_000)
    return world.run(operator_class=PruneSnapshotsOperator, retries=1, **parameters)


SCENES: dict[str, Callable[[World], Outcome]] = {
    "was made with hold=True": lambda world: _delete(world, description=mark_of(hold=True)),
    "bears a mark of another version": lambda world: _delete(world, description="x [af9 0 0]"),
    "is automatic, and CSS forbids deleting it": lambda world: _delete(world, is_policy_on=True, frequency="DAY"),
    "is automatic: the cluster's policy made it": lambda world: _delete(world, frequency="DAY"),
    "in a state that this version does not know": lambda world: _delete(world, status="HIBERNATING"),
    "so it cannot be deleted now": lambda world: _delete(world, status="BUILDING", parameters={"turn_timeout": 0}),
    "could not be deleted within": lambda world: _delete(
        world, restore_status="restoring", parameters={"turn_timeout": 60}
    ),
    "CSS accepted the deletion": _slowly,
    "Deletions accepted": lambda world: _prune_slowly(world, keep_last=1, timeout=60),
    "snapshots could not be deleted": lambda world: _prune(world, keep_last=1),
    "nothing says what to keep": _prune,
}


def test_every_row_has_a_scene() -> None:
    """No row is without the task that says it."""
    assert words_of(ROWS) == list(SCENES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_task_says_what_the_row_says(row: list[str], world: World) -> None:
    """The error has the words and names the way out; the midnight line follows; Airflow retries or does not."""
    check_row(row, lambda: SCENES[row[0].strip("`")](world))
