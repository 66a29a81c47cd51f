"""The trigger that waits for a condition."""

from __future__ import annotations

import pytest

from airflow_css.protocol.conditions import Gone
from airflow_css.protocol.errors import CssReplyError, CssWaitTimeoutError
from airflow_css.protocol.events import MET
from airflow_css.triggers.condition import ConditionTrigger
from tests.triggers.waiting import CARRY, make_snapshot, wait_for
from tests.world import World


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
