"""Signing requests: what is written into them, and what a server on loopback receives and can verify."""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_css.client.auth import AkSkAuth
from airflow_css.client.credentials import Credentials
from airflow_css.protocol.signing import (
    SignableRequest,
    authorization_header,
    parse_authorization,
    parse_query,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_css.client.clock import Clock

PERMANENT = Credentials("QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc")
TEMPORARY = Credentials("HSTATEMPORARYKEY0001", "another-secret-key", "TOKEN/+==")
PROJECT = "6204a5bd270343b5885144cf9c8c158d"
NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
CONTENT_TYPE = {"Content-Type": "application/json"}


@dataclass
class HandClock:
    """A clock that stands until it is turned."""

    moment: datetime = NOON

    def now(self) -> datetime:
        """Return the moment it was turned to."""
        return self.moment

    def monotonic(self) -> float:
        """Return the same moment as seconds."""
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        """Turn it on."""
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the one value of a header that came exactly once."""
        (value,) = [value for key, value in self.headers if key.lower() == name.lower()]
        return value


@dataclass
class Listener:
    """A loopback server that answers 200 and remembers what it was sent."""

    port: int
    received: list[Received] = field(default_factory=list)

    def url(self, target: str, host: str = "127.0.0.1") -> str:
        """Return a URL of this server."""
        return f"http://{host}:{self.port}{target}"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """A listener on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # self.path is not the target as sent: http.server folds leading slashes into one.
            method, target, _ = self.requestline.split(" ")
            server_side.received.append(Received(method, target, self.headers.items(), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_DELETE = do_PUT = answer  # noqa: N815 - names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server_side = Listener(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server_side
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """A session that keeps its connection."""
    with requests.Session() as session:
        yield session


def _auth(
    credentials: Credentials = PERMANENT, project_id: str | None = PROJECT, clock: Clock | None = None
) -> AkSkAuth:
    return AkSkAuth(credentials, project_id, clock or HandClock())


def _prepared(url: str = "https://css.example.com/v1.0/p/clusters", **parts: Any) -> requests.PreparedRequest:
    return requests.Request(parts.pop("method", "GET"), url, **parts).prepare()


def _verifies(received: Received, credentials: Credentials) -> bool:
    """Judge the signature from what came over the wire alone, as a gateway does."""
    parsed = parse_authorization(received.header("Authorization"))
    path, _, query = received.target.partition("?")
    signed = {name: received.header(name) for name in parsed.signed_headers}
    expected = authorization_header(
        SignableRequest(received.method, path, parse_query(query), signed, received.body),
        access_key=credentials.access_key,
        secret_key=credentials.secret_key,
        date=received.header("X-Sdk-Date"),
    )
    return hmac.compare_digest(expected, received.header("Authorization"))


@pytest.mark.parametrize(
    ("credentials", "project_id", "headers", "signed"),
    [
        (PERMANENT, None, {}, "host;x-sdk-date"),
        (PERMANENT, PROJECT, {}, "host;x-project-id;x-sdk-date"),
        (PERMANENT, PROJECT, CONTENT_TYPE, "content-type;host;x-project-id;x-sdk-date"),
        (TEMPORARY, PROJECT, CONTENT_TYPE, "content-type;host;x-project-id;x-sdk-date;x-security-token"),
        (PERMANENT, None, {"X-Language": "en-us", "Accept": "*/*", "User-Agent": "a"}, "host;x-sdk-date"),
    ],
)
def test_what_is_signed(credentials: Credentials, project_id: str | None, headers: dict[str, str], signed: str) -> None:
    """Signed are exactly the headers that decide, never those that a proxy may change."""
    request = _auth(credentials, project_id)(_prepared(headers=headers))
    assert ";".join(parse_authorization(request.headers["Authorization"]).signed_headers) == signed


def test_what_is_written() -> None:
    """The headers carry project, token, the clock's date and the access key."""
    request = _auth(TEMPORARY)(_prepared())
    assert dict(request.headers) | {"Authorization": ""} == {
        "Host": "css.example.com",
        "X-Sdk-Date": "20260102T120000Z",
        "X-Project-Id": PROJECT,
        "X-Security-Token": "TOKEN/+==",
        "Authorization": "",
    }
    assert parse_authorization(request.headers["Authorization"]).access_key == TEMPORARY.access_key


def test_the_published_example_is_signed_as_published() -> None:
    """The request of the signing guide gets the signature of the guide."""
    url = (
        "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"
        "?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0"
    )
    clock = HandClock(datetime(2019, 11, 15, 3, 36, 55, tzinfo=UTC))
    request = _auth(project_id=None, clock=clock)(_prepared(url, headers=CONTENT_TYPE))
    assert request.headers["Authorization"].endswith(
        "Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://css.example.com/a", "css.example.com"),
        ("https://css.example.com:443/a", "css.example.com"),
        ("https://css.example.com:8443/a", "css.example.com:8443"),
        ("https://css.example.com:80/a", "css.example.com:80"),
        ("http://127.0.0.1:80/a", "127.0.0.1"),
        ("http://127.0.0.1:8099/a", "127.0.0.1:8099"),
        ("https://CSS.Example.com/a", "css.example.com"),
        ("https://css.example.com./a", "css.example.com"),
        ("http://[::1]:8099/a", "[::1]:8099"),
        ("http://[::1]/a", "[::1]"),
    ],
)
def test_host(url: str, host: str) -> None:
    """The host is written from the URL, with a port only where it is not the scheme's own."""
    assert _auth()(_prepared(url)).headers["Host"] == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_host_is_the_one_requests_would_send(listener: Listener, session: requests.Session, host: str) -> None:
    """Signing does not change the host that goes over the wire, and that host is what was signed."""
    session.get(listener.url("/a", host), timeout=5)
    session.get(listener.url("/a", host), auth=_auth(), timeout=5)
    plain, signed = listener.received[-2:]
    assert signed.header("Host") == plain.header("Host")
    assert _verifies(signed, PERMANENT)


def test_a_host_given_by_hand_is_replaced() -> None:
    """Only the URL says where a signed request goes: a host from elsewhere is neither signed nor sent."""
    request = _auth()(_prepared(headers={"host": "elsewhere.example.com"}))
    assert [value for name, value in request.headers.items() if name.lower() == "host"] == ["css.example.com"]


@pytest.mark.parametrize(
    ("method", "target", "parts"),
    [
        ("GET", "", {}),
        ("GET", "/v1.0/p/clusters?", {}),
        ("GET", "/v1.0/p/clusters", {"params": {"name": "x y+z/é~", "start": 1}}),
        ("GET", "/a?b=2&a=1&a=&A&c=x+y%20z", {}),
        ("GET", "/a?b=%zz&c=100%", {}),
        ("GET", "/a?b=1#fragment", {}),
        ("GET", "/a/../b/./c", {}),
        ("GET", "/a%2Fb/%7e/é/ü b/[c]|d", {}),
        ("GET", "/%C3%A9%FF/100%/%zz", {}),
        ("GET", "/a;b=1,c:d@e!$&'()*", {}),
        ("DELETE", "/v1.0/p/clusters/c/index_snapshot/s", {}),
        ("POST", "/a", {"json": {"name": "é"}}),
        ("POST", "/a", {"data": '{"name": "é✓"}', "headers": CONTENT_TYPE}),
        ("POST", "/a", {"data": b"\x00\xff", "headers": {"Content-Type": b"application/json"}}),
        ("POST", "/a", {"data": {"form": "x y"}}),
        ("POST", "/a", {"files": {"f": ("name", b"content")}}),
        ("POST", "/a", {"data": b""}),
        ("PUT", "/a", {}),
        ("GET", "/a", {"headers": {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}}),
    ],
)
@pytest.mark.parametrize("credentials", [PERMANENT, TEMPORARY], ids=["permanent", "temporary"])
def test_a_server_can_verify_what_it_receives(
    listener: Listener,
    session: requests.Session,
    *,
    credentials: Credentials,
    method: str,
    target: str,
    parts: dict[str, Any],
) -> None:
    """Whatever path, query and body are sent, the bytes on the wire are the ones that were signed."""
    session.request(method, listener.url(target), auth=_auth(credentials), timeout=5, **parts)
    received = listener.received[-1]
    assert _verifies(received, credentials)
    assert not _verifies(received, Credentials(credentials.access_key, credentials.secret_key + "x"))


@settings(max_examples=150)
@given(
    path=st.text(max_size=12),
    params=st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=4),
    body=st.one_of(st.binary(max_size=20), st.text(max_size=20)),
)
def test_a_server_can_verify_anything(
    listener: Listener,
    session: requests.Session,
    path: str,
    params: list[tuple[str, str]],
    body: bytes | str,
) -> None:
    """The same for any text that can be put into a URL or a body."""
    # "?" and "#" end a path; the list above has them.
    target = "/a/" + path.replace("?", "").replace("#", "")
    session.post(listener.url(target), params=params, data=body, auth=_auth(), timeout=5)
    assert _verifies(listener.received[-1], PERMANENT)


