"""Every parameter of RestoreSnapshotOperator changes something: one row for each, and none may be missing."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_css.operators.snapshot import RestoreSnapshotOperator
from tests.operators.restoring import RESTORE, restore, world_of
from tests.parameters import parameters_of
from tests.running import Outcome
from tests.world import World

OTHER = "0f3deec3-efa8-4598-bf91-560aad1377a3"
STAGING = "1f3deec3-efa8-4598-bf91-560aad1377a3"


class Seen(NamedTuple):
    """What came of a try: the world after it, its outcome, and the seconds it took."""

    world: World
    outcome: Outcome
    seconds: float

    @property
    def name(self) -> str:
        """The snapshot that was restored; the error's class when none was."""
        return str(self.outcome.xcom.get("snapshot_name", type(self.outcome.error).__name__))


class Row(NamedTuple):
    """One parameter: a value, what is looked at, what is seen without and with the value, and a world to see it in."""

    value: Any
    look: Callable[[Seen], Any]
    without: Any
    with_it: Any
    given: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    prepare: Callable[[World], object] = lambda _world: None


def _state(seen: Seen) -> str:
    return seen.outcome.state


def _restored(seen: Seen) -> set[str]:
    return {pair["target"] for pair in seen.outcome.xcom.get("indices") or ()}


def _looks(seen: Seen) -> bool:
    return seen.world.emulator.count("list_snapshots") > 6


def _second_snapshot(world: World) -> None:
    world.clock.sleep(7_200)
    world.emulator.add_snapshot("stock-1")


def _own_and_a_newer_one(world: World) -> None:
    world.run()
    _second_snapshot(world)


def _second_cluster(world: World) -> None:
    world.emulator.add_cluster("search-prod", OTHER)
    world.emulator.add_snapshot("orders-1", cluster_id=OTHER, indices="customers")


def _second_connection(world: World) -> None:
    _second_cluster(world)
    os.environ["AIRFLOW_CONN_OTHER"] = world.emulator.connection_json(cluster_id=OTHER)


def _partial(world: World) -> None:
    world.emulator.add_snapshot("orders-2", status="PART_FAILED", failed_shards=1)


def _busy(world: World) -> None:
    world.emulator.add_snapshot("strangers", status="BUILDING", takes=900)


ALL = {f"restored-{name}" for name in ("orders-2026-11", "orders-2026-10", "customers")}
LATEST: dict[str, Any] = {"latest_good": True}
ROWS: dict[str, Row] = {
    "target_cluster_id": Row(
        STAGING,
        lambda seen: len(seen.world.emulator.restores(STAGING)),
        without=0,
        with_it=1,
        prepare=lambda world: world.emulator.add_cluster("search-staging", STAGING),
    ),
    "snapshot_id": Row(
        "9dc4f5c9-33c0-45c7-9378-ae35ae350682",
        lambda seen: seen.name,
        without="orders-1",
        with_it="orders-2",
        prepare=lambda world: world.emulator.add_snapshot(
            "orders-2", snapshot_id="9dc4f5c9-33c0-45c7-9378-ae35ae350682"
        ),
    ),
    "snapshot_name": Row(
        "Stock 1", lambda seen: seen.name, without="orders-1", with_it="stock-1", prepare=_second_snapshot
    ),
    "latest_good": Row(
        value=True, look=lambda seen: seen.name, without="orders-1", with_it="stock-1", prepare=_second_snapshot
    ),
    "name_prefix": Row(
        "orders-", lambda seen: seen.name, without="stock-1", with_it="orders-1", given=LATEST, prepare=_second_snapshot
    ),
    "scope": Row(
        "dag",
        lambda seen: seen.name.startswith("orders_etl-"),
        without=False,
        with_it=True,
        given=LATEST,
        prepare=_own_and_a_newer_one,
    ),
    "max_age": Row(
        timedelta(hours=1),
        lambda seen: seen.name,
        without="orders-1",
        with_it="AirflowFailException",
        given=LATEST,
        prepare=lambda world: world.clock.sleep(7_200),
    ),
    "cluster_id": Row(OTHER, _restored, without=ALL, with_it={"restored-customers"}, prepare=_second_cluster),
    "cluster_name": Row("search-prod", _restored, without=ALL, with_it={"restored-customers"}, prepare=_second_cluster),
    "indices": Row(["customers"], _restored, without=ALL, with_it={"restored-customers"}),
    "rename_pattern": Row(
        "orders",
        _restored,
        # With the pattern of these tests, all would get one name, which is refused.
        without=set(),
        with_it={"restored--2026-11", "restored--2026-10", "customers"},
        given={"rename_replacement": "restored-", "existing_indices": "replace"},
    ),
    "rename_replacement": Row(
        "$1-old", _restored, without=ALL, with_it={name.removeprefix("restored-") + "-old" for name in ALL}
    ),
    "existing_indices": Row(
        "replace",
        lambda seen: seen.world.emulator.restores()[0].order.replace_existing,
        without=False,
        with_it=True,
    ),
    "allow_partial": Row(
        value=True,
        look=lambda seen: seen.name,
        without="AirflowFailException",
        with_it="orders-2",
        given={"snapshot_name": "orders-2"},
        prepare=_partial,
    ),
    "verify": Row(lambda _names: False, _state, without="success", with_it="failed"),
    "css_conn_id": Row("other", _restored, without=ALL, with_it={"restored-customers"}, prepare=_second_connection),
    "wait_for_completion": Row(
        value=False,
        look=lambda seen: seen.outcome.xcom["return_value"]["status"],
        without="success",
        with_it="restoring",
    ),
    "deferrable": Row(value=True, look=_state, without="success", with_it="deferred"),
    "poll_interval": Row(200, _looks, without=True, with_it=False),
    "timeout": Row(60, _state, without="success", with_it="failed"),
    "turn_timeout": Row(
        0,
        lambda seen: seen.world.emulator.count(RESTORE),
        without=2,
        with_it=1,
        prepare=_busy,
    ),
}


def _play(row: Row, **parameters: Any) -> Any:
    """Return what the row looks at, after one try in a world of its own."""
    with world_of(World, partial_restorable=True) as world:
        row.prepare(world)
        began = world.clock.now()
        given = {**row.given, **parameters}
        if given.get("latest_good") and "snapshot_name" not in given:
            given["snapshot_name"] = None
        try:
            outcome = restore(world, **given)
        except TaskDeferred:
            # Airflow 3's runner catches it; on 2 the one who calls execute() does.
            outcome = Outcome("deferred")
        return row.look(Seen(world, outcome, (world.clock.now() - began).total_seconds()))


def test_every_parameter_has_a_row() -> None:
    """The rows name the parameters that the operator takes, all of them and no other."""
    assert set(ROWS) == set(parameters_of(RestoreSnapshotOperator))


@pytest.mark.parametrize("name", ROWS)
def test_a_parameter_changes_something(name: str) -> None:
    """The row's value leads to another result than the default does."""
    row = ROWS[name]
    assert _play(row) == row.without
    assert _play(row, **{name: row.value}) == row.with_it
