"""Snapshots that end badly, and the next try: it passes over them, makes one more, and leaves the old ones alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_css.emulator.entries import Ending
from tests.exactly_once.tables import identity, made_by, print_table
from tests.running import TaskRun
from tests.world import World, new_world

NAME = "before-the-load"


@dataclass(frozen=True)
class Line:
    """
    How the first snapshot ends, and what must come of two tries.

    ``expected`` holds what is there in the end, as name and status, and the state of the first try.
    """

    ending: Ending
    state: str
    expected: tuple[str, ...]
    life: int = 0


LINES = (
    Line("failed", "up_for_retry", (f"{NAME} FAILED", f"{NAME}-2 COMPLETED")),
    Line("part_failed", "up_for_retry", (f"{NAME} PART_FAILED", f"{NAME}-2 COMPLETED")),
    # Nothing but its going tells that it was there, so its name is free.
    Line("vanish", "up_for_retry", (f"{NAME} COMPLETED",)),
    # An empty one fails at once: only a clear leads to another try.
    Line("empty", "failed", (f"{NAME} COMPLETED", f"{NAME}-2 COMPLETED"), life=1),
    Line("failed", "up_for_retry", (f"{NAME} FAILED", f"{NAME}-2 COMPLETED"), life=1),
    Line("part_failed", "up_for_retry", (f"{NAME} PART_FAILED", f"{NAME}-2 COMPLETED"), life=1),
)


def _names(world: World) -> tuple[str, ...]:
    return tuple(f"{snapshot.name} {snapshot.status_word}" for snapshot in made_by(identity(), world))


def _play(line: Line) -> tuple[str, tuple[str, ...], bool]:
    with new_world() as world:
        world.emulator.faults.fate(line.ending)
        first = world.run(snapshot_name=NAME, retries=1)
        again = TaskRun(try_number=2, max_tries=1 + line.life)
        second = world.run(again, snapshot_name=NAME, retries=1)
        made = made_by(identity(), world)
        is_its_id = second.state == "success" and second.xcom["return_value"] == made[-1].id
        return first.state, _names(world), is_its_id and made[-1].is_good


def test_the_next_try_makes_one_more_and_leaves_the_old_one() -> None:
    """After a bad ending the next try or life makes exactly one more, and what ended badly is still there."""
    seen = [(line, *_play(line)) for line in LINES]
    print_table(
        ("first ends", "cleared", "first try", "in the end", "last one's id in XCom"),
        [(line.ending, bool(line.life), state, ", ".join(names), id_too) for line, state, names, id_too in seen],
    )
    assert [(state, names, id_too) for _, state, names, id_too in seen] == [
        (line.state, line.expected, True) for line in LINES
    ]


def test_each_try_makes_at_most_one_more(world: World) -> None:
    """Three bad endings in a row: three tries make one each, the fourth makes the good one, numbered in their order."""
    for ending in ("failed", "part_failed", "failed"):
        world.emulator.faults.fate(ending)
    for number in range(1, 5):
        outcome = world.run(TaskRun(try_number=number), snapshot_name=NAME, retries=5)
        assert len(made_by(identity(), world)) == number
        assert world.emulator.count("create_snapshot") == number

    assert outcome.state == "success"
    assert _names(world) == (
        f"{NAME} FAILED",
        f"{NAME}-2 PART_FAILED",
        f"{NAME}-3 FAILED",
        f"{NAME}-4 COMPLETED",
    )


def test_a_partial_one_is_enough_for_who_allows_it(world: World) -> None:
    """With ``allow_partial`` the second try adopts what the first one refused."""
    world.emulator.faults.fate("part_failed")
    assert world.run(snapshot_name=NAME, retries=1).state == "up_for_retry"
    outcome = world.run(TaskRun(try_number=2), snapshot_name=NAME, retries=1, allow_partial=True)

    (snapshot,) = made_by(identity(), world)
    assert outcome.xcom["return_value"] == snapshot.id


def test_a_name_of_full_length_still_gets_a_sibling(world: World) -> None:
    """A sibling of a name of 64 characters is legal, differs from it, and is found by the next try."""
    world.emulator.faults.fate("failed")
    world.run(snapshot_name="x" * 64, retries=3)
    world.emulator.faults.drop(call="create_snapshot", when="after")
    outcome = world.run(TaskRun(try_number=2), snapshot_name="x" * 64, retries=3)

    old, new = made_by(identity(), world)
    assert (old.name, old.status_word) == ("x" * 64, "FAILED")
    assert outcome.xcom["return_value"] == new.id
    assert len(new.name) <= 64


def _bad_at_once(world: World, **match: Any) -> None:
    """Let the next snapshot end badly before anybody can look, and lose the answer."""
    world.emulator.faults.fate("failed", takes=0)
    world.emulator.faults.drop(call="create_snapshot", when="after", **match)


def test_a_lost_answer_and_a_bad_ending_in_one(world: World) -> None:
    """When a lost creation turns out to have failed already, this try makes one more, and that one is good."""
    _bad_at_once(world)
    outcome = world.run(snapshot_name=NAME, retries=1)

    assert outcome.state == "success"
    assert _names(world) == (f"{NAME} FAILED", f"{NAME}-2 COMPLETED")


def test_a_try_does_not_go_on_making_what_fails(world: World) -> None:
    """When the one more fails as well before its answer came, this try ends: one more is made once per try."""
    for _ in range(3):
        _bad_at_once(world)
    first = world.run(snapshot_name=NAME, retries=1)
    assert first.state == "up_for_retry"
    assert _names(world) == (f"{NAME} FAILED", f"{NAME}-2 FAILED")
