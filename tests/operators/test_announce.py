"""What a create task says on its way: progress, expectation, warnings, hints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.running import TaskRun
from tests.task_log import TaskLog, reading_the_log
from tests.world import World, new_world

SLOT = "has held a worker slot"
DUE = "An automatic snapshot is due"
HINT = "This Airflow has no deployment name"


@pytest.fixture
def long_one() -> Iterator[World]:
    """A world in which a snapshot takes 14 minutes."""
    with new_world(creation_takes=840) as world:
        yield world


def _log(world: World, run: TaskRun | None = None, **parameters: Any) -> TaskLog:
    with reading_the_log() as log:
        world.run(run, **parameters)
    return log


def _learn(world: World, **parameters: Any) -> None:
    """Make two good snapshots, so that the usual duration is known."""
    for number in range(2):
        world.run(TaskRun(run_id=f"manual__learnt_{number}"), **parameters)


def test_each_change_is_one_line(long_one: World) -> None:
    """The creation, the state and the end are told once each, with the elapsed time."""
    log = _log(long_one)
    assert len(log.having("CSS makes the snapshot orders_etl-20261123t000000z-", "info")) == 1
    assert len(log.having(": BUILDING, 0 s.", "info")) == 1
    assert len(log.having(": COMPLETED, 14 min.", "info")) == 1


def test_a_known_duration_is_part_of_each_line(long_one: World) -> None:
    """Once two alike were made, every line says how long it usually takes."""
    _learn(long_one)
    log = _log(long_one)
    lines = [line.text for line in log.having("BUILDING", "info")]
    assert len(lines) > 2
    assert all(line.endswith("of about 14 min.") for line in lines)


def test_another_request_teaches_nothing(long_one: World) -> None:
    """Snapshots of other indices say nothing about this one's duration."""
    _learn(long_one, indices="customers")
    assert _log(long_one).having("of about") == []


def test_reminders_become_rare(long_one: World) -> None:
    """While nothing changes, the reminders double their distance, so that the log is not flooded."""
    reminders = _log(long_one).having("still BUILDING", "info")
    assert 4 <= len(reminders) <= 7


def test_a_held_worker_is_warned_of_once() -> None:
    """After ten minutes one warning says that a worker slot is held."""
    with new_world(creation_takes=7200) as world:
        (line,) = _log(world).having(SLOT, "warning")
    found = re.search(r"for (\d+) min", line.text)
    assert found is not None
    assert 10 <= int(found.group(1)) <= 11


def test_a_short_one_holds_no_worker_worth_a_word(world: World) -> None:
    """Below ten minutes nothing is said about the worker."""
    assert _log(world).having(SLOT) == []


def test_three_times_the_usual_is_warned_of_every_hour(world: World) -> None:
    """From three times the usual duration on a warning comes, and again each hour."""
    _learn(world)
    world.emulator.faults.fate("completed", takes=3 * 3600)
    lines = _log(world).having("more than 3 times the usual 5 min", "warning")
    assert len(lines) == 3
    assert "takes 15 min" in lines[0].text or "takes 16 min" in lines[0].text
    assert "takes 75 min" in lines[1].text or "takes 76 min" in lines[1].text or "77 min" in lines[1].text


def test_below_three_times_the_usual_nothing_is_warned_of(world: World) -> None:
    """A snapshot that takes twice as long as usual is no reason for a warning."""
    _learn(world)
    world.emulator.faults.fate("completed", takes=590)
    assert _log(world).having("times the usual") == []


def test_a_missing_deployment_name_is_hinted_at(world: World) -> None:
    """Without a deployment name one line says what could happen and where to set it."""
    (line,) = _log(world).having(HINT)
    assert "set the extra 'deployment' of the connection, or [airflow_css] deployment" in line.text


def test_a_deployment_name_ends_the_hint(world: World) -> None:
    """With a deployment name nothing is said."""
    world.connect(deployment="prod")
    assert _log(world).having(HINT) == []


@pytest.mark.parametrize(
    ("minutes_before", "takes", "is_warned"),
    [(4, 300, True), (7, 300, False), (13, 840, True), (20, 840, False)],
)
def test_an_automatic_snapshot_due_meanwhile_is_warned_of(
    minutes_before: int, takes: float, *, is_warned: bool
) -> None:
    """The policy's next snapshot is warned of exactly when it falls into the expected duration."""
    with new_world(creation_takes=takes) as world:
        _learn(world)
        due = world.clock.now() + timedelta(minutes=minutes_before)
        world.emulator.policy(period=f"{due:%H:%M} GMT+00:00")
        lines = _log(world).having(DUE, "warning")
    # The policy knows whole minutes only, so the moment is up to one earlier.
    assert bool(lines) is is_warned
    if lines:
        assert f"{due:%Y-%m-%d %H:%M} UTC" in lines[0].text
        assert "CSS cancels the automatic one. Start this task at another time, or move the policy's." in lines[0].text


@pytest.mark.parametrize(("minutes_before", "is_warned"), [(40, True), (90, False)])
def test_without_a_known_duration_an_hour_is_assumed(world: World, minutes_before: int, *, is_warned: bool) -> None:
    """A first snapshot is expected to take an hour."""
    due = world.clock.now() + timedelta(minutes=minutes_before)
    world.emulator.policy(period=f"{due:%H:%M} GMT+00:00")
    assert bool(_log(world).having(DUE)) is is_warned


def test_a_policy_that_is_off_is_no_reason(world: World) -> None:
    """A policy that is off is not warned of."""
    due = world.clock.now() + timedelta(minutes=3)
    world.emulator.policy(period=f"{due:%H:%M} GMT+00:00", enabled=False)
    assert _log(world).having(DUE) == []


@pytest.mark.parametrize("status", [403, 401, 404, 500, 0])
def test_a_policy_that_cannot_be_read_is_no_reason_to_fail(world: World, status: int) -> None:
    """Keys that may create need not be allowed to read the policy: nothing is warned of, and the task goes on."""
    if status:
        world.emulator.faults.answer(status, call="get_snapshot_policy", times=None)
    else:
        world.emulator.faults.drop(call="get_snapshot_policy", times=None)
    with reading_the_log() as log:
        assert world.run().state == "success"
    assert log.having("", "warning") == []
    assert world.emulator.count("get_snapshot_policy") == 1


def test_an_adopted_one_is_told_as_such(world: World) -> None:
    """A retry says that the snapshot is there already, and asks for no policy."""
    made = world.run(retries=1)
    asked = world.emulator.count("get_snapshot_policy")
    log = _log(world, TaskRun(try_number=2), retries=1)
    assert log.having(f"({made.xcom['backup_id']}) of this task is there already and is used", "info")
    assert world.emulator.count("get_snapshot_policy") == asked


def test_one_from_before_a_clear_is_warned_of_with_its_age(world: World) -> None:
    """After a clear the snapshot of before is used with a warning: its age, and how to have another one."""
    world.run()
    world.clock.sleep(2 * 3600)
    (line,) = _log(world, TaskRun(try_number=2, max_tries=1)).having("before this task was cleared", "warning")
    assert "its age is 2 h" in line.text
    assert "Set on_existing='new' to have another one" in line.text
