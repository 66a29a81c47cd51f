"""Every parameter of DeleteSnapshotOperator changes something: one row for each, and none may be missing."""

from __future__ import annotations

import pytest

from airflow_css.operators.snapshot import DeleteSnapshotOperator
from tests.marked import mark_of
from tests.parameter_rows import OTHER_CLUSTER, Row, Seen, play_row, second_connection, state_of
from tests.parameters import parameters_of
from tests.world import World

ORDERS, OTHERS, MISSING = (f"{digit}dc4f5c9-33c0-45c7-9378-ae35ae350682" for digit in "123")
BY_ID = {"snapshot_id": ORDERS}


def _prepare(world: World) -> None:
    world.emulator.add_snapshot("orders", snapshot_id=ORDERS, description=mark_of())
    world.emulator.add_snapshot("orders", snapshot_id=OTHERS, cluster_id=OTHER_CLUSTER)


def _left(seen: Seen) -> tuple[int, int]:
    """Return how many snapshots are left, on the usual cluster and on the other one."""
    emulator = seen.world.emulator
    return len(emulator.snapshots()), len(emulator.snapshots(OTHER_CLUSTER))


def _is_slow(world: World) -> None:
    world.emulator.faults.slow_deletion(600)


def _is_made(world: World) -> None:
    world.emulator.add_snapshot("customers", snapshot_id=MISSING, status="BUILDING", takes=600)


BY_NAME = {"snapshot_name": "orders"}
ROWS = {
    "snapshot_id": Row(ORDERS, state_of, "failed", "success"),
    "snapshot_name": Row("Orders", state_of, "failed", "success"),
    "ignore_missing": Row(
        value=False, look=state_of, without="success", with_it="failed", besides={"snapshot_id": MISSING}
    ),
    "allow_automatic": Row(
        value=True,
        look=state_of,
        without="failed",
        with_it="success",
        prepare=lambda world: world.emulator.add_snapshot("automatic", snapshot_id=MISSING, frequency="DAY"),
        besides={"snapshot_id": MISSING},
    ),
    "cluster_id": Row(OTHER_CLUSTER, _left, (0, 1), (1, 0), besides=BY_NAME),
    "cluster_name": Row("search-prod", _left, (0, 1), (1, 0), besides=BY_NAME),
    "css_conn_id": Row("other", _left, (0, 1), (1, 0), prepare=second_connection, besides=BY_NAME),
    "wait_for_completion": Row(
        value=False, look=_left, without=(0, 1), with_it=(1, 1), prepare=_is_slow, besides=BY_ID
    ),
    "deferrable": Row(
        value=True, look=state_of, without="success", with_it="deferred", prepare=_is_slow, besides=BY_ID
    ),
    "poll_interval": Row(
        200,
        lambda seen: seen.world.emulator.count("list_snapshots") > 8,
        without=True,
        with_it=False,
        prepare=_is_slow,
        besides=BY_ID,
    ),
    "timeout": Row(60, state_of, "success", "failed", prepare=_is_slow, besides=BY_ID),
    "turn_timeout": Row(60, state_of, "success", "failed", prepare=_is_made, besides={"snapshot_id": MISSING}),
}


def test_every_parameter_has_a_row() -> None:
    """The rows name the parameters of the operator's signature, all of them and no other."""
    assert set(ROWS) == set(parameters_of(DeleteSnapshotOperator))


@pytest.mark.parametrize("name", ROWS)
def test_a_parameter_changes_something(name: str) -> None:
    """The row's value leads to another result than the default does."""
    row = ROWS[name]
    assert play_row(row, _prepare, operator_class=DeleteSnapshotOperator) == row.without
    assert play_row(row, _prepare, operator_class=DeleteSnapshotOperator, **{name: row.value}) == row.with_it
