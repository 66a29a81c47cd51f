"""Failures below HTTP: each exception of requests has its place in the tree."""

from __future__ import annotations

import inspect
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import requests
from requests import exceptions
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as Urllib3SSLError

from airflow_css.client.transport import error_from_requests
from airflow_css.protocol.errors import CssConfigError, CssError, CssReplyError, CssTransportError

ENDPOINT = "https://css.example.com"
PLANTED = "AKIA-planted-secret"

# By hand: what each class of requests says about the request. "open": it may have arrived.
EXPECTED = {
    "RequestException": "open",
    "ConnectionError": "open",
    "ProxyError": "open",
    "SSLError": "open",
    "Timeout": "open",
    "ReadTimeout": "open",
    "ChunkedEncodingError": "open",
    "ContentDecodingError": "open",
    "RetryError": "open",
    "ConnectTimeout": "never left",
    "InvalidURL": "unusable",
    "InvalidProxyURL": "unusable",
    "MissingSchema": "unusable",
    "InvalidSchema": "unusable",
    "URLRequired": "unusable",
    "InvalidHeader": "unusable",
    "UnrewindableBodyError": "unusable",
    "HTTPError": "unreadable",
    "TooManyRedirects": "unreadable",
    "StreamConsumedError": "unreadable",
    "InvalidJSONError": "unreadable",
    "JSONDecodeError": "unreadable",
}
KINDS = [c for _, c in inspect.getmembers(exceptions, inspect.isclass) if issubclass(c, exceptions.RequestException)]


def _kind(error: CssError) -> str:
    if isinstance(error, CssTransportError):
        return "open" if error.request_may_have_arrived else "never left"
    return {CssConfigError: "unusable", CssReplyError: "unreadable"}[type(error)]


def _made(kind: type[exceptions.RequestException]) -> exceptions.RequestException:
    if issubclass(kind, exceptions.JSONDecodeError):
        return kind(PLANTED, "{", 0)
    return kind(PLANTED)


def test_the_table_below_is_whole() -> None:
    """A class that a later version of requests adds is noticed here."""
    assert {kind.__name__ for kind in KINDS} == set(EXPECTED)


@pytest.mark.parametrize("kind", KINDS)
def test_every_exception_of_requests_has_its_place(kind: type[exceptions.RequestException]) -> None:
    """Each class becomes the error that tells whether the request may have arrived, and none of its text is kept."""
    error = error_from_requests(_made(kind), "create_snapshot", ENDPOINT)
    assert _kind(error) == EXPECTED[kind.__name__]
    assert all(part in str(error) for part in ("create_snapshot", ENDPOINT, kind.__name__))
    assert PLANTED not in f"{error!r} {vars(error)}"


def test_an_exception_that_is_added_later_leaves_the_fate_open() -> None:
    """What is not known is taken for the worst: the request may have arrived."""

    class LaterError(exceptions.RequestException):
        pass

    assert _kind(error_from_requests(LaterError(), "create_snapshot", ENDPOINT)) == "open"


POOL = HTTPConnectionPool("css.example.com")
CONNECTION = HTTPConnection("css.example.com")


def _wrapped(reason: Exception) -> MaxRetryError:
    return MaxRetryError(POOL, "/v1.0", reason)


UNDERNEATH = {
    "refused": (exceptions.ConnectionError(_wrapped(NewConnectionError(CONNECTION, "refused"))), "never left"),
    "no such host": (
        exceptions.ConnectionError(_wrapped(NameResolutionError("css", CONNECTION, socket.gaierror()))),
        "never left",
    ),
    "too slow to connect": (exceptions.ConnectTimeout(_wrapped(ConnectTimeoutError())), "never left"),
    "slow behind a plain error": (exceptions.ConnectionError(_wrapped(ConnectTimeoutError())), "never left"),
    "proxy refused": (exceptions.ProxyError(_wrapped(NewConnectionError(CONNECTION, "refused"))), "never left"),
    "read time-out": (exceptions.ReadTimeout(ReadTimeoutError(POOL, "/v1.0", "slow")), "open"),
    "reset": (exceptions.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset"))), "open"),
    "closed": (exceptions.ConnectionError(ProtocolError("aborted", ConnectionAbortedError())), "open"),
    "broken answer": (exceptions.ChunkedEncodingError(ProtocolError("broken")), "open"),
    "broken TLS": (exceptions.SSLError(_wrapped(Urllib3SSLError(ssl.SSLError("eof")))), "open"),
    "bad certificate": (
        exceptions.SSLError(_wrapped(Urllib3SSLError(ssl.SSLCertVerificationError("self-signed")))),
        "never left",
    ),
}


@pytest.mark.parametrize("case", UNDERNEATH)
def test_what_lies_underneath_decides(case: str) -> None:
    """A connection that never came about, however it is wrapped, cannot have carried a request."""
    error, expected = UNDERNEATH[case]
    assert _kind(error_from_requests(error, "create_snapshot", ENDPOINT)) == expected


def test_a_bad_certificate_names_the_setting() -> None:
    """The remedy for a private CA is in the message."""
    error = error_from_requests(UNDERNEATH["bad certificate"][0], "create_snapshot", ENDPOINT)
    assert "'verify'" in str(error)


def test_causes_that_point_at_each_other_end() -> None:
    """A circle of causes is walked once."""
    one, other = exceptions.ConnectionError(), exceptions.ConnectionError()
    one.__cause__, other.__cause__ = other, one
    assert _kind(error_from_requests(one, "create_snapshot", ENDPOINT)) == "open"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Give a listening socket of this machine that answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def _failure(url: str, timeout: float = 5) -> exceptions.RequestException:
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(exceptions.RequestException) as caught:
            session.post(url, data=b"{}", timeout=(5, timeout))
    return caught.value


def test_a_refused_connection_of_requests_itself_never_left(silent: socket.socket) -> None:
    """What requests raises for a closed port is recognised."""
    port = silent.getsockname()[1]
    silent.close()
    assert _kind(error_from_requests(_failure(f"http://127.0.0.1:{port}"), "c", ENDPOINT)) == "never left"


def test_a_silent_server_leaves_the_fate_open(silent: socket.socket) -> None:
    """What requests raises when the answer does not come is recognised."""
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    assert _kind(error_from_requests(_failure(url, timeout=0.05), "c", ENDPOINT)) == "open"


def test_a_server_that_hangs_up_leaves_the_fate_open(silent: socket.socket) -> None:
    """What requests raises when the connection breaks after the request is recognised."""

    def hang_up() -> None:
        peer, _ = silent.accept()
        peer.recv(1)
        peer.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    error = _failure(f"http://127.0.0.1:{silent.getsockname()[1]}")
    thread.join()
    assert _kind(error_from_requests(error, "c", ENDPOINT)) == "open"
