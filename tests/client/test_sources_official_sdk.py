"""Our sources of keys ask as those of the official SDK do: the same requests, in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_css.client.clock import SystemClock
from airflow_css.client.credentials import Credentials
from airflow_css.client.iam import PROJECTS, AgencyKeys, find_project_id
from airflow_css.client.key_ring import KeyRing
from airflow_css.client.machine_keys import MetadataKeys, PodIdentityKeys
from airflow_css.client.rules import SendingRules
from airflow_css.client.sources import FixedKeys
from airflow_css.emulator import CssEmulator
from tests.emulator.recording import recording

CLOCK = SystemClock()


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """An emulator that hands keys out."""
    with CssEmulator(identity=True) as emulator:
        yield emulator
    # The next one may get the same port, and is another one.
    PROJECTS.forget()


def _vector(name: str) -> list[dict[str, Any]]:
    path = Path(__file__).parents[1] / "vectors" / "identity" / f"{name}.json"
    requests: list[dict[str, Any]] = json.loads(path.read_text())["requests"]
    return requests


@pytest.mark.parametrize("name", ["metadata", "metadata_older", "metadata_token_refused"])
def test_a_server_is_asked_as_by_the_official_sdk(emulator: CssEmulator, name: str) -> None:
    """Token, keys and fallbacks are the same requests with the same headers."""
    metadata = emulator.identity.metadata
    metadata.token_status = 404 if name == "metadata_older" else 200
    with recording(emulator.identity, "metadata") as recorder:
        source = MetadataKeys(recorder.url)
        source.fetch(CLOCK)
        if name == "metadata_token_refused":
            recorder.sent.clear()
            metadata.forget_tokens()
            source.fetch(CLOCK)
    # The SDK's vector may begin with what was asked before the token was refused.
    assert recorder.sent == _vector(name)[-len(recorder.sent) :]
    assert len(recorder.sent) == 2 or name == "metadata_token_refused"


def test_a_pod_asks_as_the_official_sdk_does(emulator: CssEmulator, tmp_path: Path) -> None:
    """The proof stands in the same header, above the same empty object."""
    emulator.identity.pod.write_token(tmp_path / "token")
    with recording(emulator.identity, "pod") as recorder:
        PodIdentityKeys(f"{recorder.url}/v1/credentials", str(tmp_path / "token")).fetch(CLOCK)
    assert recorder.sent == _vector("pod")


def _core(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request without what may differ: more headers, and who the agency's keys are for."""
    core = {name: request[name] for name in ("method", "path", "query", "body")}
    if core["body"]:
        core["body"]["auth"]["identity"]["assume_role"].pop("session_user", None)
    return core


def test_a_project_is_looked_up_as_by_the_official_sdk(emulator: CssEmulator) -> None:
    """The same query, signed, with the token of temporary keys."""
    key = emulator.identity.issuer.issue(3600)
    ring = KeyRing(FixedKeys(Credentials(key.access_key, key.secret_key, key.security_token)), CLOCK)
    with recording(emulator.identity, "iam") as recorder:
        find_project_id(ring, "eu-west-101", recorder.url, rules=SendingRules(), clock=CLOCK)
    (sent,), (official,) = recorder.sent, _vector("list_projects")
    assert _core(sent) == _core(official)
    assert set(official["headers"]) <= set(sent["headers"])


def test_an_agency_is_asked_for_as_by_the_official_sdk(emulator: CssEmulator) -> None:
    """The same order in the same body, signed."""
    base = FixedKeys(Credentials(emulator.access_key, emulator.secret_key))
    with recording(emulator.identity, "iam") as recorder:
        AgencyKeys(base, recorder.url, "css-loader", "emulator-account").fetch(CLOCK)
    (sent,), (official,) = recorder.sent, _vector("assume_agency")
    assert _core(sent) == _core(official)
    assert {"authorization", "x-sdk-date"} <= set(sent["headers"])
