"""Keys that end, change or fail while triggers wait: the wait goes on, and nobody is asked more often than needed."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssError
from tests.key_places import RENEWING, KeyPlace, key_place
from tests.triggers.waiting import Arrival, make_snapshot, snapshot_trigger, wait_for, wait_for_all
from tests.virtual_time import run_in_virtual_time
from tests.world import event_of

HOUR = 3600.0


# Each place has its matrix in the hook as well; here the two that differ most are tried each time.
OFTEN = ("metadata", "agency")


@pytest.fixture(params=[pytest.param(name, marks=() if name in OFTEN else pytest.mark.heavy) for name in RENEWING])
def place(request: pytest.FixtureRequest) -> Iterator[KeyPlace]:
    """Each place whose keys end by themselves, and a snapshot that takes more than two lives of them."""
    with key_place(request.param, creation_takes=2.4 * HOUR) as place:
        yield place


def _wait(place: KeyPlace) -> Arrival:
    # Few looks make the test quick; keys are asked for by looks alone.
    trigger = snapshot_trigger(place.world, make_snapshot(place.world), poll_interval=240.0)
    return wait_for(place.world, trigger)


def test_a_wait_outlives_its_keys(place: KeyPlace) -> None:
    """Keys end twice during the wait; each time others are there before, and no request is refused."""
    assert _wait(place).status == "COMPLETED"
    assert (place.asked, place.refused) == (3, 0)


def test_a_short_wait_asks_once(place: KeyPlace) -> None:
    """Fresh keys are enough for a wait of ten minutes."""
    make = make_snapshot(place.world, takes=600.0)
    assert wait_for(place.world, snapshot_trigger(place.world, make)).status == "COMPLETED"
    assert (place.asked, place.refused) == (1, 0)


def test_a_wait_survives_rotated_keys(place: KeyPlace) -> None:
    """Keys that are taken away in the middle cost one refused look, and no task."""
    place.world.clock.at(1200, place.rotate)
    assert _wait(place).status == "COMPLETED"
    assert place.refused == 1


def test_a_wait_survives_a_place_that_is_down_for_a_while(place: KeyPlace) -> None:
    """Nobody answers for twenty minutes around the time of renewal; the present keys last, and are renewed later."""
    place.world.clock.at(HOUR - 1200, place.go_down)
    place.world.clock.at(HOUR - 120, place.come_up)
    assert _wait(place).status == "COMPLETED"
    assert place.refused == 0


def test_a_wait_survives_a_place_that_is_down_beyond_the_end_of_the_keys(place: KeyPlace) -> None:
    """Nobody answers until six minutes after the keys ended: these looks are forgiven, and none is sent unsigned."""
    place.world.clock.at(HOUR - 1200, place.go_down)
    place.world.clock.at(HOUR + 360, place.come_up)
    assert _wait(place).status == "COMPLETED"
    assert place.refused == 0


def test_a_wait_ends_when_a_place_stays_down(place: KeyPlace) -> None:
    """When no keys come for longer than looks are forgiven, the task fails in a way that a retry may cure."""
    place.world.clock.at(HOUR - 1200, place.go_down)
    arrived = _wait(place)
    assert arrived.status == "CssTransportError"
    assert arrived.error is not None
    assert arrived.error.curable
    assert HOUR < arrived.at < 2 * HOUR


def test_a_wait_survives_a_malformed_answer(place: KeyPlace) -> None:
    """Keys without their secret half are no keys; the next answer may be better."""
    place.garble(times=2)
    assert _wait(place).status == "COMPLETED"
    assert place.refused == 0


def test_a_wait_without_permission_ends_at_once(place: KeyPlace) -> None:
    """Whoever may have no keys fails without a retry, with what to do."""
    place.forbid()
    arrived = _wait(place)
    assert arrived.status == "CssConfigError"
    assert arrived.error is not None
    assert not arrived.error.curable
    assert arrived.at < 60


def test_a_wait_follows_a_connection_that_names_another_place() -> None:
    """When a server's keys are refused for good, keys that stand in the connection by then end no wait."""
    with key_place("metadata", creation_takes=600.0) as place:

        def exchange() -> None:
            place.refuse_all()
            os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = place.world.emulator.connection_json()

        place.world.clock.at(200, exchange)
        assert _wait(place).status == "COMPLETED"
        assert place.refused == 1


@pytest.mark.parametrize("name", [pytest.param("pod", marks=pytest.mark.heavy), "metadata"])
def test_fifty_triggers_send_refused_keys_twice_at_most(name: str) -> None:
    """Keys that stay refused end all waits, after two requests with them in the whole process."""
    clusters = [f"cluster-{number}" for number in range(50)]
    with key_place(name, clusters=clusters, creation_takes=HOUR / 4) as place:
        world = place.world
        world.clock.at(120, place.refuse_all)
        ids = [cluster.id for cluster in world.client.list_clusters()]
        made = [world.client.create_snapshot(cluster_id, "orders-1").id for cluster_id in ids]
        triggers = [
            snapshot_trigger(world, snapshot_id, cluster_id=cluster_id)
            for snapshot_id, cluster_id in zip(made, ids, strict=True)
        ]
        arrivals = wait_for_all(world, triggers)
        assert {arrived.status for arrived in arrivals} == {"CssAuthError"}
        assert 1 <= place.refused <= 2
        assert place.asked <= 3


def test_fifty_triggers_and_ten_threads_cause_one_renewal() -> None:
    """Fifty waits in two event loops and ten threads find ended keys at once: the place is asked once."""
    clusters = [f"cluster-{number}" for number in range(25)]
    with key_place("metadata", clusters=clusters, creation_takes=60.0) as place:
        world = place.world
        ids = [cluster.id for cluster in world.client.list_clusters()]
        made = [world.client.create_snapshot(cluster_id, "orders-1").id for cluster_id in ids]
        world.hook_class().list_clusters()
        world.clock.sleep(2 * HOUR)
        assert place.asked == 1
        failures: list[Exception] = []
        begin = threading.Barrier(12)

        def call(hook: CssHook) -> None:
            begin.wait(20)
            try:
                hook.list_clusters()
            except CssError as error:
                failures.append(error)

        def wait_in_a_loop() -> None:
            async def main() -> Any:
                waits = [
                    event_of(snapshot_trigger(world, snapshot_id, cluster_id=cluster_id))
                    for snapshot_id, cluster_id in zip(made, ids, strict=True)
                ]
                return list(await asyncio.gather(*waits))

            begin.wait(20)
            events = run_in_virtual_time(world.clock, main)
            failures.extend(AssertionError(event) for event in events if "error" in str(event))

        threads = [threading.Thread(target=call, args=(world.hook_class(),)) for _ in range(10)]
        threads += [threading.Thread(target=wait_in_a_loop) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert (place.asked, place.refused) == (2, 0)
