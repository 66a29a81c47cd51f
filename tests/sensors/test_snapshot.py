"""The sensors, in every mode: what they wait for, how they fail, and what they leave behind."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_css.protocol.errors import (
    CssConfigError,
    CssNotFoundError,
    CssSnapshotFailedError,
    CssStateError,
    CssTransportError,
    CssUsageError,
)
from airflow_css.sensors.snapshot import ClusterIdleSensor, SnapshotFreshnessSensor, SnapshotSensor
from tests.running import run_task
from tests.sensors.playing import MODES, play, sensor_of
from tests.task_log import reading_the_log
from tests.triggers.waiting import make_snapshot
from tests.world import World

UNKNOWN = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
# Where Airflow's own sensor counts the time it is real, so it must be short.
SHORT = {"poke": 0.05, "reschedule": 0.0, "deferred": 500}

in_every_mode = pytest.mark.parametrize("way", MODES)


def _seconds(world: World, began: Any) -> float:
    return float((world.clock.now() - began).total_seconds())


@in_every_mode
def test_a_good_snapshot_is_waited_for_and_given(world: World, way: str) -> None:
    """The facts of the snapshot are the value of the task, once it has ended well."""
    snapshot_id, began = make_snapshot(world, takes=300), world.clock.now()
    outcome = play(world, SnapshotSensor, way=way, snapshot_id=snapshot_id)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["id"] == snapshot_id
    assert outcome.xcom["return_value"] == world.emulator.snapshots()[0].as_json()
    assert 300 <= _seconds(world, began) <= 361


@in_every_mode
def test_a_name_may_come_later(world: World, way: str) -> None:
    """A name that nobody has yet is waited for, in its legal form."""
    world.clock.at(200, lambda: world.emulator.add_snapshot("orders-1"))
    with reading_the_log() as log:
        outcome = play(world, SnapshotSensor, way=way, snapshot_name="Orders 1")
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["name"] == "orders-1"
    assert log.having("No snapshot has the name 'Orders 1'; 'orders-1' is looked for.", "info")


@in_every_mode
@pytest.mark.parametrize("ending", ["failed", "part_failed", "empty"])
def test_a_bad_snapshot_fails_the_task_at_once(world: World, way: str, ending: str) -> None:
    """What will never be good is not waited for, is not retried, and the last line says where everything stands."""
    snapshot_id = make_snapshot(world, ending=ending, takes=10)
    world.emulator.add_snapshot("good-one")
    began = world.clock.now()
    with reading_the_log() as log:
        outcome = play(world, SnapshotSensor, way=way, snapshot_id=snapshot_id, retries=3)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssSnapshotFailedError)
    assert _seconds(world, began) <= 61
    assert log[-1].level == "error"
    assert f"Snapshot: orders-1 ({snapshot_id})" in log[-1].text
    assert "Newest good backup: good-one" in log[-1].text


@pytest.mark.parametrize("way", ["poke", "deferred"])
def test_an_id_that_stays_absent_is_a_mistake(world: World, way: str) -> None:
    """It is given up in time that no list needs to settle, with what may be the cause."""
    began = world.clock.now()
    outcome = play(world, SnapshotSensor, way=way, snapshot_id=UNKNOWN, poke_interval=5)
    assert outcome.state == "failed"
    assert isinstance(outcome.error.__cause__ if outcome.error else None, CssNotFoundError)
    assert 40 <= _seconds(world, began) <= 60


def test_in_reschedule_mode_an_absent_id_is_waited_for(world: World) -> None:
    """Each poke is another process there, so the time-out ends it and says what was missing."""
    outcome = play(world, SnapshotSensor, way="poke", snapshot_id=UNKNOWN, timeout=0.05, poke_interval=0)
    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert f"no snapshot {UNKNOWN} is listed" in str(outcome.error)


@in_every_mode
def test_an_unknown_word_is_waited_for_with_one_warning(world: World, way: str) -> None:
    """A word that CSS may add later ends nothing; it is told as a warning, once in each process."""
    snapshot_id = world.emulator.add_snapshot("orders-1", status="POLISHING")
    with reading_the_log() as log:
        outcome = play(world, SnapshotSensor, way=way, snapshot_id=snapshot_id, timeout=SHORT[way], poke_interval=10)
    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert "is POLISHING, a word that is not known" in str(outcome.error)
    if way == "poke":
        assert len(log.having("POLISHING, a word that is not known", "warning")) == 1


@in_every_mode
@pytest.mark.parametrize(("word", "state"), [("success", "success"), ("failed", "failed")])
def test_the_end_of_a_restore_is_seen(world: World, way: str, word: str, state: str) -> None:
    """Its last word decides, also when it is an old one."""
    snapshot_id = world.emulator.add_snapshot("orders-1", restore_status=word)
    outcome = play(world, SnapshotSensor, way=way, snapshot_id=snapshot_id, expect="restored")
    assert outcome.state == state
    if state == "success":
        assert outcome.xcom["return_value"]["restore_status"] == "success"
    else:
        assert "latest restore of the snapshot orders-1" in str(outcome.error)


@in_every_mode
@pytest.mark.parametrize("word", ["none", "restoring"])
def test_a_restore_that_has_not_ended_is_waited_for(world: World, way: str, word: str) -> None:
    """The time-out says how far it is."""
    snapshot_id = world.emulator.add_snapshot("orders-1", restore_status=word)
    outcome = play(world, SnapshotSensor, way=way, snapshot_id=snapshot_id, expect="restored", timeout=SHORT[way])
    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert f"has the restore status {word}" in str(outcome.error)


@in_every_mode
@pytest.mark.parametrize("by", ["id", "name"])
def test_gone_is_gone(world: World, way: str, by: str) -> None:
    """The sensor ends once the snapshot is not listed any more, whichever way it was named."""
    snapshot_id = world.emulator.add_snapshot("orders-1")
    world.clock.at(100, lambda: world.client.delete_snapshot(world.emulator.cluster_id, snapshot_id))
    named = {"snapshot_id": snapshot_id} if by == "id" else {"snapshot_name": "orders-1"}
    outcome = play(world, SnapshotSensor, way=way, expect="gone", **named)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["snapshot_id" if by == "id" else "snapshot_name"] in {snapshot_id, "orders-1"}
    assert world.emulator.snapshots() == ()


@in_every_mode
def test_an_idle_cluster_ends_the_wait(world: World, way: str) -> None:
    """A running snapshot is waited for; whether new ones could be made does not matter."""
    world.emulator.add_snapshot("orders-1", status="BUILDING", takes=100)
    world.emulator.change_cluster(snapshot_function=False)
    outcome = play(world, ClusterIdleSensor, way=way)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"] == {
        "cluster_id": world.emulator.cluster_id,
        "cluster_name": "search-dev",
        "status": "200",
    }
    assert world.emulator.snapshots()[0].status == "COMPLETED"


@in_every_mode
@pytest.mark.parametrize("status", ["300", "303"])
def test_a_cluster_that_is_down_fails_the_task_at_once(world: World, way: str, status: str) -> None:
    """Waiting would be pointless, and so would a retry."""
    world.emulator.change_cluster(status=status)
    outcome = play(world, ClusterIdleSensor, way=way, retries=1)
    assert outcome.state == "failed"
    assert isinstance(outcome.error.__cause__ if outcome.error else None, CssStateError)


@in_every_mode
def test_a_time_out_is_the_one_of_airflow_s_sensors(world: World, way: str) -> None:
    """It says what was still missing, is not retried, and comes no later than asked for."""
    world.emulator.change_cluster(actions=("GROWING",))
    began = world.clock.now()
    outcome = play(world, ClusterIdleSensor, way=way, timeout=SHORT[way], poke_interval=0, retries=2)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert "is GROWING" in str(outcome.error)
    if way == "deferred":
        assert 500 <= _seconds(world, began) <= 501


def test_airflow_s_own_time_out_comes_only_if_the_trigger_is_silent(world: World) -> None:
    """The deferral ends 300 seconds after the deadline that the trigger keeps."""
    world.emulator.change_cluster(actions=("GROWING",))
    deferral = run_task(sensor_of(world, ClusterIdleSensor, way="deferred", timeout=600)).deferral
    assert deferral is not None
    assert deferral.timeout == pytest.approx(900, abs=1)
    assert deferral.arguments["deadline"] == pytest.approx(world.clock.now().timestamp() + 600, abs=1)


FAILURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "final": (SnapshotSensor, {"snapshot_name": "bad-one"}),
    "late": (SnapshotSensor, {"snapshot_name": "never-made"}),
    "stale": (SnapshotFreshnessSensor, {"max_age": 60, "name_prefix": "never"}),
    "usage": (SnapshotSensor, {"snapshot_name": "?"}),
}


@in_every_mode
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("option", ["soft_fail", "never_fail"])
def test_a_failure_becomes_a_skip_where_the_user_wants_it(world: World, way: str, failure: str, option: str) -> None:
    """Both options skip what no retry can cure, in every mode, and the log still says what went wrong."""
    if (failure, option, way) in {("late", "never_fail", "poke"), ("late", "never_fail", "reschedule")}:
        pytest.skip("Airflow's own sensors fail then")
    world.emulator.add_snapshot("bad-one", status="FAILED")
    kind, parameters = FAILURES[failure]
    if failure == "late":
        parameters = {**parameters, "timeout": SHORT[way], "poke_interval": 0}
    with reading_the_log() as log:
        outcome = play(world, kind, way=way, **parameters, **{option: True})
    assert outcome.state == "skipped"
    assert log.having("Skipped instead of failed: ", "warning")
    assert not log.having("Newest good backup")


@pytest.mark.parametrize("way", ["poke", "deferred"])
@pytest.mark.parametrize(("option", "state"), [("soft_fail", "up_for_retry"), ("never_fail", "skipped")])
def test_what_a_retry_may_cure_is_skipped_only_if_nothing_may_fail(
    world: World, way: str, option: str, state: str
) -> None:
    """As with Airflow's own sensors, ``soft_fail`` leaves a passing trouble to the retry."""
    world.emulator.faults.drop(call="list_snapshots", times=None)
    outcome = play(world, SnapshotSensor, way=way, snapshot_name="orders-1", retries=1, **{option: True})
    assert outcome.state == state
    if state == "up_for_retry":
        assert isinstance(outcome.error, CssTransportError)
    assert world.emulator.count("list_snapshots") >= 11


