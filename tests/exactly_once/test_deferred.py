"""The tables of faults and lives, once more with tasks that wait in the triggerer."""

from __future__ import annotations

import os

import pytest

from tests.exactly_once.tables import has_its_id, identity, made_by, print_table
from tests.exactly_once.test_faults_table import (
    CREATE,
    LOOKS,
    MOST_TRIES,
    NAME,
    Row,
    _await_all_answers,
    _broken,
    _busy,
    _look_rows,
    _lost_answers,
    _odd_successes,
    _server_errors,
    _taken_names,
    _throttled,
)
from tests.exactly_once.test_lives import LINES, ON_EXISTING, ORDINALS, RETRIES, Line
from tests.running import TaskRun
from tests.world import DeferringWorld, new_world

# Where "busy" contradicts what the cluster shows, the worker notices it with a look of its own; a deferred task learns
# it from its trigger, and has sent the next creation by then.
DIFFERENT = {
    "409 busy 11 times: cluster idle": "success 12 1",
    "202 busy 11 times: cluster idle": "success 12 1",
}


def _play(row: Row) -> tuple[str, list[str]]:
    seen: list[str] = []
    with new_world(kind=DeferringWorld, **row.options) as world:
        row.script(world)
        for number in range(row.first_try, MOST_TRIES + 1):
            outcome = world.run(TaskRun(try_number=number), snapshot_name=NAME, retries=MOST_TRIES)
            _await_all_answers(world)
            ours = made_by(identity(), world)
            seen.append(f"{outcome.state} {world.emulator.count(CREATE)} {len(ours)}")
            if outcome.state != "up_for_retry":
                break
            os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json()
        return ", ".join(seen), _broken(row, outcome, has_its_id(outcome, ours), len(ours))


def _check(rows: list[Row]) -> None:
    results = [(row, *_play(row)) for row in rows]
    print_table(("what happens", "each try: state, POSTs, snapshots"), [(row.what, seen) for row, seen, _ in results])
    expected = {row.what: DIFFERENT.get(row.what, row.expected) for row in rows}
    assert not [line for *_, broken in results for line in broken]
    assert not [(row.what, seen, expected[row.what]) for row, seen, _ in results if seen != expected[row.what]]


def test_a_fault_of_the_creation_leaves_one_snapshot() -> None:
    """Whatever answers the creation of a deferrable task, it comes to the same as in a worker."""
    rows = [*_lost_answers(), *_server_errors(), *_odd_successes(), *_busy(), *_throttled(), *_taken_names()]
    # The other server errors take the path of a 500, and each repeats its pauses.
    _check([row for row in rows if not row.what.startswith(("502,", "502 4", "503", "504"))])


@pytest.mark.heavy
def test_a_fault_of_the_look_leaves_one_snapshot() -> None:
    """A list that fails, in worker or trigger, never leads to a second snapshot."""
    _check([row for what, (fault, expected) in LOOKS.items() for row in _look_rows(what, fault, expected)])


def _live(line: Line, on_existing: str) -> str:
    with new_world(kind=DeferringWorld) as world:
        line.before(world, on_existing)
        outcome = world.run(line.again, retries=RETRIES, on_existing=on_existing)
        ids = [snapshot.id for snapshot in made_by(identity(), world)]
        pushed = outcome.xcom.get("return_value")
        return f"{outcome.state} {len(ids)} {ORDINALS[ids.index(pushed)] if pushed in ids else '-'}"


def test_each_life_ends_with_the_snapshot_that_on_existing_says() -> None:
    """A deferrable task's lives are those of a task that waits in a worker."""
    seen = {line.what: tuple(_live(line, word) for word in ON_EXISTING) for line in LINES}
    print_table(("state, snapshots, id of the", *ON_EXISTING), [(what, *texts) for what, texts in seen.items()])
    assert seen == {line.what: line.expected for line in LINES}
