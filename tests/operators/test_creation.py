"""One try from start to end: what is pushed and when, killing, and going on without waiting."""

from __future__ import annotations

import json
import threading
from typing import Any, Self

import pytest

from airflow_css.emulator.holds import Hold
from tests.running import TaskRun
from tests.task_log import reading_the_log
from tests.world import World

PUSHED = {"backup_id", "snapshot_name", "cluster_id", "snapshot", "return_value"}
FACTS = {
    "id",
    "name",
    "status",
    "indices",
    "total_shards",
    "failed_shards",
    "bucket",
    "started_at",
    "ended_at",
    "duration_seconds",
}


def _is_plain(value: Any) -> bool:
    """Return whether a value consists of JSON's own types and no subclass of them."""
    if type(value) is dict:
        return all(type(key) is str and _is_plain(part) for key, part in value.items())
    if type(value) is list:
        return all(_is_plain(part) for part in value)
    return type(value) in {str, int, float, bool, type(None)}


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "not waiting"])
def test_what_is_pushed_is_plain_json(world: World, *, waits: bool) -> None:
    """Everything in XCom is of JSON's own types, so that every XCom backend and every reader takes it."""
    outcome = world.run(wait_for_completion=waits)
    assert set(outcome.xcom) == PUSHED
    assert set(outcome.xcom["snapshot"]) == FACTS
    assert _is_plain(outcome.xcom)
    assert json.loads(json.dumps(outcome.xcom)) == outcome.xcom


def test_an_adopted_one_is_pushed_like_a_new_one(world: World) -> None:
    """A retry pushes the same values as the try that made the snapshot."""
    first = world.run(retries=1)
    second = world.run(TaskRun(try_number=2), retries=1)
    assert second.xcom == first.xcom
    assert _is_plain(second.xcom)


def test_moments_are_in_utc_and_say_so(world: World) -> None:
    """Moments are ISO 8601 with their zone, and the duration lies between them."""
    facts = world.run().xcom["snapshot"]
    assert facts["started_at"].endswith("+00:00")
    assert facts["ended_at"].endswith("+00:00")
    assert facts["duration_seconds"] == 300


def test_without_waiting_the_task_ends_when_css_has_accepted(world: World) -> None:
    """Without waiting nothing is looked at after the creation, and the snapshot is shown as being made."""
    outcome = world.run(wait_for_completion=False)
    assert outcome.state == "success"
    assert outcome.xcom["snapshot"]["status"] == "BUILDING"
    assert outcome.xcom["snapshot"]["ended_at"] is None
    assert world.emulator.count("list_snapshots") == 0
    assert world.clock.slept == []


def test_without_waiting_the_turn_is_awaited_all_the_same(world: World) -> None:
    """Not waiting for the end does not mean giving up the turn."""
    world.emulator.add_snapshot("strangers", status="BUILDING")
    assert world.run(wait_for_completion=False).state == "success"
    assert world.emulator.count("create_snapshot") == 2


def test_the_ids_are_there_when_the_wait_fails(world: World) -> None:
    """A task that fails while it waits has pushed the ids already, and no facts."""
    world.emulator.faults.fate("failed")
    outcome = world.run(retries=1)
    assert outcome.state == "up_for_retry"
    assert outcome.xcom["backup_id"] == world.emulator.snapshots()[0].id
    assert set(outcome.xcom) == {"backup_id", "snapshot_name", "cluster_id"}


def test_hold_is_part_of_the_mark(world: World) -> None:
    """A held snapshot's description says so to whoever prunes, and a retry without ``hold`` adopts it still."""
    first = world.run(hold=True, retries=1)
    (snapshot,) = world.emulator.snapshots()
    assert snapshot.description.endswith(" 0 hold]")
    assert snapshot.mark is not None
    assert snapshot.mark.hold
    assert world.run(TaskRun(try_number=2), retries=1).xcom["backup_id"] == first.xcom["backup_id"]


class Killer:
    """Kills the running task while a request is held, from another thread, and lets the request go on."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._running: list[Any] = []
        self._thread = threading.Thread(target=self._kill)

    def name_it(self, context: Any, jinja_env: Any) -> str:  # noqa: ARG002 - Airflow passes both
        """Name the snapshot, and learn which object runs: Airflow 3 runs a copy of the task."""
        self._running.append(context["task"])
        return "nightly"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.join()

    def _kill(self) -> None:
        self._hold.wait_until_reached()
        self._running[-1].on_kill()
        self._hold.release()


@pytest.mark.parametrize("call", ["get_snapshot_policy", "list_snapshots"])
def test_killing_while_the_snapshot_is_made_leaves_it_alone(world: World, call: str) -> None:
    """A kill after the creation was answered deletes nothing and tells the id, which the next try adopts."""
    with reading_the_log() as log, Killer(world.emulator.faults.hold(call)) as killer:
        outcome = world.run(retries=1, snapshot_name=killer.name_it)
    (line,) = log.having("Killed.", "warning")
    (snapshot,) = world.emulator.snapshots()
    assert line.text.endswith(f"({snapshot.id}) is left alone; the next try adopts it.")
    assert world.emulator.count("delete_snapshot") == 0
    assert world.run(TaskRun(try_number=2), retries=1).xcom["backup_id"] == outcome.xcom["backup_id"] == snapshot.id


def test_killing_before_there_is_a_snapshot_says_nothing(world: World) -> None:
    """A kill before the creation was answered knows of no snapshot, and says nothing that might be wrong."""
    with reading_the_log() as log, Killer(world.emulator.faults.hold("create_snapshot")) as killer:
        world.operator().on_kill()
        world.run(snapshot_name=killer.name_it)
    assert log.having("Killed.") == []
