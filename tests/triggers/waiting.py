"""Triggers that wait in virtual time: what they send, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_css.protocol.errors import CssError
from airflow_css.protocol.events import read_error
from airflow_css.triggers.css import ClusterIdleTrigger, SnapshotTrigger
from tests.virtual_time import run_in_virtual_time
from tests.world import World, event_of

__all__ = ["Arrival", "idle_trigger", "make_snapshot", "snapshot_trigger", "wait_for", "wait_for_all"]

CARRY = {"from": "the task"}


@dataclass(frozen=True)
class Arrival:
    """
    One event.

    :param event: What the trigger sent.
    :param at: When, in seconds since the wait began.
    """

    event: dict[str, Any]
    at: float

    @property
    def error(self) -> CssError | None:
        """The error that it brings."""
        return read_error(self.event["error"]) if "error" in self.event else None

    @property
    def status(self) -> str:
        """The snapshot's status, or the name of the error."""
        return type(self.error).__name__ if self.error else str(self.event["snapshot"]["status"])


def make_snapshot(world: World, name: str = "orders-1", **fate: Any) -> str:
    """
    Let CSS begin a snapshot and return its id.

    :param world: Where.
    :param name: Its name.
    :param fate: How it ends.
    """
    world.emulator.faults.fate(**{"ending": "completed", **fate})
    return world.client.create_snapshot(world.emulator.cluster_id, name).id


def snapshot_trigger(world: World, snapshot_id: str, **arguments: Any) -> SnapshotTrigger:
    """
    Return a trigger for a snapshot's end.

    :param world: Where.
    :param snapshot_id: The snapshot.
    :param arguments: Further ones of the trigger's.
    """
    usual = {
        "css_conn_id": "css_default",
        "cluster_id": world.emulator.cluster_id,
        "snapshot_id": snapshot_id,
        "snapshot_name": "orders-1",
        "timeout": 90_000.0,
        "made_at": world.clock.now().timestamp(),
        "carry": CARRY,
    }
    trigger: SnapshotTrigger = _on_turned_clock(world, SnapshotTrigger)(**{**usual, **arguments})
    return trigger


def idle_trigger(world: World, **arguments: Any) -> ClusterIdleTrigger:
    """
    Return a trigger for the cluster's turn.

    :param world: Where.
    :param arguments: Some of the trigger's.
    """
    now = world.clock.now().timestamp()
    usual = {
        "css_conn_id": "css_default",
        "cluster_id": world.emulator.cluster_id,
        "name": "orders_etl/backup",
        "asked_at": now,
        "deadline": now + 21_600,
        "carry": CARRY,
    }
    trigger: ClusterIdleTrigger = _on_turned_clock(world, ClusterIdleTrigger)(**{**usual, **arguments})
    return trigger


def _on_turned_clock(world: World, kind: Any) -> Any:
    return type(kind.__name__, (kind,), {"hook_class": world.hook_class})


def wait_for(world: World, trigger: Any) -> Arrival:
    """
    Return the event of a trigger.

    :param world: Where it waits.
    :param trigger: The trigger.
    """
    return wait_for_all(world, [trigger])[0]


def wait_for_all(world: World, triggers: Sequence[Any], *, apart: float = 0.0) -> list[Arrival]:
    """
    Return the events of triggers that wait in one loop, in the order of the triggers.

    :param world: Where they wait.
    :param triggers: The triggers.
    :param apart: How many seconds after each other they begin.
    """
    began = world.clock.now()

    async def one(place: int, trigger: Any) -> Arrival:
        await asyncio.sleep(place * apart)
        event = await event_of(trigger)
        assert event.pop("carry") == CARRY
        return Arrival(event, (world.clock.now() - began).total_seconds())

    async def main() -> list[Arrival]:
        return await asyncio.gather(*(one(place, trigger) for place, trigger in enumerate(triggers)))

    return run_in_virtual_time(world.clock, main)
