"""The sender against the emulator: what it repeats, how long it pauses, and how it signs each try."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient, SendingRules
from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.faults import FaultScript
from airflow_css.protocol.errors import (
    CssApiError,
    CssAuthError,
    CssError,
    CssReplyError,
    CssThrottledError,
    CssTransportError,
)
from tests.turned_clock import TurnedClock
from tests.world import World

NAME = "orders-20261123"
Fault = Callable[[FaultScript, str], None]


class Place:
    """An emulator whose clock stands, and clients that live by it."""

    def __init__(self, emulator: CssEmulator) -> None:
        self.emulator = emulator
        self.clock = TurnedClock(emulator.clock)

    def client(self, **rules: Any) -> CssClient:
        """Return a client with the right keys."""
        keys = Credentials(self.emulator.access_key, self.emulator.secret_key)
        url, project_id = self.emulator.url, self.emulator.project_id
        return CssClient(url, keys, project_id, rules=SendingRules(**rules), clock=self.clock)

    def read(self, **rules: Any) -> None:
        """Send one read."""
        self.client(**rules).list_snapshots(self.emulator.cluster_id)

    def write(self, **rules: Any) -> None:
        """Send one creation."""
        self.client(**rules).create_snapshot(self.emulator.cluster_id, NAME)


@pytest.fixture
def place() -> Iterator[Place]:
    """An emulator that serves over HTTP, on a clock that only sleeping turns."""
    clock = TurnableClock(frozen=True)
    with CssEmulator(clock=clock, client_time=clock.now) as emulator:
        yield Place(emulator)


def _answer(status: int) -> Fault:
    return lambda faults, call: faults.answer(status, call=call)


def _drop(faults: FaultScript, call: str) -> None:
    faults.drop(call=call)


def _drop_after(faults: FaultScript, call: str) -> None:
    faults.drop(call=call, when="after")


def _truncate(faults: FaultScript, call: str) -> None:
    faults.truncate(call=call)


REPEATED: dict[str, Fault] = {str(status): _answer(status) for status in (429, 500, 502, 503, 504)}
REPEATED |= {"drop": _drop, "truncated": _truncate}


@pytest.mark.parametrize("fault", REPEATED.values(), ids=REPEATED)
def test_a_read_is_repeated(place: Place, fault: Fault) -> None:
    """A read that brought no answer, or one that asks to come again, is sent again after a pause."""
    fault(place.emulator.faults, "list_snapshots")
    place.read()
    assert place.emulator.count("list_snapshots") == 2
    assert len(place.clock.slept) == 1
    assert 0.5 <= place.clock.slept[0] <= 1


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 409, 413, 501])
def test_a_read_that_was_refused_is_not_repeated(place: Place, status: int) -> None:
    """A refusal of a read is final."""
    place.emulator.faults.answer(status, call="list_snapshots")
    with pytest.raises(CssError):
        place.read()
    assert place.emulator.count("list_snapshots") == 1
    assert place.clock.slept == []


def test_a_write_is_repeated_after_429(place: Place) -> None:
    """A creation that was throttled was certainly not carried out, so it is sent again."""
    place.emulator.faults.throttle(call="create_snapshot", times=2)
    place.write()
    assert place.emulator.count("create_snapshot") == 3
    assert len(place.emulator.snapshots()) == 1


OPEN: dict[str, Fault] = {str(status): _answer(status) for status in (500, 502, 503, 504)}
OPEN |= {"drop": _drop, "drop after": _drop_after, "truncated": _truncate}


@pytest.mark.parametrize("fault", OPEN.values(), ids=OPEN)
def test_a_write_of_open_fate_is_not_repeated(place: Place, fault: Fault) -> None:
    """A creation that may have had its effect is sent once, and the error says that it may have arrived."""
    fault(place.emulator.faults, "create_snapshot")
    with pytest.raises(CssError) as caught:
        place.write()
    assert place.emulator.count("create_snapshot") == 1
    assert isinstance(caught.value, CssApiError) or getattr(caught.value, "request_may_have_arrived", False)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


CALLS: dict[str, Callable[[CssClient, str], object]] = {
    "read": lambda client, cluster_id: client.list_snapshots(cluster_id),
    "write": lambda client, cluster_id: client.create_snapshot(cluster_id, NAME),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_refused_connection_is_tried_again(place: Place, call: Callable[[CssClient, str], object]) -> None:
    """Where no connection comes about, nothing arrived: four tries of reads and writes, then an error that says so."""
    place.emulator.stop()
    client = _client_at(_closed_port(), place.clock)
    with pytest.raises(CssTransportError) as caught:
        call(client, place.emulator.cluster_id)
    assert caught.value.request_may_have_arrived is False
    assert len(place.clock.slept) == 3


def _client_at(port: int, clock: TurnedClock) -> CssClient:
    keys = Credentials("emulator-ak", "emulator-sk")
    return CssClient(f"http://127.0.0.1:{port}", keys, "6204a5bd270343b5885144cf9c8c158d", clock=clock)


def test_a_connection_refused_at_first_is_used_once_it_comes_about(place: Place) -> None:
    """A creation that found nobody listening is sent as soon as somebody does."""
    place.emulator.stop()
    port = _closed_port()
    late = CssEmulator(clock=place.emulator.clock, client_time=place.emulator.clock.now, port=port)
    place.clock.at(0, late.start)
    try:
        created = _client_at(port, place.clock).create_snapshot(late.cluster_id, NAME)
        assert [snapshot.id for snapshot in late.snapshots()] == [created.id]
    finally:
        late.stop()


@pytest.mark.parametrize(("asked", "pause"), [(7, 7), (59.5, 59.5), (3600, 60)])
def test_a_throttled_call_pauses_as_long_as_asked_within_bounds(place: Place, asked: float, pause: float) -> None:
    """Retry-After sets the pause, up to the longest one allowed."""
    place.emulator.faults.throttle(asked, call="list_snapshots")
    place.read()
    assert place.clock.slept == [pause]


@pytest.mark.parametrize("text", ["0", "-5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "nan", "1e999"])
def test_an_odd_retry_after_does_no_harm(place: Place, text: str) -> None:
    """A Retry-After that is no useful number of seconds leaves a short pause, or at most the longest."""
    place.emulator.faults.answer(429, "APIGW.0308", headers={"Retry-After": text}, call="list_snapshots")
    place.read()
    assert len(place.clock.slept) == 1
    assert 0.5 <= place.clock.slept[0] <= 60


def test_the_number_of_tries_is_bounded(place: Place) -> None:
    """A call that is never answered well is sent as often as the rules say, with growing pauses."""
    place.emulator.faults.throttle(call="create_snapshot", times=None)
    with pytest.raises(CssThrottledError):
        place.write(tries=6)
    assert place.emulator.count("create_snapshot") == 6
    assert len(place.clock.slept) == 5
    for number, pause in enumerate(place.clock.slept):
        assert 2**number / 2 <= pause <= 2**number


def test_the_time_is_bounded(place: Place) -> None:
    """No try begins after the time for all of them is up."""
    place.emulator.faults.throttle(50, call="list_snapshots", times=None)
    with pytest.raises(CssThrottledError):
        place.read(tries=100)
    assert place.emulator.count("list_snapshots") == 4
    assert sum(place.clock.slept) == 150


def test_each_try_is_signed_afresh(place: Place) -> None:
    """A try after a pause beyond the signature's 15 minutes is accepted, since it carries a new date."""
    place.emulator.faults.throttle(1000, call="list_snapshots")
    place.read(longest_pause_seconds=1000, in_all_seconds=2000)
    first, second = (seen for seen in place.emulator.requests if seen.call == "list_snapshots")
    assert second.at - first.at == timedelta(seconds=1000)
    assert (first.status, second.status) == (429, 200)


