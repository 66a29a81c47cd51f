"""Refused keys are sent at most twice by a process, whoever asks with them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient
from airflow_css.client.refusals import REFUSED_FOR, Refusals
from airflow_css.client.skew import SkewedClock
from airflow_css.protocol.errors import CssAuthError, ErrorReply
from tests.key_places import KeyPlace, key_place
from tests.triggers.waiting import snapshot_trigger, wait_for_all
from tests.world import World, new_world

KEYS, OTHERS = Credentials("AKFIRST", "wrong"), Credentials("AKFIRST", "another")
REFUSAL = CssAuthError(ErrorReply(401, "APIGW.0301", "no", "", "list_clusters", None))


@pytest.fixture
def world() -> Iterator[World]:
    """An emulator whose clock stands still."""
    with new_world() as world:
        yield world


def _client(world: World, secret_key: str) -> CssClient:
    keys = Credentials(world.emulator.access_key, secret_key)
    return CssClient(world.emulator.url, keys, world.emulator.project_id, clock=world.clock)


def _refused(place: KeyPlace) -> int:
    return sum(seen.status == 401 for seen in place.world.emulator.identity.requests)


def test_a_key_is_left_alone_after_its_second_refusal_and_for_ten_minutes(world: World) -> None:
    """What was refused once may be tried once more; then it is not, until ten minutes have passed."""
    refusals = Refusals(SkewedClock(world.clock))
    refusals.add(KEYS, REFUSAL)
    refusals.check(KEYS)
    refusals.add(KEYS, REFUSAL)
    with pytest.raises(CssAuthError):
        refusals.check(KEYS)
    refusals.check(OTHERS)
    world.clock.sleep(REFUSED_FOR.total_seconds())
    refusals.check(KEYS)


def test_a_key_that_works_has_no_past(world: World) -> None:
    """An accepted request makes up for a refusal before it."""
    refusals = Refusals(SkewedClock(world.clock))
    for _ in range(3):
        refusals.add(KEYS, REFUSAL)
        refusals.forget(KEYS)
        refusals.check(KEYS)


def test_clients_of_one_process_send_a_wrong_secret_twice(world: World) -> None:
    """However many clients are made and asked, the gateway sees it twice; another secret is sent at once."""
    for _ in range(6):
        with pytest.raises(CssAuthError):
            _client(world, "wrong").list_clusters()
    assert world.emulator.count("list_clusters") == 2
    assert _client(world, world.emulator.secret_key).list_clusters()


def test_a_date_that_was_wrong_as_well_counts_as_a_refusal(world: World) -> None:
    """A wrong secret under a wrong clock is sent once by each of the two dates, and no more."""
    keys = Credentials(world.emulator.access_key, "wrong")
    clock = SkewedClock(world.clock, timedelta(minutes=20))
    for _ in range(3):
        client = CssClient(world.emulator.url, keys, world.emulator.project_id, clock=clock)
        with pytest.raises(CssAuthError):
            client.list_clusters()
    assert world.emulator.count("list_clusters") == 2


def test_ten_threads_that_begin_at_once_send_a_wrong_secret_twice(world: World) -> None:
    """Who comes while keys are tried for the first time waits for what the gateway says of them."""
    begin = threading.Barrier(10)

    def ask() -> None:
        client = _client(world, "wrong")
        begin.wait(20)
        with pytest.raises(CssAuthError):
            client.list_clusters()

    with ThreadPoolExecutor(10) as threads:
        for answer in [threads.submit(ask) for _ in range(10)]:
            answer.result(20)
    assert world.emulator.count("list_clusters") == 2


def _forget_the_project(place: KeyPlace, secret_key: str) -> None:
    place.connect(project_id=None, iam_endpoint=place.world.emulator.identity.iam_url)
    connection = os.environ["AIRFLOW_CONN_CSS_DEFAULT"]
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = connection.replace(place.world.emulator.secret_key, secret_key)


def test_fifty_triggers_that_look_for_their_project_send_a_refused_key_twice() -> None:
    """The sign-in service sees a wrong secret twice although every wait asks it for the project."""
    with key_place("connection", clusters=[f"cluster-{number}" for number in range(50)]) as place:
        ids = [cluster.id for cluster in place.world.client.list_clusters()]
        _forget_the_project(place, "wrong")
        triggers = [snapshot_trigger(place.world, "id-1", cluster_id=cluster_id) for cluster_id in ids]
        arrivals = wait_for_all(place.world, triggers)
        assert {arrived.status for arrived in arrivals} == {"CssAuthError"}
        assert 1 <= _refused(place) <= 2
