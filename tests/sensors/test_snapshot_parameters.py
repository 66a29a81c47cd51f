"""Every parameter of every sensor changes something: one row for each, and none may be missing."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_css.sensors.snapshot import ClusterIdleSensor, SnapshotFreshnessSensor, SnapshotSensor
from tests.running import Outcome, run_task
from tests.sensors.playing import sensor_of
from tests.world import World, new_world

OTHER = "0f3deec3-efa8-4598-bf91-560aad1377a3"
ID = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
SENSORS = (SnapshotSensor, ClusterIdleSensor, SnapshotFreshnessSensor)


class Row(NamedTuple):
    """A parameter: values without and with it, what is seen of both, and a world to see it in."""

    value: Any
    without: Any
    with_it: Any
    prepare: Callable[[World], object] = lambda _world: None
    besides: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    look: Callable[[World, Outcome], Any] = lambda _world, outcome: outcome.state


def _two_clusters(world: World) -> None:
    """The one of the connection is not what is wanted, the other is."""
    world.emulator.add_cluster("search-prod", OTHER)
    world.emulator.add_snapshot("orders-1", cluster_id=OTHER)
    world.emulator.add_snapshot("orders-1", status="FAILED")
    world.emulator.change_cluster(status="300")


def _second_connection(world: World) -> None:
    _two_clusters(world)
    os.environ["AIRFLOW_CONN_OTHER"] = world.emulator.connection_json(cluster_id=OTHER)


def _building(world: World) -> None:
    world.emulator.add_snapshot("orders-1", status="BUILDING", takes=600)


def _looks(world: World, _outcome: Outcome) -> bool:
    return world.emulator.count("list_snapshots") + world.emulator.count("get_cluster") > 5


CLUSTER = {
    "cluster_id": Row(OTHER, "failed", "success", _two_clusters),
    "cluster_name": Row("search-prod", "failed", "success", _two_clusters),
    "css_conn_id": Row("other", "failed", "success", _second_connection),
    "poke_interval": Row(timedelta(seconds=600), without=True, with_it=False, prepare=_building, look=_looks),
}
NAMED = {"snapshot_name": "orders-1"}
ROWS: dict[Any, dict[str, Row]] = {
    SnapshotSensor: {
        **{name: row._replace(besides=NAMED) for name, row in CLUSTER.items()},
        "deferrable": Row(value=True, without="success", with_it="deferred", prepare=_building, besides=NAMED),
        "snapshot_id": Row(
            ID, "failed", "success", lambda world: world.emulator.add_snapshot("x-id-1", snapshot_id=ID)
        ),
        "snapshot_name": Row("orders-1", "failed", "success", lambda world: world.emulator.add_snapshot("orders-1")),
        "expect": Row("gone", "failed", "success", besides={"snapshot_id": ID}),
        "allow_partial": Row(
            value=True,
            without="failed",
            with_it="success",
            prepare=lambda world: world.emulator.add_snapshot("orders-1", failed_shards=1),
            besides=NAMED,
        ),
        "fail_if_empty": Row(
            value=False,
            without="failed",
            with_it="success",
            prepare=lambda world: world.emulator.add_snapshot("orders-1", indices="none-*"),
            besides=NAMED,
        ),
    },
    ClusterIdleSensor: {
        **CLUSTER,
        "deferrable": Row(value=True, without="success", with_it="deferred", prepare=_building),
    },
    SnapshotFreshnessSensor: {
        **{name: row._replace(besides={"max_age": 3600}) for name, row in CLUSTER.items()},
        "poke_interval": CLUSTER["poke_interval"]._replace(besides={"max_age": 3600, "timeout": 0.3}),
        "deferrable": Row(
            value=True,
            without="success",
            with_it="deferred",
            prepare=_building,
            besides={"max_age": 3600, "timeout": 900},
        ),
        "timeout": Row(900, "failed", "success", _building, {"max_age": 3600}),
        "max_age": Row(3600, "failed", "success", lambda world: world.emulator.add_snapshot("orders-1")),
        "name_prefix": Row(
            "logs", "success", "failed", lambda world: world.emulator.add_snapshot("orders-1"), {"max_age": 3600}
        ),
        "scope": Row(
            "package", "success", "failed", lambda world: world.emulator.add_snapshot("orders-1"), {"max_age": 3600}
        ),
        "kind": Row(
            "automatic", "success", "failed", lambda world: world.emulator.add_snapshot("orders-1"), {"max_age": 3600}
        ),
    },
}
# What cannot be left out is given an odd value instead.
INSTEAD = {"max_age": 1}


def _play(sensor: Any, row: Row, **parameters: Any) -> Any:
    with new_world() as world:
        row.prepare(world)
        try:
            outcome = run_task(sensor_of(world, sensor, **{**row.besides, **parameters}))
        except TaskDeferred:
            outcome = Outcome("deferred")
        return row.look(world, outcome)


def _parameters(sensor: Any) -> set[str]:
    found = inspect.signature(sensor.__init__).parameters.items()
    return {name for name, parameter in found if parameter.kind is inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("sensor", SENSORS)
def test_every_parameter_has_a_row(sensor: Any) -> None:
    """The rows name the parameters of the signature, all of them and no other."""
    assert set(ROWS[sensor]) == _parameters(sensor)


@pytest.mark.parametrize(("sensor", "name"), [(sensor, name) for sensor in SENSORS for name in ROWS[sensor]])
def test_a_parameter_changes_something(sensor: Any, name: str) -> None:
    """The row's value leads to another result than the default does."""
    row = ROWS[sensor][name]
    default = {name: INSTEAD[name]} if name in INSTEAD else {}
    assert _play(sensor, row, **default) == row.without
    assert _play(sensor, row, **{name: row.value}) == row.with_it
