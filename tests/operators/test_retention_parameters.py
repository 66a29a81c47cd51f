"""Every parameter of PruneSnapshotsOperator changes something: one row for each, and none may be missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.protocol.rules import GROUP_BY
from tests.marked import add_history, add_marked, mark_of
from tests.parameter_rows import OTHER_CLUSTER, Row, Seen, play_row, second_connection, state_of
from tests.parameters import parameters_of
from tests.world import World

ONE = {"keep_last": 1}
HELD_ID = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"


def _prepare(world: World) -> None:
    """Six snapshots of this DAG, one a day."""
    add_history(world, 6)


def _left(seen: Seen) -> int:
    """Return how many snapshots are left on the usual cluster."""
    return len(seen.world.emulator.snapshots())


def _both(seen: Seen) -> tuple[int, int]:
    return _left(seen), len(seen.world.emulator.snapshots(OTHER_CLUSTER))


def _months(world: World) -> None:
    for months in range(1, 7):
        add_marked(world, f"month-{months}", 31 * months, run_id=f"month-{months}")
    for years in range(1, 4):
        add_marked(world, f"year-{years}", 366 * years, run_id=f"year-{years}")


def _elsewhere(world: World) -> None:
    for name in ("a", "b"):
        mark = mark_of(deployment="other", run_id=name)
        world.emulator.add_snapshot(name, cluster_id=OTHER_CLUSTER, description=mark)
        world.emulator.add_snapshot(f"{name}-ours", cluster_id=OTHER_CLUSTER, description=mark_of(run_id=name))


def _elsewhere_and_connected(world: World) -> None:
    _elsewhere(world)
    second_connection(world)


def _at_midnight(world: World) -> None:
    """Two snapshots of one day in UTC that lie on two days in Berlin."""
    for hour in (20, 23):
        began = datetime(2026, 7, 1, hour, 30, tzinfo=UTC)
        world.emulator.add_snapshot(f"hour-{hour}", description=mark_of("zones"), started_at=began)


def _is_slow(world: World) -> None:
    world.emulator.faults.slow_deletion(600, times=None)


def _is_busy(world: World) -> None:
    world.emulator.faults.busy(call="delete_snapshot", times=8)


def _held(world: World) -> None:
    world.emulator.add_snapshot(
        "held", snapshot_id=HELD_ID, description=mark_of(run_id="held"), started_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


ROWS: dict[str, Row] = {
    "keep_last": Row(3, _left, 6, 3),
    "keep_hourly": Row(4, _left, 6, 4),
    "keep_daily": Row(4, _left, 6, 4),
    "keep_weekly": Row(5, _left, 15, 5, prepare=_months),
    "keep_monthly": Row(4, _left, 15, 4, prepare=_months),
    "keep_yearly": Row(3, _left, 15, 3, prepare=_months),
    "keep_within": Row("3d", _left, 6, 3),
    "timezone": Row(
        "Europe/Berlin",
        _left,
        7,
        8,
        prepare=_at_midnight,
        besides={"keep_daily": 9, "scope": "package"},
    ),
    "older_than": Row("97h", _left, 1, 4, besides=ONE),
    "max_delete": Row(2, _left, 1, 4, besides=ONE),
    "hold_ids": Row([HELD_ID], _left, 1, 2, prepare=_held, besides=ONE),
    "hold_names": Row("Orders 5, orders-6", _left, 1, 3, besides=ONE),
    "scope": Row(
        "deployment", _left, 1 + 3, 1 + 1, prepare=lambda world: add_history(world, 3, "b", dag_id="b"), besides=ONE
    ),
    "task_ids": Row(["backup"], state_of, "failed", "success", besides={**ONE, "scope": "task"}),
    "group_by": Row(None, _left, 1 + 1, 1, prepare=lambda world: add_history(world, 3, "b", task_id="b"), besides=ONE),
    "include_foreign": Row(
        value=True,
        look=_left,
        without=1 + 2,
        with_it=1 + 1,
        prepare=lambda world: [world.emulator.add_snapshot(f"orders-by-hand-{n}") for n in (1, 2)],
        besides={**ONE, "name_prefix": "orders-"},
    ),
    "name_prefix": Row("Orders 6", _left, 1, 6, besides=ONE),
    "name_regex": Row("orders-[56]", _left, 1, 5, besides=ONE),
    "dry_run": Row(value=True, look=_left, without=1, with_it=6, besides=ONE),
    "cluster_id": Row(OTHER_CLUSTER, _both, (1, 4), (6, 3), prepare=_elsewhere, besides=ONE),
    "cluster_name": Row("search-prod", _both, (1, 4), (6, 3), prepare=_elsewhere, besides=ONE),
    "css_conn_id": Row("other", _both, (1, 4), (6, 3), prepare=_elsewhere_and_connected, besides=ONE),
    "wait_for_completion": Row(value=False, look=_left, without=1, with_it=6, prepare=_is_slow, besides=ONE),
    "deferrable": Row(value=True, look=state_of, without="success", with_it="deferred", prepare=_is_slow, besides=ONE),
    "poll_interval": Row(
        200,
        lambda seen: seen.world.emulator.count("list_snapshots") > 15,
        without=True,
        with_it=False,
        prepare=_is_slow,
        besides=ONE,
    ),
    "timeout": Row(60, state_of, "success", "failed", prepare=_is_slow, besides=ONE),
    "turn_timeout": Row(0, state_of, "success", "failed", prepare=_is_busy, besides=ONE),
}


def test_every_parameter_has_a_row() -> None:
    """The rows name the parameters of the operator's signature, all of them and no other."""
    assert set(ROWS) == set(parameters_of(PruneSnapshotsOperator))


@pytest.mark.parametrize("name", ROWS)
def test_a_parameter_changes_something(name: str) -> None:
    """The row's value leads to another result than the default does."""
    row = ROWS[name]
    usual: dict[str, Any] = {"operator_class": PruneSnapshotsOperator}
    assert play_row(row, _prepare, **usual) == row.without
    assert play_row(row, _prepare, **{**usual, name: row.value}) == row.with_it


def test_the_default_groups_are_those_of_the_rules() -> None:
    """The tuple in the signature, which a DAG file loads, is the ground's own."""
    assert parameters_of(PruneSnapshotsOperator)["group_by"].default == GROUP_BY
