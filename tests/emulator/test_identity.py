"""The services over HTTP: their ports, how they go down and come up, and that CSS takes their keys."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.identity import SERVICES
from airflow_css.emulator.keys import Key
from tests.emulator.asking import KEY_PATH, TOKEN_PATH, Asker, key_of


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """Return an emulator that serves all of it."""
    with CssEmulator(identity=True) as emulator:
        yield emulator


def _send(method: str, url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(method, parts.path, headers=dict(headers or {}))
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def _security_key(emulator: CssEmulator) -> Key:
    url = emulator.identity.metadata_url
    _, token = _send("PUT", url + TOKEN_PATH, {"X-Metadata-Token-Ttl-Seconds": "60"})
    status, text = _send("GET", url + KEY_PATH, {"X-Metadata-Token": token})
    assert status == 200
    credential = json.loads(text)["credential"]
    return Key(credential["access"], credential["secret"], credential["securitytoken"])


def test_each_service_has_an_address_of_its_own(emulator: CssEmulator) -> None:
    """Three ports of loopback besides that of CSS, each with its own calls only."""
    identity = emulator.identity
    urls = (emulator.url, identity.iam_url, identity.metadata_url, identity.pod_url)
    assert len({urlsplit(url).port for url in urls}) == 4
    assert {urlsplit(url).hostname for url in urls} == {"127.0.0.1"}
    assert _send("GET", f"{identity.pod_url}{KEY_PATH}")[0] == 404
    assert _send("GET", f"{identity.iam_url}{KEY_PATH}")[0] == 401


def test_css_takes_the_keys_of_a_server_over_http(emulator: CssEmulator) -> None:
    """A key from the metadata service passes, is refused after its rotation, and the next one passes."""
    asker = Asker(emulator)
    key = _security_key(emulator)
    assert asker.css(key).status == 200
    emulator.identity.metadata.key.rotate()
    assert asker.css(key).status == 401
    assert asker.css(_security_key(emulator)).status == 200


def test_a_pod_is_told_where_and_with_what(emulator: CssEmulator, tmp_path: Path) -> None:
    """The two variables lead to a key."""
    env = emulator.identity.pod_environment(tmp_path / "token")
    token = Path(env["HC_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read_text().strip()
    assert _send("POST", env["HC_CONTAINER_CREDENTIALS_FULL_URI"], {"Authorization": token})[0] == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_goes_down_and_comes_up_where_it_was(emulator: CssEmulator, service: str) -> None:
    """While it is down connections are refused, the others serve on, and its address stays the same."""
    identity = emulator.identity
    urls = {"iam": identity.iam_url, "metadata": identity.metadata_url, "pod": identity.pod_url}
    identity.take_down(service)
    for name, url in urls.items():
        if name == service:
            with pytest.raises(ConnectionRefusedError):
                _send("GET", url)
        else:
            assert _send("GET", url)[0] in {401, 404}
    identity.bring_up(service)
    assert _send("GET", urls[service])[0] in {401, 404}


def test_only_what_serves_goes_down_and_only_what_is_down_comes_up(emulator: CssEmulator) -> None:
    """A wrong name and a wrong moment are refused in words."""
    with pytest.raises(ValueError, match="these do: iam, metadata, pod"):
        emulator.identity.take_down("css")
    with pytest.raises(ValueError, match="down are none"):
        emulator.identity.bring_up("iam")


def test_a_held_request_gets_lost_when_the_emulator_stops() -> None:
    """Nothing is left behind, as with CSS."""
    with CssEmulator(identity=True) as emulator:
        hold = emulator.identity.faults.hold("get_metadata_token")
        connection = http.client.HTTPConnection(urlsplit(emulator.identity.metadata_url).netloc, timeout=10)
        connection.request("PUT", TOKEN_PATH)
        hold.wait_until_reached()
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()
    connection.close()


def test_they_serve_only_when_asked_to() -> None:
    """Without the option nothing listens, but the services answer without a socket."""
    with CssEmulator() as emulator, pytest.raises(RuntimeError, match="between start\\(\\) and stop\\(\\)"):
        _ = emulator.identity.iam_url
    assert key_of(Asker(emulator).security_key()).access_key


def test_after_a_stop_there_is_no_address() -> None:
    """Addresses end with the emulator, and come anew when it is started again."""
    emulator = CssEmulator(identity=True)
    for _ in range(2):
        with emulator:
            assert _send("GET", emulator.identity.metadata_url)[0] == 404
        with pytest.raises(RuntimeError):
            _ = emulator.identity.metadata_url
