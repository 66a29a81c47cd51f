"""
Real processes, ended by SIGKILL at known points: the next try ends with the one snapshot and its id in XCom.

The emulator holds a request before or after its effect, and the process that sent it is ended there. Everything runs
on the clock of this machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.holds import Hold
from tests.exactly_once.player import Play, Player

CREATE, LIST, POLICY, CLUSTER = "create_snapshot", "list_snapshots", "get_snapshot_policy", "get_cluster"
CREATION_TAKES = 1.0
STRANGER_TAKES = 600.0
# Enough to keep two cores busy: most of the time is waiting.
AT_ONCE = 12


@dataclass
class Scene:
    """
    A cluster of its own, and what happens on it.

    :param emulator: The service.
    :param is_blind: Whether the control plays.
    """

    emulator: CssEmulator
    is_blind: bool

    def play(self, try_number: int, **parameters: Any) -> Player:
        """Return the process that plays a try."""
        return Player(Play(try_number, self.emulator.connection_json(), parameters, self.is_blind))

    def kill_at(self, hold: Hold, try_number: int = 1, *, after: Callable[[], None] = lambda: None) -> None:
        """Play a try until it is held, end its process, and let the request get lost or go on."""
        with self.play(try_number) as player:
            hold.wait_until_reached()
            player.kill()
        after()
        hold.release()

    def stranger_runs(self) -> None:
        """Keep the cluster busy until ``stranger_is_nearly_done``."""
        self.emulator.add_snapshot("of-a-stranger", status="BUILDING", takes=STRANGER_TAKES)

    def stranger_is_nearly_done(self) -> None:
        """Let the cluster become free in two seconds, however long the processes took so far."""
        self.emulator.clock.advance(STRANGER_TAKES - 2)


class Result(NamedTuple):
    """What came of one scene."""

    what: str
    kills: int
    snapshots: int
    has_id: bool


Kill = Callable[[Scene], int]
"""Ends one or more tries, and returns how many."""


def _before_the_effect(scene: Scene) -> int:
    hold = scene.emulator.faults.hold(CREATE)
    scene.kill_at(hold, after=hold.lose)
    return 1


def _before_the_effect_which_comes_late(scene: Scene) -> int:
    scene.kill_at(scene.emulator.faults.hold(CREATE))
    return 1


def _after_the_effect(scene: Scene) -> int:
    scene.kill_at(scene.emulator.faults.hold(CREATE, when="after"))
    return 1


def _after_the_effect_and_found_ended(scene: Scene) -> int:
    hold = scene.emulator.faults.hold(CREATE, when="after")
    scene.kill_at(hold, after=lambda: time.sleep(CREATION_TAKES + 0.2))
    return 1


def _after_the_answer(scene: Scene) -> int:
    scene.kill_at(scene.emulator.faults.hold(POLICY))
    return 1


def _after_busy(scene: Scene) -> int:
    scene.stranger_runs()
    scene.kill_at(scene.emulator.faults.hold(LIST), after=scene.stranger_is_nearly_done)
    return 1


def _while_waiting_for_the_turn(scene: Scene) -> int:
    scene.stranger_runs()
    scene.kill_at(scene.emulator.faults.hold(CLUSTER), after=scene.stranger_is_nearly_done)
    return 1


def _after_the_turn(scene: Scene) -> int:
    scene.stranger_runs()
    waits, made = scene.emulator.faults.hold(CLUSTER), scene.emulator.faults.hold(CREATE, when="after", skip=1)
    with scene.play(1) as player:
        waits.wait_until_reached()
        waits.release()
        scene.stranger_is_nearly_done()
        made.wait_until_reached()
        player.kill()
    made.release()
    return 1


def _while_waiting_for_the_end(scene: Scene) -> int:
    scene.kill_at(scene.emulator.faults.hold(LIST, skip=1))
    return 1


def _in_the_look_after_a_lost_answer(scene: Scene) -> int:
    scene.emulator.faults.drop(call=CREATE, when="after")
    scene.kill_at(scene.emulator.faults.hold(LIST))
    return 1


def _in_the_look_of_the_second_try_too(scene: Scene) -> int:
    scene.kill_at(scene.emulator.faults.hold(CREATE, when="after"))
    scene.kill_at(scene.emulator.faults.hold(LIST), try_number=2)
    return 2


def _twice_before_the_effect(scene: Scene) -> int:
    for number in (1, 2):
        hold = scene.emulator.faults.hold(CREATE)
        scene.kill_at(hold, try_number=number, after=hold.lose)
    return 2


KILLS: dict[str, Kill] = {
    "before the effect": _before_the_effect,
    "before the effect, which comes late": _before_the_effect_which_comes_late,
    "after the effect, before the answer": _after_the_effect,
    "after the effect; found ended": _after_the_effect_and_found_ended,
    "after the answer": _after_the_answer,
    "after busy": _after_busy,
    "while waiting for the turn": _while_waiting_for_the_turn,
    "after the turn, before the answer": _after_the_turn,
    "while waiting for the end": _while_waiting_for_the_end,
    "in the look after a lost answer": _in_the_look_after_a_lost_answer,
    "in the look of the second try too": _in_the_look_of_the_second_try_too,
    "twice before the effect": _twice_before_the_effect,
}


def _strangers(emulator: CssEmulator) -> set[str]:
    return {snapshot.id for snapshot in emulator.snapshots() if snapshot.mark is None}


def _run(what: str, kill: Kill, *, is_blind: bool) -> Result:
    with CssEmulator(creation_takes=CREATION_TAKES) as emulator:
        scene = Scene(emulator, is_blind)
        kills = kill(scene)
        with scene.play(kills + 1) as player:
            answer = player.result()
        ids = {snapshot.id for snapshot in emulator.snapshots()} - _strangers(emulator)
        pushed = {answer.get("return_value"), answer.get("backup_id")}
        return Result(what, kills, len(ids), answer.get("state") == "success" and pushed <= ids and len(pushed) == 1)


def _run_all(kills: Iterable[tuple[str, Kill]], *, is_blind: bool) -> list[Result]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda item: _run(*item, is_blind=is_blind), kills))


def _told(results: Sequence[Result]) -> str:
    """Print what came of each scene, and return the summary."""
    for result in results:
        ending = "id in XCom" if result.has_id else "NO id in XCom"
        print(f"killed {result.what}: {result.snapshots} snapshots, {ending}")  # noqa: T201 - meant to be seen
    n = len(results)
    one, id_too = sum(r.snapshots == 1 for r in results), sum(r.has_id for r in results)
    summary = f"kills {sum(r.kills for r in results)}, one snapshot {one}/{n}, id in XCom {id_too}/{n}"
    print(summary)  # noqa: T201 - as above
    return summary


def test_a_killed_try_is_taken_up_by_the_next() -> None:
    """Ended at any step, and played again, a task leaves exactly one snapshot and its id in XCom."""
    results = _run_all(KILLS.items(), is_blind=False)
    n = len(KILLS)
    assert _told(results) == f"kills {n + 2}, one snapshot {n}/{n}, id in XCom {n}/{n}"


# Where the control has a request to be held at: it never asks for the list after a creation that failed.
SEEN_BY_THE_BLIND = (
    "before the effect",
    "after the effect, before the answer",
    "after the answer",
    "while waiting for the turn",
    "while waiting for the end",
)


def test_without_the_look_there_are_two() -> None:
    """A control that creates without looking leaves more than one snapshot: so the look is what keeps the promise."""
    results = _run_all([(what, KILLS[what]) for what in SEEN_BY_THE_BLIND], is_blind=True)
    _told(results)
    assert {result.what: result.snapshots for result in results} == {
        "before the effect": 1,
        "after the effect, before the answer": 2,
        "after the answer": 2,
        "while waiting for the turn": 1,
        "while waiting for the end": 2,
    }


def test_a_creation_that_arrives_between_look_and_creation_is_adopted() -> None:
    """The killed try's request takes effect after the second try has looked: CSS is busy, and the look finds it."""
    with CssEmulator(creation_takes=CREATION_TAKES) as emulator:
        scene = Scene(emulator, is_blind=False)
        late, second = emulator.faults.hold(CREATE), emulator.faults.hold(CREATE)
        with scene.play(1) as player:
            late.wait_until_reached()
            player.kill()
        with scene.play(2) as player:
            second.wait_until_reached()
            late.release()
            _until(lambda: len(emulator.snapshots()) == 1)
            second.release()
            answer = player.result()
        (snapshot,) = emulator.snapshots()
        assert (answer["state"], answer["return_value"]) == ("success", snapshot.id)
        assert emulator.count(CREATE) == 2


