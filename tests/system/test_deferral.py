"""Waiting in a real triggerer: no worker is held, and neither bad answers nor new keys end the wait."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system.scenes import CLUSTER, LIST, Scene, Stage, all_at_once, wait_until

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Wait:
    """
    One of the two waits of a create task.

    :param name: What is waited for.
    :param call: What the trigger asks CSS meanwhile.
    :param prolong: Makes the wait last until ``Scene.time_passes``.
    """

    name: str
    call: str
    prolong: Callable[[Scene], None]


WAITS = (Wait("turn", CLUSTER, Scene.stranger_runs), Wait("end", LIST, Scene.takes_long))


def _scene(stage: Stage, wait: Wait, run_id: str) -> Scene:
    return stage.scene("defer_adopt", f"{run_id}-{wait.name}")


def _defer(scene: Scene, wait: Wait) -> Scene:
    wait.prolong(scene)
    scene.start()
    scene.wait_for_deferral(wait.call)
    return scene


def _ends_in_its_first_try(scene: Scene) -> bool:
    scene.time_passes()
    scene.wait_for_end()
    return scene.has_its_id() and scene.airflow.task_try(scene.dag_id, scene.run_id, "backup") == 1


def _wait_for_looks(scene: Scene, wait: Wait, number: int) -> None:
    seen = scene.emulator.count(wait.call)
    wait_until(lambda: scene.emulator.count(wait.call) >= seen + number, f"{scene.run_id}: too few looks")


def test_a_deferred_task_holds_no_process(stage: Stage) -> None:
    """The task is seen deferred, without a process and with a trigger; then it succeeds in its first try."""

    def play(wait: Wait) -> bool:
        scene = _defer(_scene(stage, wait, "deferred"), wait)
        pid = stage.airflow.task(scene.dag_id, scene.run_id, "backup").pid
        wait_until(lambda: pid is None or not Path(f"/proc/{pid}").exists(), f"process {pid} waits for the {wait.name}")
        sql = "SELECT t.classpath FROM trigger t JOIN task_instance i ON i.trigger_id = t.id WHERE i.run_id = ?"
        (classpath,) = stage.airflow.rows(sql, scene.run_id)[0]
        assert classpath.startswith("airflow_css.triggers.css.")
        assert scene.state() == "deferred"
        return _ends_in_its_first_try(scene)

    assert all_at_once(play, WAITS) == [True, True]


def test_bad_answers_do_not_end_a_wait(stage: Stage) -> None:
    """429, 500, 503, dropped and truncated answers, one after another, are told and survived in both waits."""

    def play(wait: Wait) -> bool:
        scene = _defer(_scene(stage, wait, "faults"), wait)
        faults = scene.emulator.faults
        faults.throttle(call=wait.call)
        faults.answer(500, call=wait.call)
        faults.answer(503, "CSS.0005", call=wait.call)
        faults.drop(call=wait.call)
        faults.truncate(call=wait.call)
        # What takes long is a line of the script as well, and is spent by the creation only.
        wait_until(lambda: not [line for line in faults.shown() if line["call"]], "not all faults struck")
        _wait_for_looks(scene, wait, 1)
        assert scene.state() == "deferred"
        statuses = [seen.status for seen in scene.emulator.requests if seen.call == wait.call]
        assert {429, 500, 503, 0, 200} <= set(statuses)
        # Read before the next wait begins: the triggerer of Airflow 3 then writes its log of this try anew.
        log = scene.log()
        assert [n for n in range(1, 6) if f"Look {n} in a row without an answer" not in log] == []
        return _ends_in_its_first_try(scene)

    assert all_at_once(play, WAITS) == [True, True]


def _keys(scene: Scene, word: str) -> tuple[str, str]:
    """Return keys of this scene alone."""
    return f"{word}-ak-of-{scene.run_id}", f"{word}-sk-of-{scene.run_id}"


def _store(scene: Scene, method: str, word: str) -> None:
    """Put the scene's connection into Airflow's database, or change it there, as a user does in the page."""
    facts: dict[str, Any] = json.loads(scene.emulator.connection_json(deployment="bench", security_token=None))
    facts["login"], facts["password"] = _keys(scene, word)
    path = ["connections", scene.conn_id] if method == "PATCH" else ["connections"]
    with scene.one_by_one:
        body = {**facts, "connection_id": scene.conn_id, "extra": json.dumps(facts["extra"])}
        scene.airflow.api.call(method, *path, body=body)


def _scene_with_stored_keys(stage: Stage, wait: Wait, run_id: str) -> Scene:
    scene = _scene(stage, wait, run_id)
    scene.conn_id = f"stored_{scene.conn_id}"
    scene.emulator.change_keys(*_keys(scene, "old"))
    _store(scene, "POST", "old")
    return scene


def test_keys_may_be_rotated_during_a_wait(stage: Stage) -> None:
    """Once the old keys are refused, trigger and resumed task go on with those that the connection has by now."""

    def play(wait: Wait) -> bool:
        scene = _defer(_scene_with_stored_keys(stage, wait, "rotated"), wait)
        _store(scene, "PATCH", "new")
        scene.emulator.change_keys(*_keys(scene, "new"))
        _wait_for_looks(scene, wait, 3)
        assert scene.state() == "deferred"
        ended = _ends_in_its_first_try(scene)
        refused = [seen for seen in scene.emulator.requests if seen.status == 401]
        assert 1 <= len(refused) <= 2
        return ended

    assert all_at_once(play, WAITS) == [True, True]


def test_a_refused_key_ends_the_wait_once_no_other_is_found(stage: Stage) -> None:
    """With the old keys still in the connection the task fails for good, after two refused requests at most."""

    def play(wait: Wait) -> tuple[str, str | None, int]:
        scene = _defer(_scene_with_stored_keys(stage, wait, "refused"), wait)
        scene.emulator.change_keys(*_keys(scene, "new"))
        ended = scene.wait_for_end()
        refused = [seen for seen in scene.emulator.requests if seen.status == 401 and seen.call == wait.call]
        assert 1 <= len(refused) <= 2
        assert "APIGW.0301" in scene.log()
        return ended, scene.state(), stage.airflow.task_try(scene.dag_id, scene.run_id, "backup")

    assert all_at_once(play, WAITS) == [("failed", "failed", 1)] * 2


def test_another_connection_is_picked_up_by_the_resumed_task(stage: Stage) -> None:
    """Keys that were changed while the task was deferred are those that it creates with after the turn."""
    turn, _ = WAITS
    scene = _defer(_scene_with_stored_keys(stage, turn, "changed"), turn)
    hold = scene.emulator.faults.hold(CLUSTER)
    scene.reach(hold)
    # The look that is held was let in with the old keys, and will say that the turn has come.
    scene.time_passes()
    _store(scene, "PATCH", "new")
    scene.emulator.change_keys(*_keys(scene, "new"))
    hold.release()

    assert scene.wait_for_end() == "success"
    assert scene.has_its_id()
    assert {seen.status for seen in scene.emulator.requests if seen.call == CLUSTER} == {200}
