"""A prune task whose time is up says what is still listed, which deletions failed and how many were accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_css.operators.pruning import MOST_TOLD
from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.protocol.errors import CssWaitTimeoutError
from tests.marked import add_history
from tests.running import Outcome
from tests.task_log import reading_the_log
from tests.world import DeferringWorld, World, new_world

DELETE, LIST = "delete_snapshot", "list_snapshots"


@pytest.fixture(params=[World, DeferringWorld], ids=["worker", "triggerer"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world whose tasks wait in the worker, and one whose tasks wait in the triggerer."""
    with new_world(kind=request.param) as world:
        yield world


def _prune(world: World, **parameters: Any) -> Outcome:
    task = {"operator_class": PruneSnapshotsOperator, "task_id": "prune", "keep_last": 1, "retries": 1}
    outcome = world.run(**{**task, **parameters})
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssWaitTimeoutError)
    return outcome


def test_what_lingers_and_what_failed_are_named(world: World) -> None:
    """Of four, one is refused, two linger and one is gone: the error tells all but the last by name."""
    ids = add_history(world, 5)
    world.emulator.faults.answer(403, "CSS.0004", call=DELETE)
    world.emulator.faults.slow_deletion(9_000, times=2)
    said = str(_prune(world, timeout=600).error)
    assert f"still listed: orders-3 ({ids[2]}), orders-4 ({ids[3]})." in said
    failed = said.partition(" Failed: ")[2]
    assert failed.startswith(f"orders-5 ({ids[4]}): ")
    assert "CSS.0004" in failed
    assert "Deletions accepted: 3;" in said
    assert "orders-2" not in said


def test_without_a_failure_none_is_spoken_of(world: World) -> None:
    """When all deletions were accepted, the error says what lingers and no more."""
    add_history(world, 2)
    world.emulator.faults.slow_deletion(9_000)
    said = str(_prune(world, timeout=600).error)
    assert "Deletions accepted: 1; 10 min later still listed: orders-2 (" in said
    assert "Failed" not in said


def test_the_line_for_the_night_reader_names_a_few_of_what_lingers(world: World) -> None:
    """Five of those whose end was waited for are named, the others counted."""
    add_history(world, MOST_TOLD + 3)
    world.emulator.faults.slow_deletion(9_000, times=None)
    with reading_the_log() as log:
        _prune(world, timeout=600)
    line = log.having("Newest good backup:", "error")[0].text
    assert line.partition("Run:")[0].count("orders-") == MOST_TOLD
    assert "and 2 more" in line


def test_a_turn_that_never_came_names_the_busy_ones(world: World) -> None:
    """When the time runs out between two tries, the error says which were busy, and how many were deleted before."""
    ids = add_history(world, 3)
    world.emulator.faults.busy(call=DELETE, times=None, skip=1)
    world.clock.at(6, lambda: world.emulator.faults.answer(500, "CSS.0005", call=LIST, times=None))
    said = str(_prune(world, turn_timeout=16).error)
    assert f"Snapshots that could not be deleted within 16 s: orders-2 ({ids[1]}): " in said
    assert "CSS.0011" in said
    assert "Deletions accepted: 1." in said