BAD: dict[str, tuple[Any, dict[str, Any]]] = {
    "no snapshot": (SnapshotSensor, {}),
    "two": (SnapshotSensor, {"snapshot_id": UNKNOWN, "snapshot_name": "orders-1"}),
    "a name for an id": (SnapshotSensor, {"snapshot_id": "orders-1"}),
    "nothing rendered": (SnapshotSensor, {"snapshot_name": "{{ '' }}"}),
    "an odd expectation": (SnapshotSensor, {"snapshot_name": "orders-1", "expect": "better"}),
    "no age": (SnapshotFreshnessSensor, {"max_age": 0}),
    "an odd age": (SnapshotFreshnessSensor, {"max_age": "1 day"}),
    "an odd scope": (SnapshotFreshnessSensor, {"max_age": 60, "scope": "mine"}),
    "an odd kind": (SnapshotFreshnessSensor, {"max_age": 60, "kind": "weekly"}),
    "an impossible prefix": (SnapshotFreshnessSensor, {"max_age": 60, "name_prefix": "2026"}),
    "both clusters": (ClusterIdleSensor, {"cluster_id": UNKNOWN, "cluster_name": "search-dev"}),
    "no connection": (ClusterIdleSensor, {"css_conn_id": "{{ '' }}"}),
}


@pytest.mark.parametrize("way", ["poke", "deferred"])
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_before_anything_is_sent(world: World, way: str, case: str) -> None:
    """The message names the value, the rule and a legal value, and no retry repeats it."""
    kind, parameters = BAD[case]
    outcome = play(world, kind, way=way, retries=1, **parameters)
    assert outcome.state == "failed"
    assert isinstance(outcome.error.__cause__ if outcome.error else None, CssUsageError)
    assert "For example: " in str(outcome.error)
    assert world.emulator.requests == ()


def test_a_cluster_that_does_not_exist_is_named(world: World) -> None:
    """A wrong cluster name fails with the names that are there."""
    outcome = play(world, ClusterIdleSensor, cluster_name="search-prod")
    assert isinstance(outcome.error.__cause__ if outcome.error else None, CssConfigError)
    assert "Visible are: search-dev" in str(outcome.error)
