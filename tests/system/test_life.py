"""The whole life of a snapshot under a real scheduler: every operator and sensor, waiting here and there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.system.scenes import CLUSTER, LIST, Scene, Stage, all_at_once

pytestmark = pytest.mark.system

MODES = ("worker", "defer")
TASKS = ("backup", "good", "listed", "restore", "restored", "idle", "fresh", "second", "prune", "gone", "delete")
RESTORE, DELETE = "restore_snapshot", "delete_snapshot"


def _nothing(_scene: Scene) -> None:
    """Leave all as it is."""


def _bad_moments(scene: Scene) -> None:
    """Let every look, and what is written, meet a bad moment; twice the effect is there and only the answer is lost."""
    faults = scene.emulator.faults
    for call in (LIST, CLUSTER):
        faults.throttle(call=call, times=2, skip=1)
        faults.html(call=call, times=2, skip=3)
        faults.drop(call=call, skip=6)
        faults.truncate(call=call, skip=8)
    faults.drop(call=RESTORE, when="after")
    faults.html(call=DELETE, when="after")
    faults.throttle(call=DELETE, skip=1)


def _lived(scene: Scene) -> str:
    """Return what is wrong after the run; empty when nothing is."""
    states = {task_id: scene.state(task_id) for task_id in TASKS}
    if set(states.values()) != {"success"}:
        logs = "\n".join(
            scene.airflow.task_log(scene.dag_id, scene.run_id, task_id, 1)[-3_000:]
            for task_id, state in states.items()
            if state not in ("success", None, "upstream_failed")
        )
        return f"{scene.run_id}: {states}\n{logs}"
    (restored,) = scene.emulator.restores()
    wrong = []
    if scene.emulator.snapshots():
        wrong.append(f"left: {scene.emulator.snapshots()}")
    if set(restored.brought) != {"restored-orders-2026-10", "restored-orders-2026-11"}:
        wrong.append(f"restored: {restored.brought}")
    if not set(restored.brought) <= set(scene.emulator.indices()):
        wrong.append(f"not there: {restored.brought}")
    return f"{scene.run_id}: {wrong}" if wrong else ""


@pytest.mark.parametrize("trouble", [_nothing, _bad_moments], ids=["quiet", "bad moments"])
def test_a_snapshot_lives_and_goes(stage: Stage, trouble: Callable[[Scene], None]) -> None:
    """Made, found good, restored once, pruned and deleted, both ways of waiting, also over bad answers."""

    def play(mode: str) -> str:
        scene = stage.scene(f"{mode}_life", f"life-{trouble.__name__.strip('_')}-{mode}")
        trouble(scene)
        scene.start()
        scene.wait_for_end()
        return _lived(scene)

    assert all_at_once(play, MODES) == ["", ""]
