"""What every sensor survives, what it does not, and what its waiting costs."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.protocol.errors import CssAuthError, CssReplyError
from airflow_css.sensors.snapshot import ClusterIdleSensor, SnapshotFreshnessSensor, SnapshotSensor
from tests.running import Outcome, resume_task, run_task
from tests.sensors.playing import MODES, play, sensor_of
from tests.task_log import reading_the_log
from tests.triggers.waiting import make_snapshot
from tests.virtual_time import run_in_virtual_time
from tests.world import World, event_of, new_world

in_every_mode = pytest.mark.parametrize("way", MODES)
NEEDED: dict[Any, dict[str, Any]] = {
    SnapshotSensor: {"snapshot_name": "orders-1"},
    SnapshotFreshnessSensor: {"max_age": 3600},
}
FAULTS: dict[str, Callable[[Any], object]] = {
    "429": lambda faults: faults.throttle(call="list_snapshots", times=3),
    "429 with Retry-After": lambda faults: faults.throttle(retry_after=3, call="list_snapshots", times=3),
    "500": lambda faults: faults.answer(500, "CSS.0005", call="list_snapshots", times=3),
    "502 page": lambda faults: faults.html(502, call="list_snapshots", times=3),
    "503": lambda faults: faults.answer(503, call="list_snapshots", times=3),
    "dropped": lambda faults: faults.drop(call="list_snapshots", times=3),
    "truncated": lambda faults: faults.truncate(call="list_snapshots", times=3),
    "no JSON": lambda faults: faults.not_json(call="list_snapshots", times=3),
}


@in_every_mode
@pytest.mark.parametrize("fault", FAULTS)
def test_a_few_bad_moments_are_survived(world: World, way: str, fault: str) -> None:
    """Looks without an answer are forgiven, with a warning each, and the wait goes on."""
    snapshot_id = make_snapshot(world, takes=100)
    FAULTS[fault](world.emulator.faults)
    with reading_the_log() as log:
        outcome = play(world, SnapshotSensor, way=way, snapshot_id=snapshot_id)
    assert outcome.state == "success"
    assert log.having("Look 1 in a row without an answer", "warning")


@pytest.mark.parametrize("fault", FAULTS)
def test_the_one_look_of_the_freshness_sensor_is_repeated(world: World, fault: str) -> None:
    """Where no other look follows, the client itself asks again."""
    world.emulator.add_snapshot("orders-1")
    FAULTS[fault](world.emulator.faults)
    outcome = play(world, SnapshotFreshnessSensor, max_age=3600, retries=1)
    is_answer = fault == "no JSON"
    assert outcome.state == ("up_for_retry" if is_answer else "success")
    assert isinstance(outcome.error, CssReplyError) is is_answer


@pytest.mark.parametrize("way", ["poke", "deferred"])
def test_too_many_bad_moments_end_the_wait(world: World, way: str) -> None:
    """After ten in a row the error goes up, and a retry may cure it."""
    world.emulator.faults.drop(call="list_snapshots", times=None)
    outcome = play(world, SnapshotSensor, way=way, snapshot_name="orders-1", retries=1)
    assert outcome.state == "up_for_retry"
    assert world.emulator.count("list_snapshots") <= 14


_worlds = itertools.count()


@pytest.fixture
def own_keys() -> Iterator[World]:
    """A world with keys of its own, since a process remembers which ones were refused."""
    with new_world(access_key=f"sensing-{next(_worlds)}") as world:
        yield world


@in_every_mode
@pytest.mark.parametrize("sensor", [SnapshotSensor, ClusterIdleSensor, SnapshotFreshnessSensor])
def test_refused_keys_fail_at_once(own_keys: World, way: str, sensor: Any) -> None:
    """No retry, and no more than two requests with keys that CSS refused."""
    parameters = NEEDED.get(sensor, {})
    own_keys.emulator.faults.answer(401, "APIGW.0301", times=None)
    outcome = play(own_keys, sensor, way=way, retries=3, **parameters)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssAuthError)
    assert 1 <= len(own_keys.emulator.requests) <= 2


@pytest.mark.parametrize("way", ["poke", "deferred"])
@pytest.mark.parametrize("skip", [0, 1, 2, 3])
def test_from_whatever_look_on_keys_are_refused_two_requests_are_the_most(own_keys: World, way: str, skip: int) -> None:
    """Worker and triggerer are two processes, each of which may send two."""
    own_keys.emulator.faults.answer(401, "APIGW.0301", times=None, skip=skip)
    outcome = play(own_keys, SnapshotSensor, way=way, snapshot_name="orders-1", retries=3)
    assert outcome.state == "failed"
    assert sum(seen.status == 401 for seen in own_keys.emulator.requests) <= (2 if way == "poke" else 4)


@in_every_mode
def test_other_keys_of_the_connection_are_used_from_there_on(own_keys: World, way: str) -> None:
    """A rotation of the keys in the middle of a wait ends nothing."""
    snapshot_id = make_snapshot(own_keys, takes=300)

    def rotate() -> None:
        own_keys.emulator.change_keys("new-access", "new-secret")
        own_keys.connect()

    own_keys.clock.at(100, rotate)
    outcome = play(own_keys, SnapshotSensor, way=way, snapshot_id=snapshot_id)
    assert outcome.state == "success"
    assert sum(seen.status == 401 for seen in own_keys.emulator.requests) <= 1


def _deferred(world: World, sensor: Any, number: int, **parameters: Any) -> list[Outcome]:
    outcomes = [run_task(sensor_of(world, sensor, way="deferred", **parameters)) for _ in range(number)]
    assert {outcome.state for outcome in outcomes} == {"deferred"}
    return outcomes


def _polls(number: int) -> int:
    """How many lists the triggerer asks for while that many sensors wait for one snapshot."""
    with new_world() as world:
        snapshot_id = make_snapshot(world, takes=600)
        outcomes = _deferred(world, SnapshotSensor, number, snapshot_id=snapshot_id, poke_interval=30)
        before = world.emulator.count("list_snapshots")

        async def main() -> list[Any]:
            triggers = [world.trigger(outcome.deferral) for outcome in outcomes if outcome.deferral]
            return await asyncio.gather(*(event_of(trigger) for trigger in triggers))

        events = run_in_virtual_time(world.clock, main)
        assert {event["outcome"] for event in events} == {"met"}
        return world.emulator.count("list_snapshots") - before


def test_many_sensors_of_a_cluster_cost_one_poll() -> None:
    """Thirty deferred sensors make about as many calls as one does, since all hear of each look."""
    alone, many = _polls(1), _polls(30)
    assert 10 <= alone <= 30
    assert many <= alone * 1.5


def test_a_resumed_sensor_reads_no_template_field(world: World) -> None:
    """It goes on with what the event carries, whatever its templates render to by then."""
    snapshot_id = make_snapshot(world, takes=60)
    (outcome,) = _deferred(world, SnapshotSensor, 1, snapshot_id=snapshot_id)
    deferral = outcome.deferral
    assert deferral is not None
    event = run_in_virtual_time(world.clock, lambda: event_of(world.trigger(deferral)))
    other = sensor_of(world, SnapshotSensor, way="deferred", snapshot_name="{{ '' }}", css_conn_id="gone")
    resumed = resume_task(other, None, outcome, event)
    assert resumed.state == "success"
    assert resumed.xcom["return_value"]["id"] == snapshot_id


def _spoil(event: dict[str, Any]) -> list[Any]:
    carry = event["carry"]
    return [
        None,
        "met",
        {},
        {**event, "outcome": "done"},
        {**event, "found": None},
        {**event, "carry": None},
        {**event, "carry": {**carry, "condition": {"kind": "unheard of"}}},
        {**event, "carry": {**carry, "deadline": "soon"}},
    ]


@pytest.mark.parametrize("place", range(8))
def test_an_event_that_cannot_be_read_is_no_success(world: World, place: int) -> None:
    """What another version may send ends in an error that says what to do, and that a retry may cure."""
    snapshot_id = make_snapshot(world, takes=60)
    (outcome,) = _deferred(world, SnapshotSensor, 1, snapshot_id=snapshot_id, retries=1)
    deferral = outcome.deferral
    assert deferral is not None
    event = run_in_virtual_time(world.clock, lambda: event_of(world.trigger(deferral)))
    spoilt = json.loads(json.dumps(_spoil(event)[place]))
    resumed = resume_task(
        sensor_of(world, SnapshotSensor, way="deferred", snapshot_id=snapshot_id, retries=1), None, outcome, spoilt
    )
    assert resumed.state == "up_for_retry"
    assert isinstance(resumed.error, CssReplyError)
    assert "restart the triggerer" in str(resumed.error)


@pytest.mark.parametrize("sensor", [SnapshotSensor, ClusterIdleSensor, SnapshotFreshnessSensor])
def test_a_sensor_can_be_mapped(world: World, sensor: Any) -> None:
    """Each mapped instance waits for its own cluster; one that was rendered to nothing is a mistake."""
    from airflow.providers.common.compat.sdk import DAG

    world.emulator.add_snapshot("orders-1")
    with DAG("mapped", schedule=None):
        mapped = sensor.partial(task_id="wait", **NEEDED.get(sensor, {})).expand(cluster_name=["search-dev", None])
    arguments: Any = [{"cluster_name": name} for name in ("search-dev", None)]
    good, bad = (run_task(mapped.unmap(a)) for a in arguments)
    assert good.state == "success"
    assert bad.state == "failed"
    assert "rendered to nothing" in str(bad.error)
