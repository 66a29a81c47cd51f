"""Keys of a pod and of a server: the requests, the fallbacks, and to whom nothing is ever shown."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_css.client.clock import SystemClock
from airflow_css.client.machine_keys import MetadataKeys, PodIdentityKeys, check_metadata_address
from airflow_css.client.unsigned import ask_plainly
from airflow_css.emulator import CssEmulator
from airflow_css.emulator.identity import IdentityEmulator
from airflow_css.protocol.errors import CssConfigError, CssError, CssReplyError, CssTransportError

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def emulator() -> Iterator[CssEmulator]:
    """An emulator that also hands keys out."""
    with CssEmulator(identity=True) as emulator:
        yield emulator


@pytest.fixture
def identity(emulator: CssEmulator) -> Iterator[IdentityEmulator]:
    """The services that hand keys out, as they are at first."""
    identity = emulator.identity
    identity.faults.clear()
    metadata = identity.metadata
    metadata.token_status, metadata.wants_token, metadata.has_agency = 200, True, True
    yield identity
    identity.faults.clear()


def _calls(identity: IdentityEmulator, since: int) -> list[tuple[str, int | None]]:
    return [(seen.call, seen.status) for seen in identity.requests[since:]]


def test_a_server_asks_for_a_token_once_and_then_for_keys(identity: IdentityEmulator) -> None:
    """The token of the metadata service is kept for the next question."""
    source, before = MetadataKeys(identity.metadata_url), len(identity.requests)
    fetched = source.fetch(CLOCK)
    source.fetch(CLOCK)
    assert fetched.credentials.access_key == identity.issued[-1].access_key
    assert fetched.expires_at == identity.issued[-1].expires_at
    assert _calls(identity, before) == [
        ("get_metadata_token", 200),
        ("get_security_key", 200),
        ("get_security_key", 200),
    ]


@pytest.mark.parametrize("status", [404, 405, 503])
def test_an_old_metadata_service_is_asked_without_a_token(identity: IdentityEmulator, status: int) -> None:
    """A service from before the token gives keys all the same."""
    identity.metadata.token_status = status
    assert MetadataKeys(identity.metadata_url).fetch(CLOCK).credentials.security_token


def test_a_token_that_is_refused_is_exchanged_once(identity: IdentityEmulator) -> None:
    """A token that the service no longer knows costs one more question."""
    source = MetadataKeys(identity.metadata_url)
    source.fetch(CLOCK)
    identity.metadata.forget_tokens()
    before = len(identity.requests)
    source.fetch(CLOCK)
    assert [status for _, status in _calls(identity, before)] == [401, 200, 200]


def test_a_server_without_an_agency_asks_no_second_time(identity: IdentityEmulator) -> None:
    """A 401 that speaks of the agency is final, and says what to do."""
    identity.metadata.has_agency = False
    before = len(identity.requests)
    with pytest.raises(CssConfigError, match="Give the server an agency"):
        MetadataKeys(identity.metadata_url).fetch(CLOCK)
    assert len(_calls(identity, before)) == 2


@pytest.mark.parametrize(
    ("call", "status"),
    # A 404 to the question for a token comes from an old service, which wants none.
    [("get_metadata_token", status) for status in (400, 401, 403)]
    + [("get_security_key", status) for status in (400, 401, 403, 404)],
)
def test_a_refusal_means_no_keys(identity: IdentityEmulator, status: int, call: str) -> None:
    """Whatever answers there and refuses has no keys: nothing is retried, and who looked everywhere learns the ways."""
    identity.faults.answer(status, body="<html></html>", call=call, times=None)
    for is_found, words in ((False, "Give the server an agency"), (True, f"HTTP {status}.*HUAWEICLOUD_SDK_AK")):
        with pytest.raises(CssConfigError, match=words) as caught:
            MetadataKeys(identity.metadata_url, is_found=is_found).fetch(CLOCK)
        assert caught.value.lacks_keys


@pytest.mark.parametrize("call", ["get_metadata_token", "get_security_key"])
@pytest.mark.parametrize(("status", "body"), [(500, ""), (429, ""), (200, "<html>\n</html>")])
def test_a_page_or_a_failure_names_the_ways_too(identity: IdentityEmulator, call: str, status: int, body: str) -> None:
    """A failing service may come back, so it is retried; who has no keys at all is told what else to do."""
    for is_found in (False, True):
        identity.faults.answer(status, body=body, call=call, times=1)
        with pytest.raises(CssError) as caught:
            MetadataKeys(identity.metadata_url, is_found=is_found).fetch(CLOCK)
        assert caught.value.curable
        assert ("set HUAWEICLOUD_SDK_AK" in str(caught.value)) is is_found


def test_a_pod_shows_what_its_file_holds_now(identity: IdentityEmulator, tmp_path: Path) -> None:
    """The file is read each time, because it is exchanged from time to time."""
    file = tmp_path / "token"
    identity.pod.write_token(file)
    source = PodIdentityKeys(identity.pod_url, str(file))
    assert source.fetch(CLOCK).credentials.access_key == identity.issued[-1].access_key
    identity.pod.token = "another-proof"
    with pytest.raises(CssConfigError, match="Bind its service account"):
        source.fetch(CLOCK)
    identity.pod.write_token(file)
    assert source.fetch(CLOCK).credentials.security_token


@pytest.mark.parametrize("text", ["", "\n", "two\nlines", "umläut"])
def test_a_file_without_a_token_is_refused(identity: IdentityEmulator, tmp_path: Path, text: str) -> None:
    """What cannot stand in a header is not sent, and not shown."""
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CssConfigError, match="holds no token") as caught:
        PodIdentityKeys(identity.pod_url, str(file)).fetch(CLOCK)
    assert "two" not in str(caught.value)


def test_a_missing_file_is_told(identity: IdentityEmulator) -> None:
    """The variable is named, with the reason of the system."""
    with pytest.raises(CssConfigError, match="No such file"):
        PodIdentityKeys(identity.pod_url, "/nowhere/token").fetch(CLOCK)


@pytest.mark.parametrize(
    "uri",
    [
        "http://credentials.example.com/v1",
        "http://10.0.0.1/v1",
        "http://169.254.169.254/openstack/latest/securitykey",
        "https://169.254.169.254/",
        "http://127.0.0.1@evil.example.com/",
        "http://127.0.0.1.evil.example.com/",
        "http://[::ffff:10.0.0.1]/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "/v1/credentials",
        "http://[::1",
        "",
    ],
)
def test_a_pods_proof_is_shown_to_nobody_else(uri: str, tmp_path: Path) -> None:
    """An address that is neither https, nor this machine or its link, is refused before the file is read."""
    with pytest.raises(CssConfigError, match="HC_CONTAINER_CREDENTIALS_FULL_URI"):
        PodIdentityKeys(uri, str(tmp_path / "missing")).fetch(CLOCK)


@pytest.mark.parametrize(
    "uri",
    ["https://credentials.example.com/v1", "http://169.254.170.23/v1", "http://[fe80::1]/", "http://localhost:1/"],
)
def test_a_near_or_encrypted_address_is_legal(uri: str, tmp_path: Path) -> None:
    """These addresses pass, so that only the missing file is told."""
    with pytest.raises(CssConfigError, match="cannot be read"):
        PodIdentityKeys(uri, str(tmp_path / "missing")).fetch(CLOCK)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("", "http://169.254.169.254"),
        (" http://169.254.169.254/ ", "http://169.254.169.254"),
        ("off", ""),
        ("Off", ""),
        ("http://127.0.0.1:8100", "http://127.0.0.1:8100"),
    ],
)
def test_the_metadata_service_answers_at_one_address(given: str, address: str) -> None:
    """The usual address, none, or one of this machine for tests."""
    assert check_metadata_address(given) == address


@pytest.mark.parametrize(
    "given", ["http://10.0.0.1", "https://metadata.example.com", "on", "http://127.0.0.1.evil.com"]
)
def test_another_metadata_address_is_refused(given: str) -> None:
    """Keys are taken from no other machine."""
    with pytest.raises(CssConfigError, match="metadata_endpoint"):
        check_metadata_address(given)


@pytest.mark.parametrize("call", ["get_security_key", "get_pod_credentials"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("500", CssTransportError),
        ("302", CssTransportError),
        ("not JSON", CssReplyError),
        ("no credential", CssReplyError),
        ("no token", CssReplyError),
        ("odd expiry", CssReplyError),
        ("token with a line break", CssReplyError),
        ("dropped", CssTransportError),
    ],
)
def test_an_odd_answer_is_told_without_what_it_held(
    identity: IdentityEmulator, tmp_path: Path, call: str, fault: str, kind: type[CssError]
) -> None:
    """Whatever comes instead of keys, a retry may help, and nothing of the answer is shown."""
    strikes = {
        "500": lambda: identity.faults.answer(500, body="planted-text", call=call),
        "302": lambda: identity.faults.redirect("http://127.0.0.1:1/planted-text", call=call),
        "not JSON": lambda: identity.faults.answer(200, body="planted-text", call=call),
        "no credential": lambda: identity.faults.answer(200, body='["planted-text"]', call=call),
        "no token": lambda: identity.faults.odd_key(without=["securitytoken"], call=call),
        "odd expiry": lambda: identity.faults.odd_key(changed={"expires_at": "planted-text"}, call=call),
        "token with a line break": lambda: identity.faults.odd_key(
            changed={"securitytoken": "planted-text\n"}, call=call
        ),
        "dropped": lambda: identity.faults.drop(call=call),
    }
    strikes[fault]()
    file = tmp_path / "token"
    identity.pod.write_token(file)
    pod, server = PodIdentityKeys(identity.pod_url, str(file)), MetadataKeys(identity.metadata_url)
    with pytest.raises(kind) as caught:
        (pod if call == "get_pod_credentials" else server).fetch(CLOCK)
    assert caught.value.curable
    assert "planted-text" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


def _dribbling(server: socket.socket, stop: threading.Event, head: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(head)
        while not stop.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "more than 0.3 seconds"),
        (b"HTTP/1.1 200 OK\r\nX-Header: ", "more than 0.9 seconds"),
    ],
    ids=["body", "headers"],
)
def test_an_answer_that_never_ends_is_given_up(head: bytes, words: str) -> None:
    """A server that sends a byte now and then, of headers or body, holds nobody longer than the time-outs."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_dribbling, args=(server, stop, head))
        thread.start()
        began = time.monotonic()
        with pytest.raises(CssTransportError, match=words):
            ask_plainly(
                "GET",
                f"http://127.0.0.1:{server.getsockname()[1]}/",
                headers={},
                whom="The place",
                connect_seconds=0.3,
                read_seconds=0.3,
            )
        stop.set()
        thread.join(20)
    assert time.monotonic() - began < 20


def test_a_flood_is_no_answer(identity: IdentityEmulator) -> None:
    """An answer much longer than keys is given up."""
    identity.faults.answer(200, body="x" * 70_000, call="get_security_key")
    with pytest.raises(CssTransportError, match="65536 bytes"):
        MetadataKeys(identity.metadata_url).fetch(CLOCK)


def test_a_host_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    """A name with an empty part is noticed late, and is an error of ours all the same."""
    file = tmp_path / "token"
    file.write_text("proof")
    with pytest.raises(CssTransportError, match="no address") as caught:
        PodIdentityKeys("https://a..b/", str(file)).fetch(CLOCK)
    assert not caught.value.request_may_have_arrived
