"""Every parameter of CreateSnapshotOperator changes something: one row for each, and none may be missing."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_css.operators.snapshot import CreateSnapshotOperator
from tests.parameters import parameters_of
from tests.running import Outcome, TaskRun
from tests.world import World, new_world

OTHER = "0f3deec3-efa8-4598-bf91-560aad1377a3"


class Seen(NamedTuple):
    """What came of a try: the world after it, its outcome, and the seconds it took."""

    world: World
    outcome: Outcome
    seconds: float


class Row(NamedTuple):
    """One parameter: a value, what is looked at, what is seen without and with the value, and a world to see it in."""

    value: Any
    look: Callable[[Seen], Any]
    without: Any
    with_it: Any
    prepare: Callable[[World], object] = lambda _world: None
    run: TaskRun | None = None


def _state(seen: Seen) -> str:
    return seen.outcome.state


def _snapshot_indices(seen: Seen) -> int:
    return len(seen.world.emulator.snapshots()[0].indices)


def _looks(seen: Seen) -> bool:
    return seen.world.emulator.count("list_snapshots") > 5


def _made_before_a_clear(world: World) -> None:
    world.run()


def _two_clusters(world: World) -> None:
    world.emulator.add_cluster("search-prod", OTHER)


def _second_connection(world: World) -> None:
    os.environ["AIRFLOW_CONN_OTHER"] = world.emulator.connection_json(deployment="other")


CLEARED = TaskRun(try_number=2, max_tries=1)
ROWS: dict[str, Row] = {
    "cluster_id": Row(
        OTHER, lambda seen: len(seen.world.emulator.snapshots(OTHER)), without=0, with_it=1, prepare=_two_clusters
    ),
    "cluster_name": Row(
        "search-prod",
        lambda seen: len(seen.world.emulator.snapshots(OTHER)),
        without=0,
        with_it=1,
        prepare=_two_clusters,
    ),
    "snapshot_name": Row(
        "nightly", lambda seen: seen.outcome.xcom["snapshot_name"] == "nightly", without=False, with_it=True
    ),
    "indices": Row(["orders-*"], _snapshot_indices, without=4, with_it=2),
    "description": Row(
        "before the load",
        lambda seen: seen.world.emulator.snapshots()[0].description.startswith("before the load "),
        without=False,
        with_it=True,
    ),
    "css_conn_id": Row(
        "other",
        lambda seen: seen.world.emulator.snapshots()[0].description.startswith("other/"),
        without=False,
        with_it=True,
        prepare=_second_connection,
    ),
    "wait_for_completion": Row(
        value=False,
        look=lambda seen: seen.outcome.xcom["snapshot"]["status"],
        without="COMPLETED",
        with_it="BUILDING",
    ),
    "deferrable": Row(value=True, look=_state, without="success", with_it="deferred"),
    "poll_interval": Row(200, _looks, without=True, with_it=False),
    "timeout": Row(
        60,
        lambda seen: (seen.outcome.state, round(seen.seconds)),
        without=("success", 300),
        with_it=("failed", 60),
        prepare=lambda world: world.emulator.faults.fate("completed", takes=300),
    ),
    "turn_timeout": Row(
        0,
        _state,
        without="success",
        with_it="failed",
        prepare=lambda world: world.emulator.add_snapshot("strangers", status="BUILDING"),
    ),
    "on_existing": Row(
        "new",
        lambda seen: len(seen.world.emulator.snapshots()),
        without=1,
        with_it=2,
        prepare=_made_before_a_clear,
        run=CLEARED,
    ),
    "allow_partial": Row(
        value=True,
        look=_state,
        without="failed",
        with_it="success",
        prepare=lambda world: world.emulator.faults.fate("part_failed"),
    ),
    "fail_if_empty": Row(
        value=False,
        look=_state,
        without="failed",
        with_it="success",
        prepare=lambda world: world.emulator.faults.fate("empty"),
    ),
    "hold": Row(
        value=True,
        look=lambda seen: seen.world.emulator.snapshots()[0].description.endswith(" hold]"),
        without=False,
        with_it=True,
    ),
}


def _play(row: Row, **parameters: Any) -> Any:
    """Return what the row looks at, after one try in a world of its own."""
    with new_world() as world:
        row.prepare(world)
        began = world.clock.now()
        try:
            outcome = world.run(row.run, **parameters)
        except TaskDeferred:
            # Airflow 3's runner catches it; on 2 the one who calls execute() does.
            outcome = Outcome("deferred")
        return row.look(Seen(world, outcome, (world.clock.now() - began).total_seconds()))


def test_every_parameter_has_a_row() -> None:
    """The rows below name the parameters of the operator's signature, all of them and no other."""
    assert set(ROWS) == set(parameters_of(CreateSnapshotOperator))


@pytest.mark.parametrize("name", ROWS)
def test_a_parameter_changes_something(name: str) -> None:
    """The row's value leads to another result than the default does."""
    row = ROWS[name]
    if isinstance(row.without, tuple):
        state, seconds = _play(row)
        assert state == row.without[0]
        assert row.without[1] <= seconds <= row.without[1] * 1.2
    else:
        assert _play(row) == row.without
    assert _play(row, **{name: row.value}) == row.with_it


@pytest.mark.parametrize(
    ("value", "state", "snapshots"), [("adopt", "success", 1), ("new", "success", 2), ("fail", "failed", 1)]
)
def test_each_word_of_on_existing_means_something(value: str, state: str, snapshots: int) -> None:
    """After a clear ``adopt`` uses the earlier snapshot, ``new`` makes another one, ``fail`` fails."""
    with new_world() as world:
        _made_before_a_clear(world)
        assert world.run(CLEARED, on_existing=value).state == state
        assert len(world.emulator.snapshots()) == snapshots