def test_a_retry_is_signed_afresh(listener: Listener, session: requests.Session) -> None:
    """The same request signed again later carries one new date and one new signature, and both verify."""
    clock = HandClock()
    auth = _auth(clock=clock)
    request = _prepared(listener.url("/a"), method="POST", json={"name": "backup"}, auth=auth)
    session.send(request, timeout=5)
    clock.sleep(61)
    session.send(auth(request), timeout=5)
    first, second = listener.received[-2:]
    assert (first.header("X-Sdk-Date"), second.header("X-Sdk-Date")) == ("20260102T120000Z", "20260102T120101Z")
    assert first.header("Authorization") != second.header("Authorization")
    assert first.body == second.body
    assert _verifies(first, PERMANENT)
    assert _verifies(second, PERMANENT)


def test_renewed_keys_leave_nothing_of_the_old_ones() -> None:
    """A request signed with temporary keys, then with permanent ones, carries no token and no project of before."""
    request = _auth(PERMANENT, None)(_auth(TEMPORARY)(_prepared()))
    assert dict(request.headers) == dict(_auth(PERMANENT, None)(_prepared()).headers)


def test_an_old_authorization_in_any_case_is_replaced() -> None:
    """Headers left by something else, in whatever case, do not survive beside the new ones."""
    leftovers = {"authorization": "Basic x", "x-sdk-date": "20000101T000000Z", "x-SDK-content-sha256": "0" * 64}
    request = _auth()(_prepared(headers=leftovers))
    assert dict(request.headers) == dict(_auth()(_prepared()).headers)


def test_a_body_that_can_be_read_only_once_is_refused() -> None:
    """A stream is refused before anything is sent, instead of being sent empty or unsigned."""
    with pytest.raises(TypeError, match="bytes or text, got generator"):
        _auth()(_prepared(method="POST", data=(part for part in [b"a", b"b"])))


def test_a_request_that_was_not_prepared_is_refused() -> None:
    """Without method and URL there is nothing to sign."""
    with pytest.raises(ValueError, match="prepare it first"):
        _auth()(requests.PreparedRequest())


def test_printing_shows_no_secret() -> None:
    """Neither the object nor its attributes print the secret key or the token."""
    auth = _auth(TEMPORARY)
    printed = f"{auth} {auth!r} {vars(auth)}"
    assert "HSTA***" in printed
    assert PROJECT in printed
    assert TEMPORARY.security_token is not None
    assert TEMPORARY.secret_key not in printed
    assert TEMPORARY.security_token not in printed
