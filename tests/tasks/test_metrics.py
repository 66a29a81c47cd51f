"""What tasks tell Airflow's metrics, heard on a real socket, and that no task fails for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import DeleteSnapshotOperator, RestoreSnapshotOperator
from airflow_css.tasks.metrics import Count, Level, Metrics, Time
from tests.marked import add_history
from tests.metrics_listener import Listener, hearing_metrics
from tests.running import TaskRun
from tests.task_log import reading_the_log
from tests.world import World

KINDS = {Count: "c", Time: "ms", Level: "g"}
MADE = [Count.CREATED, Time.TURN, Time.DURATION, Time.WAIT, Level.SHARDS, Level.FAILED_SHARDS]
RESTORE: dict[str, Any] = {
    "operator_class": RestoreSnapshotOperator,
    "target_cluster_id": "same",
    "snapshot_name": "by-hand",
    "rename_pattern": "(.+)",
    "rename_replacement": "restored-$1",
}


@pytest.fixture
def heard() -> Iterator[Listener]:
    """A socket to which Airflow sends its metrics."""
    with hearing_metrics() as listener:
        yield listener


def _fails(world: World) -> Any:
    world.emulator.faults.fate("failed")
    return world.run()


def _adopts(world: World) -> Any:
    world.run()
    return world.run(TaskRun(try_number=2))


def _waits_for_nothing(world: World) -> Any:
    return world.run(wait_for_completion=False)


def _restores(world: World) -> Any:
    world.emulator.add_snapshot("by-hand")
    return world.run(**RESTORE)


def _fails_to_restore(world: World) -> Any:
    world.emulator.add_snapshot("by-hand")
    world.emulator.faults.restore_fate("failed")
    return world.run(**RESTORE)


def _deletes(world: World) -> Any:
    world.emulator.add_snapshot("by-hand")
    return world.run(operator_class=DeleteSnapshotOperator, snapshot_name="by-hand")


def _prunes(world: World) -> Any:
    add_history(world, 3)
    return world.run(operator_class=PruneSnapshotsOperator, keep_last=1)


SENT: dict[Callable[[World], Any], list[Any]] = {
    lambda world: world.run(): MADE,
    lambda world: world.play(deferrable=True): MADE,
    _adopts: [
        *MADE,
        Count.RETRIED,
        Count.ADOPTED,
        Time.TURN,
        Time.DURATION,
        Level.SHARDS,
        Level.FAILED_SHARDS,
    ],
    _fails: [Count.CREATED, Time.TURN, Count.FAILED],
    _waits_for_nothing: [Count.CREATED, Time.TURN],
    _restores: [Count.RESTORE_SENT, Time.TURN, Time.RESTORE_DURATION],
    _fails_to_restore: [Count.RESTORE_SENT, Time.TURN, Count.RESTORE_FAILED],
    _deletes: [Count.DELETED],
    _prunes: [Count.DELETED, Count.DELETED],
}


@pytest.mark.parametrize(("play", "metrics"), SENT.items())
def test_a_task_tells_what_it_did(
    world: World, heard: Listener, play: Callable[[World], Any], metrics: list[Any]
) -> None:
    """Each kind of task sends its metrics, each of its kind, with cluster, DAG and task as the only tags."""
    play(world)

    sent = heard.ours()
    assert sorted(metric.name for metric in sent) == sorted(metrics)
    kinds = {what.value: KINDS[type(what)] for what in metrics}
    assert [metric for metric in sent if metric.kind != kinds[metric.name]] == []
    tags = {"cluster_id": world.emulator.cluster_id, "dag_id": "orders_etl", "task_id": "backup"}
    assert [metric for metric in sent if metric.tags != tags] == []


def test_the_values_are_those_of_the_snapshot(world: World, heard: Listener) -> None:
    """Durations come in milliseconds; the wait is no shorter than the snapshot took; the shards are counted."""
    outcome = world.run()

    values = {metric.name: metric.value for metric in heard.ours()}
    snapshot = outcome.xcom["snapshot"]
    assert values[Time.DURATION] == snapshot["duration_seconds"] * 1000
    assert values[Time.WAIT] >= values[Time.DURATION] - 1000
    assert values[Level.SHARDS] == snapshot["total_shards"]
    assert values[Level.FAILED_SHARDS] == 0


def test_the_wait_for_the_turn_is_told_in_full(world: World, heard: Listener) -> None:
    """A task that found the cluster at work tells how long, in the worker as in the triggerer."""
    for number, deferrable in enumerate((False, True)):
        world.emulator.add_snapshot(f"strangers-{number}", status="BUILDING", takes=500)
        world.play(TaskRun(run_id=f"run-{number}"), deferrable=deferrable)
        (turn,) = [metric.value for metric in heard.ours() if metric.name == Time.TURN]
        assert 400_000 <= turn <= 700_000


def test_a_lost_metric_costs_nothing(world: World) -> None:
    """Whatever is wrong with the metrics, the task goes on; only whoever searches finds a line about it."""
    with reading_the_log() as log:
        Metrics({"ti": SimpleNamespace()}, "cluster", world.operator().log).count(Count.CREATED)
    assert [line for line in log if line.level != "debug"] == []
