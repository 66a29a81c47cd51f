"""
Faults against a delete task: what its tries make of them, how many deletions CSS saw, and what is left.

An expectation reads ``state DELETEs listed``, one for each try; deletions are counted from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from airflow_css.operators.snapshot import DeleteSnapshotOperator
from tests.running import TaskRun
from tests.world import DeferringWorld, World, new_world

DELETE = "delete_snapshot"
LIST = "list_snapshots"
MOST_TRIES = 3
# For six hours, at most every five minutes, and more often at first.
MANY = 50


class Row(NamedTuple):
    """One line of the table: what happens, and what must come of it."""

    script: Callable[[World], object]
    expected: str


def _answer(status: int, code: str = "", **match: Any) -> Callable[[World], object]:
    return lambda world: world.emulator.faults.answer(status, code, **{"call": DELETE, **match})


def _slow_and_lost(world: World) -> None:
    world.emulator.faults.slow_deletion(300)
    world.emulator.faults.drop(call=DELETE, when="after")


ROWS = {
    "nothing": Row(lambda _world: None, "success 1 0"),
    "429": Row(lambda world: world.emulator.faults.throttle(call=DELETE), "success 2 0"),
    "429, and when to come back": Row(lambda world: world.emulator.faults.throttle(5, call=DELETE), "success 2 0"),
    "429 for ever": Row(
        lambda world: world.emulator.faults.throttle(call=DELETE, times=None),
        "up_for_retry 4 1, up_for_retry 8 1, up_for_retry 12 1",
    ),
    "500 before the effect": Row(_answer(500, "CSS.0005"), "success 2 0"),
    "500 after the effect": Row(_answer(500, "CSS.0005", when="after"), "success 1 0"),
    "500 for ever": Row(_answer(500, "CSS.0005", times=None), "up_for_retry 4 1, up_for_retry 8 1, up_for_retry 12 1"),
    "no answer, before the effect": Row(lambda world: world.emulator.faults.drop(call=DELETE), "success 2 0"),
    "no answer, after the effect": Row(
        lambda world: world.emulator.faults.drop(call=DELETE, when="after"), "success 1 0"
    ),
    "no answer, after an effect that takes time": Row(_slow_and_lost, "success 2 0"),
    "half of the answer": Row(lambda world: world.emulator.faults.truncate(call=DELETE), "success 1 0"),
    "a page of a proxy": Row(lambda world: world.emulator.faults.html(call=DELETE), "success 2 0"),
    "200 that is no JSON": Row(lambda world: world.emulator.faults.not_json(call=DELETE), "success 2 0"),
    "busy": Row(lambda world: world.emulator.faults.busy(call=DELETE, times=3), "success 4 0"),
    "busy with a word of success": Row(
        lambda world: world.emulator.faults.busy(202, call=DELETE, times=3), "success 4 0"
    ),
    "busy for ever": Row(lambda world: world.emulator.faults.busy(call=DELETE, times=None), "up_for_retry many 1"),
    "being restored": Row(_answer(400, "CSS.5090", times=2), "success 3 0"),
    "missing, says the call, though it is listed": Row(_answer(404, "CSS.0016", times=None), "failed 4 1"),
    "missing or hidden, though it is listed": Row(_answer(403, "CSS.0015", times=2), "success 3 0"),
    "being deleted, though nobody does": Row(_answer(400, "CSS.3016", times=None), "up_for_retry 1 1"),
    "no permission": Row(_answer(403, "CSS.0010"), "failed 1 1"),
    "not allowed": Row(_answer(415, "CSS.0004"), "failed 1 1"),
    "a code that nobody knows": Row(_answer(400, "CSS.7777"), "failed 1 1"),
    "the list fails": Row(_answer(500, "CSS.0005", call=LIST, times=None), "up_for_retry 0 1"),
    "half of the list": Row(lambda world: world.emulator.faults.truncate(call=LIST), "success 1 0"),
    "a list that is no JSON": Row(
        lambda world: world.emulator.faults.not_json(call=LIST, times=None), "up_for_retry 0 1"
    ),
    "the look after it is gone fails": Row(_answer(500, "CSS.0005", call=LIST, skip=1, times=5), "success 1 0"),
}


def _tries(row: Row, kind: type[World]) -> str:
    seen = []
    with new_world(kind=kind) as world:
        wanted = world.emulator.add_snapshot("orders")
        row.script(world)
        for number in range(1, row.expected.count(",") + 2):
            outcome = world.run(
                TaskRun(try_number=number),
                operator_class=DeleteSnapshotOperator,
                snapshot_id=wanted,
                ignore_missing=False,
                retries=MOST_TRIES,
            )
            count = world.emulator.count(DELETE)
            seen.append(f"{outcome.state} {count if count < MANY else 'many'} {len(world.emulator.snapshots())}")
            if outcome.state == "success":
                assert outcome.xcom["return_value"]["deleted"], outcome.xcom
    return ", ".join(seen)


@pytest.mark.parametrize("kind", [World, DeferringWorld], ids=["worker", "triggerer"])
@pytest.mark.parametrize("name", ROWS)
def test_each_fault_ends_as_the_table_says(name: str, kind: type[World]) -> None:
    """A try succeeds only when the snapshot is gone, and no fault makes it delete anything else."""
    assert _tries(ROWS[name], kind) == ROWS[name].expected
