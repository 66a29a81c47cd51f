"""Whatever a template renders to: a result or an error of ours, no strange host or path, and no secret shown."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import (
    CreateSnapshotOperator,
    DeleteSnapshotOperator,
    ListSnapshotsOperator,
    RestoreSnapshotOperator,
)
from airflow_css.protocol import wire
from airflow_css.protocol.errors import CssError
from airflow_css.sensors.snapshot import ClusterIdleSensor, SnapshotFreshnessSensor, SnapshotSensor
from tests.running import Outcome, TaskRun, run_task
from tests.security.detecting import PLANTED, is_ours, shown_by, strangers
from tests.sensors.playing import sensor_of
from tests.task_log import reading_the_log
from tests.world import World, new_world

CALLS = {call.name for call in wire.CALLS}
RESTORE_HERE = {"target_cluster_id": "same", "rename_pattern": "(.+)", "rename_replacement": "restored-$1"}
# Each with values that work, so that what is wrong with one is reached.
TASKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "create": (CreateSnapshotOperator, {}),
    "restore": (RestoreSnapshotOperator, {"snapshot_name": "orders-1", **RESTORE_HERE}),
    "delete": (DeleteSnapshotOperator, {"snapshot_name": "orders-1"}),
    "list": (ListSnapshotsOperator, {}),
    "prune": (PruneSnapshotsOperator, {"keep_last": 3}),
    "snapshot sensor": (SnapshotSensor, {"snapshot_name": "orders-1", "timeout": 0.01}),
    "idle sensor": (ClusterIdleSensor, {"timeout": 0.01}),
    "freshness sensor": (SnapshotFreshnessSensor, {"max_age": 30_000_000, "timeout": 0.01}),
}
# Left out is the brace alone: what it begins is the author's own program.
SIGNS = st.text(st.sampled_from("az-_.*:/@#?%\\[]\r\n \x00é,$|") | st.characters(exclude_characters="{"), max_size=12)
TRICKS = st.sampled_from(
    [
        "",
        "none",
        "../../../v3/projects",
        "4f3deec3-efa8-4598-bf91-560aad1377a3/index_snapshots?",
        "4f3deec3-efa8-4598-bf91-560aad1377a3%2f..",
        "4f3deec3-efa8-4598-bf91-560aad1377a3\n",
        "4f3deec3-efa8-4598-bf91-560aad1377a3#",
        "4f3deec3-efa8-4598-bf91-560aad1377a3\\..\\..",
        "@127.0.0.1:9/",
        "//127.0.0.1:9",
        "http://169.254.169.254/openstack/latest/securitykey",
        "x\r\nX-Security-Token: y",
        "css_default",
        "\ud800",
        "a" * 2_000,
    ]
)


@pytest.fixture(scope="module")
def lasting() -> Iterator[World]:
    """A world for many tasks: what one leaves the next one finds."""
    with new_world(
        secret_key=PLANTED, security_token=f"{PLANTED}-token", creation_takes=0.0, restore_takes=0.0
    ) as world:
        for number in range(3):
            world.emulator.add_snapshot(f"orders-{number}", takes=60)
        yield world


def _play(world: World, kind: Any, number: int, **parameters: Any) -> Outcome:
    world.connect()
    run = TaskRun(run_id=f"run-{number}")
    if hasattr(kind, "poke"):
        return run_task(sensor_of(world, kind, **parameters), run)
    return world.run(run, operator_class=kind, **parameters)


def _spoilt(data: st.DataObject, name: str) -> dict[str, Any]:
    kind, good = TASKS[name]
    drawn = data.draw(st.sets(st.sampled_from(sorted(kind.template_fields)), min_size=1, max_size=2))
    lists = st.lists(TRICKS | SIGNS, max_size=3)
    values = {
        field: data.draw(TRICKS | SIGNS | (lists if field in {"indices", "hold_ids"} else st.nothing()))
        for field in sorted(drawn)
    }
    return {**good, **values}


def _judge(world: World, contacts: list[tuple[str, Any]], name: str, parameters: dict[str, Any]) -> None:
    contacts.clear()
    before = len(world.emulator.requests)
    kind = TASKS[name][0]
    with reading_the_log() as log:
        try:
            outcome = _play(world, kind, before, **parameters)
        except CssError as error:
            # What is wrong already in the DAG file is said when it is parsed.
            outcome = Outcome("failed", error)
    assert outcome.error is None or is_ours(outcome.error), shown_by(outcome.error)
    assert strangers(contacts, world.emulator.url) == set()
    assert {seen.call for seen in world.emulator.requests[before:]} <= CALLS
    assert PLANTED not in shown_by(outcome.error, outcome.xcom, log.text)


SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.parametrize("name", TASKS)
@settings(max_examples=12, suppress_health_check=SHARED)
@given(data=st.data())
def test_a_rendered_value_leads_nowhere_else(
    lasting: World, contacts: list[tuple[str, Any]], name: str, data: st.DataObject
) -> None:
    """No value of a template field raises what is not ours, reaches another host or path, or shows a secret."""
    _judge(lasting, contacts, name, _spoilt(data, name))


@pytest.mark.heavy
@pytest.mark.parametrize("name", TASKS)
@settings(max_examples=120, suppress_health_check=SHARED)
@given(data=st.data())
def test_many_rendered_values_lead_nowhere_else(
    lasting: World, contacts: list[tuple[str, Any]], name: str, data: st.DataObject
) -> None:
    """The same holds for hundreds of each kind of task."""
    _judge(lasting, contacts, name, _spoilt(data, name))


@pytest.mark.parametrize("name", TASKS)
def test_the_values_that_are_not_spoilt_work(name: str, contacts: list[tuple[str, Any]]) -> None:
    """Each kind of task reaches the service with the values that the others are spoilt from."""
    with new_world(creation_takes=0.0, restore_takes=0.0) as world:
        world.emulator.add_snapshot("orders-1", takes=60)
        outcome = _play(world, TASKS[name][0], 0, **TASKS[name][1])
        assert outcome.state == "success", outcome
        assert strangers(contacts, "") != set()
        assert world.emulator.requests


def test_a_stranger_among_the_requests_would_be_seen(lasting: World, contacts: list[tuple[str, Any]]) -> None:
    """The judge notices another port of this machine, an error that is not ours, and a path that is no call."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        socket.create_connection(other.getsockname()).close()
        assert strangers(contacts, lasting.emulator.url) == {other.getsockname()}
    assert not is_ours(UnicodeEncodeError("utf-8", "", 0, 1, ""))
    assert not is_ours(ValueError("x"))
    assert "" not in CALLS
