"""Deleting, pruning and listing under a real scheduler: in the worker, in the triggerer, under faults, and killed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from tests.system.scenes import Scene, Stage, all_at_once

pytestmark = pytest.mark.system

DELETE = "delete_snapshot"


class Result(NamedTuple):
    """What came of one scene: the run's state, the XCom, and the names that are left."""

    state: str
    value: Any
    left: list[str]


def _history(scene: Scene) -> dict[str, str]:
    """Put three snapshots of the scene's DAG and one of another DAG into the list; return the ids by name."""
    ids = {}
    for name, dag_id, days in (("new", "", 1), ("middle", "", 2), ("old", "", 3), ("other", "another", 9)):
        mark = make_mark(RunIdentity("bench", dag_id or scene.dag_id, "backup", name), None)
        began = datetime.now(UTC) - timedelta(days=days)
        ids[name] = scene.emulator.add_snapshot(name, description=write_mark(mark), started_at=began, takes=60)
    return ids


def _quiet(_scene: Scene) -> None:
    pass


def _slow(scene: Scene) -> None:
    scene.emulator.faults.slow_deletion(6, times=2)


def _lost(scene: Scene) -> None:
    scene.emulator.faults.slow_deletion(3)
    scene.emulator.faults.drop(call=DELETE, when="after")


def _busy(scene: Scene) -> None:
    scene.emulator.faults.busy(call=DELETE)


def _play(scene: Scene, trouble: Callable[[Scene], None] | None) -> Result:
    """Play a scene; without a trouble it is the kill of a task whose deletion is held after its effect."""
    ids = _history(scene)
    hold = None if trouble else scene.emulator.faults.hold(DELETE, when="after")
    if trouble:
        trouble(scene)
    scene.start(snapshot_id=ids["old"])
    if hold:
        scene.reach(hold)
        scene.kill_task()
        hold.release()
    state = scene.wait_for_end()
    return Result(state, scene.xcom(), sorted(snapshot.name for snapshot in scene.emulator.snapshots()))


@pytest.mark.parametrize("mode", ["worker", "defer"])
def test_what_is_to_go_goes_whatever_happens(stage: Stage, mode: str) -> None:
    """Each operator ends well, and what is left is what should be."""
    troubles: dict[str, Callable[[Scene], None] | None] = {
        "quiet": _quiet,
        "slow": _slow,
        "lost": _lost,
        "busy": _busy,
        "killed": None,
    }
    cases = [(what, trouble) for what in ("delete", "prune") for trouble in troubles]
    scenes = [(stage.scene(f"{mode}_{what}", trouble), troubles[trouble]) for what, trouble in cases]
    results = all_at_once(lambda pair: _play(*pair), scenes)
    for (what, trouble), result in zip(cases, results, strict=True):
        print(f"{stage.airflow.version} {mode} {what} {trouble}: {result.state}, left {result.left}")  # noqa: T201 - to be seen
    left = {"delete": ["middle", "new", "other"], "prune": ["new", "other"]}
    assert [(r.state, r.left) for r in results] == [("success", left[what]) for what, _ in cases]
    assert all(r.value["deleted"] or r.value.get("was_missing") or r.value["counts"]["delete"] for r in results)


def test_a_list_arrives_as_plain_json(stage: Stage) -> None:
    """The next task, in whatever process, reads what CSS has of this DAG."""
    scene = stage.scene("worker_list", "listed")
    _history(scene)
    scene.start()
    assert scene.wait_for_end() == "success", scene.log()
    assert [entry["name"] for entry in scene.xcom()] == ["new", "middle", "old"]
