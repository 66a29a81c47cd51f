"""Task processes and the triggerer ended by SIGKILL under a real scheduler: one snapshot, and its id in XCom."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from airflow_css.emulator.holds import Hold
from tests.system.bench import AirflowBench
from tests.system.processes import Component
from tests.system.scenes import CLUSTER, CREATE, LIST, POLICY, Scene, Stage, all_at_once, wait_until

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Kill:
    """
    When a process is ended.

    :param when: In words.
    :param mode: ``worker`` or ``defer``.
    :param play: Starts the run and makes it happen.
    """

    when: str
    mode: str
    play: Callable[[Scene], None]


class Result(NamedTuple):
    """What came of one kill."""

    kill: Kill
    snapshots: int
    has_id: bool
    tries: int


def _kill_at(scene: Scene, hold: Hold, *, loses: bool = False) -> None:
    scene.reach(hold)
    scene.kill_task()
    if loses:
        hold.lose()
    hold.release()


def _before_the_post(scene: Scene) -> None:
    hold = scene.emulator.faults.hold(CREATE)
    scene.start()
    _kill_at(scene, hold, loses=True)


def _before_the_post_which_comes_late(scene: Scene) -> None:
    hold = scene.emulator.faults.hold(CREATE)
    scene.start()
    _kill_at(scene, hold)


def _before_the_answer(scene: Scene) -> None:
    """The retry finds the snapshot while it is being made."""
    hold = scene.emulator.faults.hold(CREATE, when="after")
    looked = scene.emulator.faults.hold(LIST, when="after")
    scene.takes_long()
    scene.start()
    _kill_at(scene, hold)
    scene.reach(looked)
    looked.release()
    scene.time_passes()


def _after_the_answer(scene: Scene) -> None:
    hold = scene.emulator.faults.hold(POLICY)
    scene.start()
    _kill_at(scene, hold)


def _after_busy(scene: Scene) -> None:
    hold = scene.emulator.faults.hold(LIST)
    scene.stranger_runs()
    scene.start()
    _kill_at(scene, hold)
    scene.time_passes()


def _while_waiting_for_the_turn(scene: Scene) -> None:
    hold = scene.emulator.faults.hold(CLUSTER)
    scene.stranger_runs()
    scene.start()
    _kill_at(scene, hold)
    scene.time_passes()


def _after_the_turn_before_the_post(scene: Scene) -> None:
    _kill_after_the_turn(scene, scene.emulator.faults.hold(CREATE, skip=1), loses=True)


def _after_the_turn_before_the_answer(scene: Scene) -> None:
    _kill_after_the_turn(scene, scene.emulator.faults.hold(CREATE, when="after", skip=1))


def _kill_after_the_turn(scene: Scene, hold: Hold, *, loses: bool = False) -> None:
    scene.stranger_runs()
    scene.start()
    if scene.defers:
        scene.wait_for_deferral(CLUSTER)
    else:
        wait_until(lambda: scene.emulator.count(CLUSTER) > 0, f"{scene.run_id} does not wait")
    scene.time_passes()
    _kill_at(scene, hold, loses=loses)


def _while_waiting_for_the_end(scene: Scene) -> None:
    hold = scene.emulator.faults.hold(LIST, skip=1)
    scene.takes_long()
    scene.start()
    _kill_at(scene, hold)
    scene.time_passes()


def _at_the_end(scene: Scene) -> None:
    """All is done and pushed; only Airflow has not heard of it."""
    scene.start(first_end="sleep")
    wait_until(lambda: scene.xcom("snapshot") is not None, f"{scene.run_id} does not end")
    scene.kill_task()


def _while_it_is_resumed(scene: Scene) -> None:
    """The snapshot has ended, and the process that is to report it is ended as soon as it is seen."""
    scene.takes_long()
    scene.start(first_end="sleep")
    scene.wait_for_deferral(LIST)
    scene.time_passes()
    scene.kill_task()


BOTH = {
    "before the POST": _before_the_post,
    "before the POST, which comes late": _before_the_post_which_comes_late,
    "before the answer": _before_the_answer,
    "after the answer": _after_the_answer,
    "after busy": _after_busy,
    "after the turn, before the POST": _after_the_turn_before_the_post,
    "after the turn, before the answer": _after_the_turn_before_the_answer,
    "after the end": _at_the_end,
}
KILLS = (
    *(Kill(when, mode, play) for mode in ("worker", "defer") for when, play in BOTH.items()),
    Kill("while waiting for the turn", "worker", _while_waiting_for_the_turn),
    Kill("while waiting for the end", "worker", _while_waiting_for_the_end),
    Kill("resumed after the end", "defer", _while_it_is_resumed),
)


def _play(stage: Stage, number: int, kill: Kill) -> Result:
    scene = stage.scene(f"{kill.mode}_adopt", f"kill-{number}")
    kill.play(scene)
    return _result(scene, kill)


def _result(scene: Scene, kill: Kill) -> Result:
    if scene.wait_for_end() != "success":
        print(scene.log())  # noqa: T201 - the only witness of a failure
    tries = scene.airflow.task_try(scene.dag_id, scene.run_id, "backup")
    return Result(kill, len(scene.snapshots()), scene.has_its_id(), tries)


def _told(version: str, results: Sequence[Result]) -> str:
    for kill, snapshots, has_id, _tries in results:
        ending = "id in XCom" if has_id else "NO id in XCom"
        print(f"{version} {kill.mode}, killed {kill.when}: {snapshots} snapshots, {ending}")  # noqa: T201 - to be seen
    n = len(results)
    one, with_id = sum(r.snapshots == 1 for r in results), sum(r.has_id for r in results)
    summary = f"kills {n}, one snapshot {one}/{n}, id in XCom {with_id}/{n}"
    print(f"{version}: {summary}")  # noqa: T201 - as above
    return summary


def test_a_killed_task_is_taken_up_by_its_retry(stage: Stage) -> None:
    """Ended at any step, a task process is followed by one retry, which ends with the one snapshot and its id."""
    results = all_at_once(lambda item: _play(stage, *item), enumerate(KILLS))

    n = len(KILLS)
    assert _told(stage.airflow.version, results) == f"kills {n}, one snapshot {n}/{n}, id in XCom {n}/{n}"
    # On a busy machine Airflow may count one end twice, which costs a try more.
    assert {result.kill.when: result.tries for result in results if result.tries < 2} == {}


def _second_triggerer(airflow: AirflowBench) -> Component:
    first = airflow.components["triggerer"]
    return airflow.components.setdefault("triggerer-2", Component("triggerer-2", first.argv, first.env, first.folder))


def test_a_killed_triggerer_is_replaced_by_another(stage: Stage) -> None:
    """While tasks wait for turn and end, one of two triggerers is killed; the other goes on, without a retry."""
    turn, end = stage.scene("defer_adopt", "takeover-turn"), stage.scene("defer_adopt", "takeover-end")
    turn.stranger_runs()
    end.takes_long()
    turn.start()
    end.start()
    turn.wait_for_deferral(CLUSTER)
    end.wait_for_deferral(LIST)

    _second_triggerer(stage.airflow).start()
    stage.airflow.stop("triggerer", signal.SIGKILL)
    before = turn.emulator.count(CLUSTER), end.emulator.count(LIST)
    wait_until(lambda: turn.emulator.count(CLUSTER) > before[0], "nobody waits for the turn")
    wait_until(lambda: end.emulator.count(LIST) > before[1], "nobody waits for the end")
    turn.time_passes()
    end.time_passes()

    results = [
        _result(turn, Kill("triggerer, while waiting for the turn", "defer", _after_busy)),
        _result(end, Kill("triggerer, while waiting for the end", "defer", _at_the_end)),
    ]
    assert _told(stage.airflow.version, results) == "kills 2, one snapshot 2/2, id in XCom 2/2"
    assert [result.tries for result in results] == [1, 1]
