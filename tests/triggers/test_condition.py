"""The trigger that waits for a condition."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_css.protocol.conditions import Gone
from airflow_css.protocol.errors import CssReplyError, CssWaitTimeoutError
from airflow_css.protocol.events import MET
from airflow_css.protocol.known_conditions import read_condition
from airflow_css.triggers.condition import ConditionTrigger
from tests.triggers.waiting import CARRY, make_snapshot, wait_for
from tests.world import World

VECTORS = Path(__file__).parents[1] / "vectors" / "triggers"
KINDS = ("cluster_idle", "snapshot_fresh", "snapshot_gone", "snapshot_good", "snapshot_restored")


def _trigger(world: World, condition: object, *, timeout: float = 600.0) -> ConditionTrigger:
    now = world.clock.now().timestamp()
    kind = type("ConditionTrigger", (ConditionTrigger,), {"hook_class": world.hook_class})
    trigger: ConditionTrigger = kind(
        css_conn_id="css_default",
        cluster_id=world.emulator.cluster_id,
        condition=condition,
        asked_at=now,
        deadline=now + timeout,
        carry=CARRY,
    )
    return trigger


def test_it_ends_when_the_snapshot_is_gone(world: World) -> None:
    """A snapshot that is deleted after 100 seconds ends the wait soon after."""
    snapshot_id = make_snapshot(world, takes=10)
    world.clock.at(100, lambda: world.client.delete_snapshot(world.emulator.cluster_id, snapshot_id))
    arrival = wait_for(world, _trigger(world, Gone([snapshot_id]).as_json()))
    assert arrival.event == {"outcome": MET, "found": {"snapshot_ids": [snapshot_id]}}
    assert 100 <= arrival.at <= 100 * 1.1 + 3


def test_it_gives_up_in_time_and_says_what_is_left(world: World) -> None:
    """A snapshot that stays ends the wait at the deadline, with its name."""
    snapshot_id = make_snapshot(world, takes=10)
    arrival = wait_for(world, _trigger(world, Gone([snapshot_id]).as_json(), timeout=300))
    assert isinstance(arrival.error, CssWaitTimeoutError)
    assert f"still listed: orders-1 ({snapshot_id})" in str(arrival.error)
    assert 300 <= arrival.at <= 301


@pytest.mark.parametrize("condition", [{}, {"kind": "unheard of"}, {"kind": "gone", "more": 1}], ids=str)
def test_a_condition_of_another_version_ends_in_an_event(world: World, condition: object) -> None:
    """What cannot be read ends in an error that says what to do, not in silence."""
    error = wait_for(world, _trigger(world, condition)).error
    assert isinstance(error, CssReplyError)
    assert "restart the triggerer" in str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_sensor_wrote_can_be_read_by_any_later_version(kind: str) -> None:
    """There is a vector of each kind, with all that this version writes, and its condition is read as written."""
    vector = json.loads((VECTORS / f"condition_{kind}_0_1_0.json").read_text())
    assert vector["classpath"] == f"{ConditionTrigger.__module__}.{ConditionTrigger.__name__}"
    for written in (vector["kwargs"]["condition"], vector["kwargs"]["carry"]["condition"]):
        assert read_condition(written).as_json() == written
    assert ConditionTrigger(**vector["kwargs"]).serialize() == (vector["classpath"], vector["kwargs"])
