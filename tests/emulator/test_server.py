"""The HTTP coat: connections that stay, answers that are cut or missing, requests that are held, threads that race."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.exchange import Headers, Request
from tests.emulator.callers import signed_request


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """Return an emulator that serves; its snapshots take an hour."""
    with CssEmulator(creation_takes=3600) as emulator:
        yield emulator


def _connect(emulator: CssEmulator) -> http.client.HTTPConnection:
    host, _, port = emulator.url.removeprefix("http://").partition(":")
    return http.client.HTTPConnection(host, int(port), timeout=10)


def _headers(request: Request) -> dict[str, str]:
    names = ("Host", "X-Sdk-Date", "Authorization")
    return {name: value for name in names if (value := request.headers.get(name)) is not None}


def _create(emulator: CssEmulator, name: str) -> Request:
    path = f"/v1.0/{emulator.project_id}/clusters/{emulator.cluster_id}/index_snapshot"
    return signed_request(emulator, "POST", path, json.dumps({"name": name}).encode())


def _list(emulator: CssEmulator) -> Request:
    path = f"/v1.0/{emulator.project_id}/clusters/{emulator.cluster_id}/index_snapshots"
    return signed_request(emulator, "GET", path)


def _send(connection: http.client.HTTPConnection, request: Request) -> http.client.HTTPResponse:
    connection.request(request.method, request.path, request.body, _headers(request))
    return connection.getresponse()


def test_a_connection_serves_many_requests(emulator: CssEmulator) -> None:
    """Requests with and without a body follow each other on one socket, refused ones included."""
    connection = _connect(emulator)
    connection.connect()
    used = connection.sock
    statuses = []
    for request in (_create(emulator, "first"), _list(emulator), _create(emulator, "second"), _list(emulator)):
        response = _send(connection, request)
        statuses.append((response.status, json.loads(response.read()).keys()))
        assert connection.sock is used
    connection.close()
    assert [status for status, _ in statuses] == [201, 200, 409, 200]


def test_an_answer_arrives_at_once(emulator: CssEmulator) -> None:
    """Fifty calls on one connection take far less than fifty delayed acknowledgements of 40 ms."""
    connection = _connect(emulator)
    started = time.monotonic()
    for _ in range(50):
        _send(connection, _list(emulator)).read()
    connection.close()
    assert time.monotonic() - started < 1.0


def test_a_dropped_request_ends_the_connection(emulator: CssEmulator) -> None:
    """The client sees an end instead of an answer, although the snapshot was made."""
    emulator.faults.drop(call="create_snapshot", when="after")
    connection = _connect(emulator)
    with pytest.raises(http.client.RemoteDisconnected):
        _send(connection, _create(emulator, "first"))
    connection.close()
    assert [snapshot.name for snapshot in emulator.snapshots()] == ["first"]


def test_a_truncated_answer_ends_in_the_middle(emulator: CssEmulator) -> None:
    """The status arrives, but fewer bytes than were announced."""
    emulator.faults.truncate(call="create_snapshot")
    connection = _connect(emulator)
    response = _send(connection, _create(emulator, "first"))
    assert response.status == 201
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    connection.close()
    assert 0 < len(caught.value.partial) < int(response.headers["Content-Length"])


def test_a_slow_answer_takes_its_time(emulator: CssEmulator) -> None:
    """The delay is in real time, and the answer is the true one."""
    emulator.faults.slow(0.2, call="list_snapshots", when="after")
    connection = _connect(emulator)
    started = time.monotonic()
    assert _send(connection, _list(emulator)).status == 200
    connection.close()
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_client_can_go_away_while_its_request_is_held(emulator: CssEmulator, when: str, made: int) -> None:
    """Whoever breaks off during the hold leaves what the effect had left by then, and the emulator goes on."""
    hold = emulator.faults.hold("create_snapshot", when="before" if when == "before" else "after")
    connection = _connect(emulator)
    request = _create(emulator, "first")
    connection.request(request.method, request.path, request.body, _headers(request))
    hold.wait_until_reached(10)
    assert len(emulator.snapshots()) == made
    connection.close()
    hold.lose()
    other = _connect(emulator)
    assert len(json.loads(_send(other, _list(emulator)).read())["backups"]) == made
    other.close()


def test_of_many_creations_at_once_one_is_granted(emulator: CssEmulator) -> None:
    """Threads that ask together get exactly one 201, all others 409, and one snapshot is there."""
    together = threading.Barrier(8)

    def create(number: int) -> int:
        connection = _connect(emulator)
        connection.connect()
        request = _create(emulator, f"racer-{number}")
        together.wait(10)
        response = _send(connection, request)
        response.read()
        connection.close()
        return response.status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(8)))
    assert statuses == [201] + [409] * 7
    assert len(emulator.snapshots()) == 1


def _raw(emulator: CssEmulator, sent: bytes) -> bytes:
    host, _, port = emulator.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"501"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"501"),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", b"401"),
    ],
)
def test_what_is_hardly_http_is_answered_all_the_same(emulator: CssEmulator, sent: bytes, status: bytes) -> None:
    """Broken requests and bodies of unknown length are refused by the server, unknown methods by the gate."""
    answer = _raw(emulator, sent)
    assert status in answer.split(b"\r\n")[0]


def test_stopping_ends_what_is_held_and_open() -> None:
    """The emulator stops within seconds although a request is held and another connection is idle."""
    emulator = CssEmulator()
    emulator.start()
    idle, held = _connect(emulator), _connect(emulator)
    idle.connect()
    hold = emulator.faults.hold()
    request = _list(emulator)
    held.request(request.method, request.path, request.body, _headers(request))
    hold.wait_until_reached(10)
    started = time.monotonic()
    emulator.stop()
    assert time.monotonic() - started < 3
    assert not [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]
    idle.close()
    held.close()


def test_the_target_is_judged_as_it_was_sent(emulator: CssEmulator) -> None:
    """A doubled slash at the start of the path is not tidied away before the signature is checked."""
    request = signed_request(emulator, "GET", "//nothing")
    assert _send_raw_target(emulator, request) == 404
    tidied = Request("GET", "//nothing", "", Headers(_headers(signed_request(emulator, "GET", "/nothing"))))
    assert _send_raw_target(emulator, tidied) == 401


def _send_raw_target(emulator: CssEmulator, request: Request) -> int:
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(request).items())
    answer = _raw(emulator, f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n".encode())
    return int(answer.split(b" ")[1])
