"""The lives of a task instance: which snapshot a retry, a clear or a run made anew ends with, by ``on_existing``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from airflow_css.protocol.errors import CssConflictError
from tests.exactly_once.tables import identity, made_by, print_table
from tests.running import Outcome, TaskRun
from tests.task_log import reading_the_log
from tests.world import World, new_world

RETRIES = 1
ON_EXISTING = ("adopt", "new", "fail")


@dataclass(frozen=True)
class Line:
    """
    One way to run again, and what must come of it.

    ``before`` plays what came first. ``again`` is the try that is judged. ``expected`` holds, for each value of
    ``on_existing``, the state, the number of snapshots, and which one the id in XCom belongs to.
    """

    what: str
    before: Callable[[World, str], None]
    again: TaskRun
    expected: tuple[str, str, str]


def _try(number: int, *, life: int = 0, retries: int = RETRIES) -> TaskRun:
    return TaskRun(try_number=number, max_tries=retries + life)


def _succeed(world: World, on_existing: str) -> None:
    assert world.run(_try(1), retries=RETRIES, on_existing=on_existing).state == "success"


def _lose_the_answer(world: World, on_existing: str) -> None:
    """A try that ends without an answer, and without a list that could tell what happened."""
    world.emulator.faults.drop(call="create_snapshot", when="after")
    world.emulator.faults.answer(500, call="list_snapshots", times=5)
    assert world.run(_try(1), retries=RETRIES, on_existing=on_existing).state == "up_for_retry"


def _fail_for_good(world: World, on_existing: str) -> None:
    """Two tries that give up waiting: the snapshot itself ends well later."""
    for number in (1, 2):
        world.run(_try(number), retries=RETRIES, on_existing=on_existing, timeout=100)
    world.clock.sleep(400)


def _clear_and_lose_the_answer(world: World, on_existing: str) -> None:
    _succeed(world, on_existing)
    world.emulator.faults.drop(call="create_snapshot", when="after")
    world.emulator.faults.answer(500, call="list_snapshots", times=5, skip=1)
    world.run(_try(2, life=1), retries=RETRIES, on_existing=on_existing)
    world.emulator.faults.clear()


def _run_twice(world: World, on_existing: str) -> None:
    _succeed(world, on_existing)
    world.run(_try(2, life=1), retries=RETRIES, on_existing=on_existing)


def _clear_another_task(world: World, on_existing: str) -> None:
    _lose_the_answer(world, on_existing)
    for run in (_try(1), _try(2, life=1)):
        world.clock.sleep(400)
        world.run(run, task_id="another", retries=RETRIES, on_existing="adopt")


SAME = ("success 1 first",) * 3
LINES = (
    Line("retry", _lose_the_answer, _try(2), SAME),
    Line("clear after success", _succeed, _try(2, life=1), ("success 1 first", "success 2 second", "failed 1 -")),
    Line("clear after failure", _fail_for_good, _try(3, life=2), ("success 1 first", "success 2 second", "failed 1 -")),
    # Airflow runs it again as a retry, also when no retry was left; nothing is added to the limit.
    Line("clear while running", _lose_the_answer, _try(3), SAME),
    Line("run made again", _succeed, _try(1), ("success 1 first", "success 2 second", "failed 1 -")),
    Line("run made again, running", _lose_the_answer, _try(1), SAME),
    Line("another task cleared", _clear_another_task, _try(2), SAME),
    Line(
        "retry after a clear",
        _clear_and_lose_the_answer,
        _try(3, life=1),
        ("success 1 first", "success 2 second", "failed 1 -"),
    ),
    Line("clear again", _run_twice, _try(3, life=2), ("success 1 first", "success 3 third", "failed 1 -")),
)
ORDINALS = ("first", "second", "third")


def _play(line: Line, on_existing: str) -> tuple[str, Outcome]:
    with new_world() as world:
        line.before(world, on_existing)
        outcome = world.run(line.again, retries=RETRIES, on_existing=on_existing)
        ids = [snapshot.id for snapshot in made_by(identity(), world)]
        pushed = outcome.xcom.get("return_value")
        which = ORDINALS[ids.index(pushed)] if pushed in ids else "-"
        return f"{outcome.state} {len(ids)} {which}", outcome


def test_each_life_ends_with_the_snapshot_that_on_existing_says() -> None:
    """A retry keeps its snapshot whatever ``on_existing`` says; a new life adopts, makes another, or fails at once."""
    seen = {line.what: [_play(line, word) for word in ON_EXISTING] for line in LINES}
    print_table(
        ("state, snapshots, id of the", *ON_EXISTING),
        [(what, *(text for text, _ in results)) for what, results in seen.items()],
    )
    assert {what: tuple(text for text, _ in results) for what, results in seen.items()} == {
        line.what: line.expected for line in LINES
    }
    failed = [outcome.error for results in seen.values() for _, outcome in results if outcome.state == "failed"]
    assert failed
    assert all(error is not None and isinstance(error.__cause__, CssConflictError) for error in failed)


@pytest.mark.parametrize("again", [_try(2, life=1), _try(1)], ids=["clear", "run made again"])
def test_an_adopted_one_of_an_earlier_life_is_told_with_its_age(world: World, again: TaskRun) -> None:
    """Who gets a snapshot that was made before this life is warned, and told how old it is."""
    _succeed(world, "adopt")
    world.clock.sleep(7200)
    with reading_the_log() as log:
        assert world.run(again, retries=RETRIES).state == "success"
    (line,) = log.having("made before", "warning")
    assert "2 h" in line.text


def test_a_retry_adopts_without_a_warning(world: World) -> None:
    """A snapshot of the same life is no surprise."""
    _lose_the_answer(world, "adopt")
    with reading_the_log() as log:
        assert world.run(_try(2), retries=RETRIES).state == "success"
    assert log.having("is there already", "info")
    assert not log.having("made before")


@pytest.mark.parametrize(("on_existing", "number"), [("adopt", 1), ("new", 2)])
def test_a_run_made_again_makes_no_third(on_existing: str, number: int) -> None:
    """When the answer about a second snapshot is lost, and it has ended before the look, it is found all the same."""
    with new_world(creation_takes=0) as world:
        _succeed(world, on_existing)
        world.emulator.faults.drop(call="create_snapshot", when="after", skip=1)
        outcome = world.run(_try(1), retries=RETRIES, on_existing=on_existing)
        made = made_by(identity(), world)
        assert len(made) == number
        assert outcome.xcom["return_value"] == made[-1].id


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_run_made_again_on_a_busy_cluster_makes_a_new_one(world: World, *, deferrable: bool) -> None:
    """What the deleted run left is remembered over the wait for the turn: ``new`` makes another snapshot."""
    _succeed(world, "new")
    world.emulator.add_snapshot("of-a-stranger", status="BUILDING")
    outcome = world.play(_try(1), retries=RETRIES, on_existing="new", deferrable=deferrable)
    assert outcome.state == "success"
    old, new = sorted(made_by(identity(), world), key=lambda snapshot: snapshot.name)
    assert new.name == f"{old.name}-2"
    assert outcome.xcom["return_value"] == new.id


@pytest.mark.parametrize(("on_existing", "state"), [("adopt", "success"), ("fail", "failed")])
def test_a_run_made_again_on_a_busy_cluster(world: World, on_existing: str, state: str) -> None:
    """When the first creation of a run made again meets "busy", what the deleted run left is of an earlier life."""
    _succeed(world, on_existing)
    world.emulator.add_snapshot("of-a-stranger", status="BUILDING")
    with reading_the_log() as log:
        outcome = world.run(_try(1), retries=RETRIES, on_existing=on_existing)
    assert outcome.state == state
    assert bool(log.having("made before", "warning")) is (on_existing == "adopt")
    assert len(made_by(identity(), world)) == 1


@pytest.mark.parametrize("life", [0, 1, 7, 40])
@pytest.mark.parametrize("retries", [0, 3])
def test_a_life_is_told_by_the_tries_that_airflow_added(world: World, life: int, retries: int) -> None:
    """What a clear added to the limit of tries is the life in the mark, with and without retries."""
    assert world.run(_try(life + 1, life=life, retries=retries), retries=retries).state == "success"
    (snapshot,) = made_by(identity(), world)
    assert snapshot.mark is not None
    assert snapshot.mark.life == life


def test_two_deployments_with_the_same_ids_make_two_snapshots(world: World) -> None:
    """The same task instance in another Airflow neither adopts nor refuses the snapshot of the first."""
    outcomes = []
    for deployment in ("production", "development"):
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json(deployment=deployment)
        outcomes.append(world.run())

    assert [outcome.state for outcome in outcomes] == ["success", "success"]
    ids = [outcome.xcom["return_value"] for outcome in outcomes]
    assert ids[0] != ids[1]
    made = [made_by(identity(deployment=deployment), world) for deployment in ("production", "development")]
    assert [[snapshot.id for snapshot in snapshots] for snapshots in made] == [[ids[0]], [ids[1]]]


def test_a_second_try_in_another_deployment_does_not_adopt(world: World) -> None:
    """Looking first, as a second try does, finds the snapshot of another Airflow and leaves it to that one."""
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json(deployment="production")
    first = world.run()
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json(deployment="development")
    second = world.run(_try(2), retries=RETRIES)

    assert second.state == "success"
    assert second.xcom["return_value"] != first.xcom["return_value"]
    assert len(world.emulator.snapshots()) == 2
