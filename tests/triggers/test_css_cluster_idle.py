"""Waiting in the triggerer for a cluster's turn: who goes when, in which order, and when nobody ever will."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise
from typing import Any

import pytest

from airflow_css.protocol.errors import CssServerError, CssStateError, CssWaitTimeoutError
from airflow_css.protocol.models import Cluster
from airflow_css.triggers.css import ClusterIdleTrigger
from tests.triggers.looks import Service
from tests.triggers.waiting import idle_trigger, wait_for, wait_for_all
from tests.virtual_time import VirtualTimeLoop, run_in_virtual_time
from tests.world import World, event_of, new_world

DETAIL = "get_cluster"


def _busy_for(world: World, seconds: float) -> None:
    world.emulator.add_snapshot(f"stranger-{world.clock.now():%H%M%S}", status="BUILDING", takes=seconds)


def test_an_idle_cluster_is_free_at_once(world: World) -> None:
    """Who finds the cluster idle goes with the first look, and learns that it was not seen at work."""
    arrived = wait_for(world, idle_trigger(world))
    assert (arrived.event, arrived.at) == ({"outcome": "idle", "was_busy": False}, 0)
    assert world.emulator.count(DETAIL) == 1


@pytest.mark.parametrize("change", [{"actions": ("GROWING",)}, {"status": "100"}], ids=["action", "status 100"])
def test_work_of_any_kind_is_waited_out(world: World, change: dict[str, Any]) -> None:
    """The turn comes soon after the end of whatever kept the cluster busy, and the event says that it was."""
    world.emulator.change_cluster(**change)
    world.clock.at(500, lambda: world.emulator.change_cluster(actions=(), status="200"))
    arrived = wait_for(world, idle_trigger(world))
    assert arrived.event == {"outcome": "idle", "was_busy": True}
    assert 500 <= arrived.at <= 500 * 1.1 + 3


def test_a_short_operation_after_a_long_one_is_not_seen_late(world: World) -> None:
    """After a change one looks often again: a short action is noticed soon, however long one waited before."""
    world.emulator.change_cluster(actions=("GROWING",))
    world.clock.at(5_000, lambda: world.emulator.change_cluster(actions=("REBOOTING",)))
    world.clock.at(5_100, lambda: world.emulator.change_cluster(actions=()))
    arrived = wait_for(world, idle_trigger(world))
    assert 5_100 <= arrived.at <= 5_100 + 60


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "300"}, "is unavailable, status 300"),
        ({"status": "303"}, "Repair the cluster in the console"),
        ({"snapshot_function": False}, "The snapshot function of cluster search-dev"),
    ],
)
def test_nobody_waits_for_a_cluster_that_is_down(world: World, change: dict[str, Any], words: str) -> None:
    """An unavailable cluster, or one without the snapshot function, ends the wait at once, for good, with a remedy."""
    world.emulator.change_cluster(actions=("GROWING",))
    world.clock.at(100, lambda: world.emulator.change_cluster(**change))
    arrived = wait_for(world, idle_trigger(world))
    assert isinstance(arrived.error, CssStateError)
    assert not arrived.error.curable
    assert words in str(arrived.error)
    assert 100 <= arrived.at <= 113


def test_a_turn_that_does_not_come_is_given_up_at_the_deadline(world: World) -> None:
    """The deadline is kept to a tenth of a second, and the text names what the cluster does and the parameter."""
    world.emulator.change_cluster(actions=("GROWING",))
    deadline = world.clock.now().timestamp() + 1_234.5
    arrived = wait_for(world, idle_trigger(world, deadline=deadline))
    assert isinstance(arrived.error, CssWaitTimeoutError)
    assert arrived.error.curable
    assert arrived.at == pytest.approx(1_234.5, abs=0.1)
    assert "GROWING" in str(arrived.error)
    assert "turn_timeout" in str(arrived.error)


def test_the_deadline_is_kept_although_every_look_hangs() -> None:
    """A service that answers nothing keeps nobody beyond the deadline."""
    service = Service()

    async def main(loop: VirtualTimeLoop) -> Any:
        release = threading.Event()
        service.answer = lambda _number: loop.hang(release)
        event = await event_of(_on(service, "a", 0.0, 40.0))
        at = loop.time()
        loop.let_go(release)
        return event, at

    event, at = service.run(main)
    assert event["error"]["kind"] == "CssWaitTimeoutError"
    assert at == pytest.approx(40, abs=0.1)
    assert "not answering" in event["error"]["message"]


def _on(service: Service, name: str, asked_at: float, lasts: float = 21_600.0) -> Any:
    kind = type("OnService", (ClusterIdleTrigger,), {"hook_class": service.hook_class})
    key = service.key()
    deadline = service.clock.now().timestamp() + lasts
    return kind(css_conn_id=key.conn_id, cluster_id=key.cluster_id, name=name, asked_at=asked_at, deadline=deadline)


@pytest.mark.parametrize("times", [10, 11])
def test_ten_bad_looks_in_a_row_are_forgiven(world: World, times: int) -> None:
    """Ten looks without an answer are survived, the eleventh in a row is told."""
    _busy_for(world, 300)
    world.emulator.faults.answer(500, call=DETAIL, times=times, skip=1)
    arrived = wait_for(world, idle_trigger(world))
    assert (arrived.error is None) == (times == 10)
    assert arrived.error is None or isinstance(arrived.error, CssServerError)


def test_who_is_put_off_goes_no_earlier(world: World) -> None:
    """A task that backs off is not let go before its time, and soon after it, also on an idle cluster."""
    not_before = world.clock.now().timestamp() + 47
    arrived = wait_for(world, idle_trigger(world, not_before=not_before))
    assert 47 <= arrived.at <= 49.1
    assert world.emulator.count(DETAIL) <= 3


def test_who_is_put_off_does_not_hold_up_the_next(world: World) -> None:
    """While the first in line backs off, the next one goes."""
    now = world.clock.now().timestamp()
    first = idle_trigger(world, name="first", asked_at=now - 100, not_before=now + 500)
    second = idle_trigger(world, name="second", asked_at=now)
    arrivals = wait_for_all(world, [first, second])
    assert arrivals[1].at == 0
    assert arrivals[0].at >= 500


def _turns(world: World, number: int, busy_for: float | None) -> list[tuple[str, float]]:
    """Let tasks wait that asked one after another but wait in the opposite order; return who went when."""
    now = world.clock.now()
    went: list[tuple[str, float]] = []

    async def one(place: int) -> None:
        trigger = idle_trigger(world, name=f"task-{place}", asked_at=now.timestamp() - 1_000 + place)
        event = await event_of(trigger)
        assert event["outcome"] == "idle", event
        went.append((trigger.name, (world.clock.now() - now).total_seconds()))
        if busy_for is not None:
            _busy_for(world, busy_for)

    async def main() -> None:
        await asyncio.gather(*(one(place) for place in reversed(range(number))))

    run_in_virtual_time(world.clock, main)
    return went


def test_turns_are_given_one_by_one_in_the_order_of_asking(world: World) -> None:
    """Each goes only after the one before made the cluster busy and it became idle again; the first who asked first."""
    _busy_for(world, 50)
    went = _turns(world, 12, busy_for=100)
    assert [name for name, _ in went] == [f"task-{place}" for place in range(12)]
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(went)]
    assert all(100 <= gap <= 113 for gap in gaps)


def test_a_turn_that_is_not_used_passes_on_after_a_minute(world: World) -> None:
    """When nobody makes the cluster busy, the next one goes with the first look that is 60 seconds later."""
    went = _turns(world, 4, busy_for=None)
    assert [name for name, _ in went] == [f"task-{place}" for place in range(4)]
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(went)]
    assert all(60 <= gap <= 60 + 20 for gap in gaps)


def test_one_that_gives_up_does_not_stop_the_line(world: World) -> None:
    """A task that is cancelled while it stands first, or times out, lets the next one go."""
    now = world.clock.now().timestamp()
    _busy_for(world, 100)

    async def main() -> Any:
        cancelled = asyncio.create_task(event_of(idle_trigger(world, name="cancelled", asked_at=now - 30)))
        late = asyncio.create_task(event_of(idle_trigger(world, name="late", asked_at=now - 20, deadline=now + 50)))
        last = asyncio.create_task(event_of(idle_trigger(world, name="last", asked_at=now - 10)))
        await asyncio.sleep(10)
        cancelled.cancel()
        results = await asyncio.gather(cancelled, late, last, return_exceptions=True)
        return results, (world.clock.now().timestamp() - now)

    (first, late, last), at = run_in_virtual_time(world.clock, main)
    assert isinstance(first, asyncio.CancelledError)
    assert late["outcome"] == "failed"
    assert last["outcome"] == "idle"
    assert 100 <= at <= 113


def test_many_who_wait_cost_the_calls_of_one() -> None:
    """A hundred who wait for the turn share each look at the cluster."""
    counts = []
    for number in (1, 100):
        with new_world() as world:
            world.emulator.change_cluster(actions=("GROWING",))
            deadline = world.clock.now().timestamp() + 600
            wait_for_all(world, [idle_trigger(world, name=str(n), deadline=deadline) for n in range(number)])
            counts.append(world.emulator.count(DETAIL))
    # The most eager of a hundred looks a fifth earlier than the average one.
    assert counts[1] <= counts[0] * 1.4


def test_looks_are_read_as_clusters() -> None:
    """The stand-in service and the real one agree about what a look brings."""
    service = Service(lambda number: Cluster("id", status="200", actions=("GROWING",) if number < 3 else ()))

    async def main(loop: VirtualTimeLoop) -> Any:
        event = await event_of(_on(service, "a", 0.0))
        return event, loop.time()

    event, at = service.run(main)
    assert event["was_busy"]
    assert 4 <= at <= 5
