"""The last line of a failed task: where everything stands, for whoever reads it at night."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from airflow_css.protocol.errors import CssServerError
from tests.marked import add_marked
from tests.running import Outcome, TaskRun
from tests.task_log import TaskLog, reading_the_log
from tests.world import World

LINE = re.compile(
    r"Cluster: (?P<cluster>.+)\. Snapshot: (?P<snapshot>.+)\. Run: (?P<run>.+)\. Newest good backup: (?P<newest>.+)\."
)


def _fail(world: World, run: TaskRun | None = None, **parameters: Any) -> tuple[Outcome, TaskLog, dict[str, str]]:
    """Play a try that fails, and return its log and what the last line says."""
    with reading_the_log() as log:
        outcome = world.run(run, **{"retries": 1, **parameters})
    assert outcome.error is not None
    found = LINE.fullmatch(log[-1].text)
    assert found is not None, log.text
    assert log[-1].level == "error"
    assert len(log.having("Newest good backup")) == 1
    return outcome, log, found.groupdict()


def _refuse(status: int) -> Callable[[World], None]:
    return lambda world: world.emulator.faults.answer(status, call="create_snapshot", times=None)


FAILURES: dict[str, tuple[Callable[[World], object], dict[str, Any]]] = {
    "refused": (_refuse(400), {}),
    "server error": (_refuse(500), {}),
    "throttled": (lambda world: world.emulator.faults.throttle(call="create_snapshot", times=None), {}),
    "lost": (lambda world: world.emulator.faults.drop(call="create_snapshot", times=None), {}),
    "busy": (lambda world: world.emulator.add_snapshot("strangers", status="BUILDING"), {"turn_timeout": 0}),
    "turn": (lambda world: world.emulator.change_cluster(actions=("GROWING",)), {"turn_timeout": 10}),
    "function off": (lambda world: world.emulator.change_cluster(snapshot_function=False), {}),
    "taken": (lambda world: world.emulator.add_snapshot("nightly"), {"snapshot_name": "nightly"}),
    "quota": (lambda world: world.emulator.change_cluster(quota=1), {}),
}


@pytest.mark.parametrize(("spoil", "parameters"), FAILURES.values(), ids=FAILURES)
def test_every_failure_before_the_snapshot_ends_with_the_line(
    world: World, spoil: Callable[[World], object], parameters: dict[str, Any]
) -> None:
    """A task that made no snapshot says so, and names cluster, run and the newest good backup."""
    before = world.emulator.add_snapshot("last-night")
    world.clock.sleep(7200)
    spoil(world)
    _, _, line = _fail(world, **parameters)
    assert line["cluster"] == f"search-dev ({world.emulator.cluster_id})"
    assert line["snapshot"] == "none that this try knows of"
    assert line["run"] == "orders_etl/backup manual__2026-11-23"
    assert "UTC" in line["newest"]
    if not parameters.get("snapshot_name"):
        assert line["newest"].startswith("last-night, ")
        assert line["newest"].partition(", holds ")[0].endswith(f"old, id {before}")
        assert "2 h" in line["newest"]


def test_a_damaged_state_is_not_the_newest_good_backup(world: World) -> None:
    """After a rollback the line names what one can go back to, not what the rollback has just undone."""
    add_marked(world, "last-night", 1)
    add_marked(world, "damaged-orders", 0, damaged=True)
    world.emulator.faults.answer(400, call="create_snapshot", times=None)
    _, _, line = _fail(world)
    assert line["newest"].startswith("last-night, ")


ENDINGS: dict[str, dict[str, Any]] = {
    "failed": {},
    "part_failed": {},
    "empty": {},
    "vanish": {},
    "stuck": {"timeout": 50},
}


@pytest.mark.parametrize(("ending", "parameters"), ENDINGS.items(), ids=ENDINGS)
def test_every_bad_end_is_told_with_its_snapshot(world: World, ending: Any, parameters: dict[str, Any]) -> None:
    """A task whose snapshot ended badly names that snapshot, and no backup when there is none."""
    world.emulator.faults.fate(ending)
    outcome, _, line = _fail(world, **parameters)
    assert line["snapshot"] == f"{outcome.xcom['snapshot_name']} ({outcome.xcom['backup_id']})"
    assert line["newest"] == "none"


def test_a_mapped_instance_is_named_with_its_index(world: World) -> None:
    """The run in the line carries deployment and map index."""
    world.connect(deployment="prod")
    world.emulator.faults.answer(400, call="create_snapshot")
    _, _, line = _fail(world, TaskRun(map_index=7))
    assert line["run"] == "prod/orders_etl/backup manual__2026-11-23 7"


def test_the_newest_good_one_is_named_and_no_other(world: World) -> None:
    """Failed, partial and running ones are passed over, and of the good ones the newest counts."""
    world.emulator.add_snapshot("oldest")
    world.clock.sleep(600)
    newest = world.emulator.add_snapshot("newest")
    world.clock.sleep(600)
    world.emulator.add_snapshot("bad", status="FAILED")
    world.emulator.add_snapshot("half", status="PART_FAILED", failed_shards=1)
    world.emulator.add_snapshot("shards", failed_shards=1)
    world.emulator.add_snapshot("nothing", indices="no-such-index")
    world.emulator.add_snapshot("now", status="BUILDING")
    _, _, line = _fail(world, turn_timeout=0)
    assert line["newest"].partition(", holds ")[0].endswith(f"id {newest}")


@pytest.mark.parametrize("call", ["get_cluster", "list_snapshots"])
@pytest.mark.parametrize("status", [0, 401, 403, 500])
def test_a_failing_look_never_hides_the_first_error(world: World, call: str, status: int) -> None:
    """When the look for the line fails as well, the task still ends with what went wrong first."""
    if status:
        world.emulator.faults.answer(status, call=call, times=None)
    else:
        world.emulator.faults.drop(call=call, times=None)
    world.emulator.faults.answer(400, "CSS.0001", message="the first error", call="create_snapshot")
    outcome, _, line = _fail(world)
    assert "the first error" in str(outcome.error)
    assert line["newest"] == "could not be looked up"
    assert world.emulator.cluster_id in line["cluster"]
    assert world.emulator.count(call) == 1


def test_refused_keys_are_not_asked_with(world: World) -> None:
    """After a refusal of the keys nothing is looked up."""
    world.emulator.faults.answer(401, "APIGW.0301", times=None)
    _, _, line = _fail(world)
    assert line["newest"] == "not looked up"
    assert line["cluster"] == world.emulator.cluster_id
    assert len(world.emulator.requests) == 1


def test_a_mistake_in_the_dag_costs_no_look(world: World) -> None:
    """A mistake that was found before anything was sent is told without asking CSS."""
    _, _, line = _fail(world, timeout=-1)
    assert line["cluster"] == "not known"
    assert line["newest"] == "not looked up"
    assert world.emulator.requests == ()


def test_a_success_has_no_such_line(world: World) -> None:
    """A task that succeeds says nothing of the kind."""
    with reading_the_log() as log:
        world.run()
    assert log.having("Newest good backup") == []
    assert log.having("", "error") == []


def test_a_failure_that_a_retry_may_cure_is_raised_as_it_is(world: World) -> None:
    """What a retry may cure reaches Airflow as the error of the client, unwrapped."""
    world.emulator.faults.answer(500, call="create_snapshot", times=None)
    outcome, _, _ = _fail(world)
    assert outcome.state == "up_for_retry"
    assert type(outcome.error) is CssServerError
