"""Waiting in the worker for a condition."""

from __future__ import annotations

import logging

import pytest

from airflow_css.protocol.conditions import Gone, Wait
from airflow_css.protocol.errors import CssWaitTimeoutError
from airflow_css.tasks.awaiting import await_in_worker
from tests.triggers.waiting import make_snapshot
from tests.world import World

LOG = logging.getLogger(__name__)


def _wait(world: World, snapshot_id: str, seconds: float) -> Wait:
    now = world.clock.now().timestamp()
    return Wait(Gone([snapshot_id]), now, now + seconds)


def test_it_returns_when_the_condition_is_met(world: World) -> None:
    """A snapshot that is deleted after 100 seconds is noticed soon after, over a failed look."""
    snapshot_id = make_snapshot(world, takes=10)
    cluster_id = world.emulator.cluster_id
    world.clock.at(50, lambda: world.emulator.faults.html(call="list_snapshots"))
    world.clock.at(100, lambda: world.client.delete_snapshot(cluster_id, snapshot_id))
    began = world.clock.now()
    found = await_in_worker(world.hook_class("css_default"), cluster_id, _wait(world, snapshot_id, 600), LOG)
    assert found == {"snapshot_ids": [snapshot_id]}
    assert 100 <= (world.clock.now() - began).total_seconds() <= 113


def test_it_gives_up_in_time(world: World) -> None:
    """At the deadline the wait ends with what is still there."""
    snapshot_id = make_snapshot(world, takes=10)
    hook = world.hook_class("css_default")
    with pytest.raises(CssWaitTimeoutError, match="still listed: orders-1"):
        await_in_worker(hook, world.emulator.cluster_id, _wait(world, snapshot_id, 60), LOG)
