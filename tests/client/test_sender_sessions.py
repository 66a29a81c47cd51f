"""The sender's connections: kept, one set per thread, and what every request carries."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from airflow_css import __version__
from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient, SendingRules
from airflow_css.protocol.errors import CssConfigError, CssTransportError

PROJECT = "6204a5bd270343b5885144cf9c8c158d"
CLUSTER = "4f3deec3-efa8-4598-bf91-560aad1377a3"
ANSWER = b'{"backups": []}'


class _Handler(BaseHTTPRequestHandler):
    """Answers every request with an empty list, and tells the server what came."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: CountingServer

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers.items()))
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.send_header("Set-Cookie", "session=1; Path=/")
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_arguments: Any) -> None:
        """Keep silent."""


class CountingServer(ThreadingHTTPServer):
    """Counts the connections it accepts and keeps the headers of every request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections = 0
        self.headers: list[dict[str, str]] = []

    def client(self) -> CssClient:
        """Return a client of this server."""
        keys = Credentials("AKID", "secret", "a-token")
        return CssClient(f"http://127.0.0.1:{self.server_address[1]}", keys, PROJECT)


@pytest.fixture
def server() -> Iterator[CountingServer]:
    """A server that counts."""
    server = CountingServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_connection_is_reused(server: CountingServer) -> None:
    """Ten calls of one client go through one connection."""
    client = server.client()
    for _ in range(10):
        client.list_snapshots(CLUSTER)
    client.close()
    assert len(server.headers) == 10
    assert server.connections == 1


def test_each_thread_has_a_session_of_its_own(server: CountingServer) -> None:
    """Three threads that call at the same time share a client but no connection."""
    client = server.client()
    together = threading.Barrier(3)

    def call() -> None:
        for _ in range(5):
            client.list_snapshots(CLUSTER)
            together.wait(10)
        client.close()

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.headers) == 15
    assert server.connections == 3


def test_a_closed_client_connects_anew(server: CountingServer) -> None:
    """Closing ends this thread's connections, and a later call opens one again; closing twice does no harm."""
    client = server.client()
    client.list_snapshots(CLUSTER)
    client.close()
    client.close()
    client.list_snapshots(CLUSTER)
    client.close()
    assert server.connections == 2


def test_what_every_request_carries(server: CountingServer) -> None:
    """Each request names this package, asks for English, is signed, and carries project and token."""
    client = server.client()
    client.list_snapshots(CLUSTER)
    client.close()
    (headers,) = server.headers
    assert headers["User-Agent"] == f"airflow-css/{__version__}"
    assert headers["Accept"] == "application/json"
    assert headers["X-Language"] == "en-us"
    assert headers["X-Project-Id"] == PROJECT
    assert headers["X-Security-Token"] == "a-token"
    assert headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=AKID, ")


def test_no_cookie_comes_back(server: CountingServer) -> None:
    """A cookie that an answer sets is not sent with the next request."""
    client = server.client()
    client.list_snapshots(CLUSTER)
    client.list_snapshots(CLUSTER)
    client.close()
    assert "Cookie" not in server.headers[1]


def test_nothing_on_this_machine_is_asked_through_a_proxy(
    server: CountingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment is not used for a loopback endpoint."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = server.client()
    client.list_snapshots(CLUSTER)
    client.close()
    assert len(server.headers) == 1


def test_a_silent_server_runs_into_the_time_out() -> None:
    """A server that takes the connection and says nothing is left after the time-out, without a second write."""
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(_silent_server())
        client = CssClient(
            f"http://127.0.0.1:{silent}", Credentials("AKID", "secret"), PROJECT, rules=SendingRules(read_seconds=0.1)
        )
        began = time.monotonic()
        with pytest.raises(CssTransportError) as caught:
            client.create_snapshot(CLUSTER, "orders-20261123")
        assert time.monotonic() - began < 5
        assert caught.value.request_may_have_arrived is True
        client.close()


@contextlib.contextmanager
def _silent_server() -> Iterator[int]:
    """Yield the port of a socket that listens and never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_a_ca_bundle_that_is_not_there_is_a_mistake_in_the_connection(server: CountingServer) -> None:
    """A path of a CA bundle that leads nowhere is an error of the tree that names the path and the setting."""
    address = f"https://127.0.0.1:{server.server_address[1]}"
    client = CssClient(address, Credentials("AKID", "secret"), PROJECT, rules=SendingRules(verify="/nowhere/ca.pem"))
    with pytest.raises(CssConfigError, match=r"/nowhere/ca\.pem.*'verify'"):
        client.list_snapshots(CLUSTER)
    assert server.connections == 0
