"""Which permission each call needs, and which calls each kind of task makes: the one place for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import (
    CreateSnapshotOperator,
    DeleteSnapshotOperator,
    ListSnapshotsOperator,
    RestoreSnapshotOperator,
)
from airflow_css.sensors.snapshot import ClusterIdleSensor, SnapshotFreshnessSensor, SnapshotSensor
from tests.marked import add_history
from tests.sensors.playing import play
from tests.world import DeferringWorld, World, new_world

__all__ = ["PERMISSIONS", "SCENES", "permissions_of"]

PERMISSIONS = {
    "create_snapshot": "css:snapshot:create",
    "list_snapshots": "css:snapshot:list",
    "restore_snapshot": "css:snapshot:restore",
    "delete_snapshot": "css:snapshot:delete",
    "get_snapshot_policy": "css:snapshot:getSnapshotPolicy",
    "get_cluster": "css:cluster:get",
    "list_clusters": "css:cluster:list",
}
"""Source: CSS API reference, "Permissions Policies and Supported Actions", 2026-01-09."""

Play = Callable[..., object]


@dataclass(frozen=True)
class Scene:
    """
    How a kind of task is brought to make every call that it can make.

    :param play: Plays it once.
    :param parameters: Its own.
    :param ways: What is added for each further play.
    """

    play: Play
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ways: tuple[Mapping[str, Any], ...] = ({}, {"cluster_name": "search-dev"}, {"deferrable": True})


def _operator(kind: Any) -> Play:
    return lambda world, **parameters: world.play(operator_class=kind, **parameters)


def _sensor(kind: Any) -> Play:
    return lambda world, **parameters: play(world, kind, **parameters)


def _test_button(world: World) -> None:
    assert world.hook_class().test_connection()[0]


_RENAMED = {"target_cluster_id": "same", "rename_pattern": "(.+)", "rename_replacement": "restored-$1"}
_BY_SENSOR: tuple[Mapping[str, Any], ...] = ({}, {"cluster_name": "search-dev"}, {"way": "deferred"})
SCENES: dict[str, Scene] = {
    "CreateSnapshotOperator": Scene(_operator(CreateSnapshotOperator)),
    "RestoreSnapshotOperator": Scene(
        _operator(RestoreSnapshotOperator), {"snapshot_name": "orders-2", "task_id": "restore", **_RENAMED}
    ),
    "DeleteSnapshotOperator": Scene(
        _operator(DeleteSnapshotOperator),
        {"snapshot_name": "orders-2"},
        (
            {},
            {"cluster_name": "search-dev"},
            {"deferrable": True},
            {"snapshot_name": "automatic", "allow_automatic": True},
        ),
    ),
    "ListSnapshotsOperator": Scene(_operator(ListSnapshotsOperator), {}, ({}, {"cluster_name": "search-dev"})),
    "PruneSnapshotsOperator": Scene(_operator(PruneSnapshotsOperator), {"keep_last": 1}),
    "SnapshotSensor": Scene(
        _sensor(SnapshotSensor),
        {"snapshot_name": "orders-2", "timeout": 0.01},
        (*_BY_SENSOR, {"snapshot_name": "gone"}),
    ),
    "ClusterIdleSensor": Scene(_sensor(ClusterIdleSensor), {}, _BY_SENSOR),
    "SnapshotFreshnessSensor": Scene(_sensor(SnapshotFreshnessSensor), {"max_age": 60, "timeout": 0.01}, _BY_SENSOR),
    "test_connection": Scene(_test_button, {}, ({},)),
}


def _busy(world: World) -> None:
    world.emulator.faults.busy(times=1)


def _bare(world: World) -> None:
    """A cluster with nothing in its way."""


def _failing(world: World) -> None:
    world.emulator.faults.fate("failed")
    world.emulator.faults.restore_fate("failed")


def _refusing(world: World) -> None:
    for call in ("create_snapshot", "restore_snapshot", "delete_snapshot"):
        world.emulator.faults.answer(400, "CSS.0001", call=call, times=None)


def _blind(world: World) -> None:
    world.emulator.faults.answer(400, "CSS.0001", call="list_snapshots", times=None)


def _plays(scene: Scene) -> Iterator[World]:
    hard = ((prepare, scene.ways[0]) for prepare in (_busy, _failing, _refusing, _blind))
    for prepare, way in (*((_bare, way) for way in scene.ways), *hard):
        with new_world(kind=DeferringWorld if way.get("deferrable") else World) as world:
            add_history(world, 4)
            world.emulator.add_snapshot("automatic", frequency="DAY")
            prepare(world)
            scene.play(world, **{**scene.parameters, **way})
            yield world


def permissions_of(kind: str) -> set[str]:
    """
    Return what a kind of task needs to be allowed: what it really asked for, waiting, failing and succeeding.

    :param kind: A key of ``SCENES``.
    """
    return {PERMISSIONS[seen.call] for world in _plays(SCENES[kind]) for seen in world.emulator.requests}