def test_a_creation_that_arrives_after_the_next_one_is_refused() -> None:
    """The killed try's request takes effect after the second try's: CSS is busy or knows the name, so it is nothing."""
    with CssEmulator(creation_takes=CREATION_TAKES) as emulator:
        scene = Scene(emulator, is_blind=False)
        late = emulator.faults.hold(CREATE)
        with scene.play(1) as player:
            late.wait_until_reached()
            player.kill()
        with scene.play(2) as player:
            answer = player.result()
        late.release()
        _until(lambda: all(seen.status is not None for seen in emulator.requests))
        (snapshot,) = emulator.snapshots()
        assert (answer["state"], answer["return_value"]) == ("success", snapshot.id)
        assert [seen.status for seen in emulator.requests if seen.call == CREATE] == [409, 201]


def _until(is_so: Callable[[], bool], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _at_any_moment(chance: random.Random) -> Kill:
    """Two tries, each ended at a moment that nothing announces, on a cluster that is busy or not."""

    def kill(scene: Scene) -> int:
        if chance.random() < 0.5:
            scene.stranger_runs()
            scene.stranger_is_nearly_done()
        for number in (1, 2):
            with scene.play(number) as player:
                time.sleep(chance.uniform(0.0, 2.5))
                player.kill()
        return 2

    return kill


@pytest.mark.heavy
def test_a_kill_at_any_moment_is_taken_up() -> None:
    """Two tries ended at random moments, a hundred times over, leave one snapshot and its id each."""
    kills = [(f"at random, seed {seed}", _at_any_moment(random.Random(seed))) for seed in range(100)]  # noqa: S311 - no secret
    results = _run_all(kills, is_blind=False)
    assert _told(results) == "kills 200, one snapshot 100/100, id in XCom 100/100"