def test_a_redirect_is_not_followed(place: Place) -> None:
    """A redirect is an error that names what to do, and no signed request goes where it points."""
    with CssEmulator() as elsewhere:
        place.emulator.faults.redirect(elsewhere.url, call="list_snapshots")
        with pytest.raises(CssReplyError, match="final address into the connection's host"):
            place.read()
        assert elsewhere.requests == ()


def test_a_slow_answer_runs_into_the_time_out(place: Place) -> None:
    """An answer that takes longer than the time-out counts as lost."""
    place.emulator.faults.slow(5, call="create_snapshot")
    with pytest.raises(CssTransportError) as caught:
        place.write(read_seconds=0.05)
    assert caught.value.request_may_have_arrived is True


def test_one_try_means_one_try(place: Place) -> None:
    """A look that must not be repeated inside is sent once."""
    place.emulator.faults.answer(503, call="list_snapshots")
    with pytest.raises(CssError):
        place.client().list_snapshots(place.emulator.cluster_id, once=True)
    assert place.emulator.count("list_snapshots") == 1


def test_a_body_that_is_not_json_is_no_answer(place: Place) -> None:
    """An answer of 200 that is no JSON raises the error for odd answers."""
    place.emulator.faults.not_json(call="list_snapshots")
    with pytest.raises(CssReplyError):
        place.read()


def test_wrong_keys_are_sent_once(place: Place) -> None:
    """A refused signature is not repeated: more refusals would lock the key for everybody."""
    keys = replace(Credentials(place.emulator.access_key, place.emulator.secret_key), secret_key="another")
    client = CssClient(place.emulator.url, keys, place.emulator.project_id, clock=place.clock)
    with pytest.raises(CssAuthError) as caught:
        client.list_snapshots(place.emulator.cluster_id)
    assert caught.value.reply.status == 401
    assert len(place.emulator.requests) == 1


def test_an_error_brings_no_signed_request_along(world: World) -> None:
    """What went wrong below is not chained to the error: it would hold the request with its token and its signature."""
    world.emulator.faults.drop(call="list_snapshots", times=None)
    with pytest.raises(CssTransportError) as caught:
        world.client.list_snapshots(world.emulator.cluster_id)

    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
