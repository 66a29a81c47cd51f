"""The emulator's own calls about documents, over HTTP as another process makes them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from tests.emulator.callers import Caller

INDICES = {"orders": 3, "customers": 1}


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """Return an emulator that serves, with a clock that stands still."""
    with CssEmulator(
        clock=TurnableClock(frozen=True), indices=INDICES, secret_key="planted-secret", security_token="planted-token"
    ) as emulator:
        yield emulator


def _send(emulator: CssEmulator, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def _call(emulator: CssEmulator, method: str, rest: str = "", payload: Any = None) -> tuple[int, Any]:
    """Make a call about the first cluster's indices."""
    body = None if payload is None else json.dumps(payload).encode()
    return _send(emulator, method, f"/_emulator/clusters/{emulator.cluster_id}/indices{rest}", body)


def test_documents_are_looked_at_and_changed_over_http(emulator: CssEmulator) -> None:
    """Each call answers with what is there afterwards, and needs no signature."""
    one, two = {"cents": 5}, {"lines": [{"sku": "ü"}]}
    assert _call(emulator, "POST", "/orders/documents", {"1": one}) == (200, {"1": one})
    assert _call(emulator, "PUT", "/orders/documents/2", two) == (200, two)
    assert _call(emulator, "GET", "/orders/documents") == (200, {"1": one, "2": two})
    assert _call(emulator, "GET", "/orders/documents/2") == (200, two)
    assert _call(emulator, "DELETE", "/orders/documents/1") == (200, {})
    assert emulator.index("orders").documents() == {"2": two}
    assert _call(emulator, "DELETE", "/orders/documents") == (200, {})
    assert emulator.index("orders").documents() == {}


def test_indices_are_made_and_removed_over_http(emulator: CssEmulator) -> None:
    """They are shown with their shards and how many documents they hold."""
    shown = {"shards": 2, "documents": 0, "being_restored": False}
    assert _call(emulator, "PUT", "/totals", {"shards": 2}) == (200, shown)
    _call(emulator, "POST", "/totals/documents", {"1": {}})
    assert _call(emulator, "GET", "/totals") == (200, {**shown, "documents": 1})
    assert _call(emulator, "DELETE", "/orders") == (200, {})
    status, indices = _call(emulator, "GET")
    assert (status, list(indices)) == (200, ["customers", "totals"])
    status, clusters = _send(emulator, "GET", "/_emulator/clusters")
    assert (status, clusters) == (200, [{"id": emulator.cluster_id, "name": "search-dev", "indices": indices}])


def test_any_id_can_be_written_in_a_path(emulator: CssEmulator) -> None:
    """Percent-encoded it may hold a slash, a blank or an umlaut."""
    assert _call(emulator, "PUT", "/orders/documents/a%2Fb%20%C3%BC", {"n": 1}) == (200, {"n": 1})
    assert emulator.index("orders").documents() == {"a/b ü": {"n": 1}}


@pytest.mark.parametrize(
    ("method", "rest", "payload", "told"),
    [
        ("GET", "/nothing", None, (404, "has no index nothing")),
        ("GET", "/nothing/documents", None, (404, "has no index nothing")),
        ("DELETE", "/nothing", None, (404, "has no index nothing")),
        ("GET", "/orders/documents/7", None, (404, "has no document 7")),
        ("DELETE", "/orders/documents/7", None, (404, "has no document 7")),
        ("PATCH", "/orders", {}, (404, "no such call with PATCH")),
        ("POST", "", {}, (404, "no such call with POST")),
        ("GET", "/orders/documents/1/2", None, (404, "known are /_emulator/clusters")),
        ("PUT", "/orders", {"shards": 1}, (400, "has 3 shards")),
        ("PUT", "/totals", {"shards": "1"}, (400, "shards is a whole number")),
        ("PUT", "/totals", {"replicas": 1}, (400, "unknown: replicas")),
        ("PUT", "/Totals", {}, (400, "no name of an index")),
        ("POST", "/orders/documents", {"1": 5}, (400, "is a JSON object")),
        ("POST", "/orders/documents", [1], (400, "JSON object")),
        ("PUT", "/orders/documents/1", {"text": "x" * 20_000}, (400, "larger than 16384 bytes")),
    ],
)
def test_a_wrong_call_is_explained(
    emulator: CssEmulator, method: str, rest: str, payload: Any, told: tuple[int, str]
) -> None:
    """It is answered with a sentence, and changes nothing."""
    status, answer = _call(emulator, method, rest, payload)
    assert (status, told[1] in answer["error"]) == (told[0], True), answer
    assert emulator.indices() == INDICES
    assert emulator.index("orders").documents() == {}


@pytest.mark.parametrize("body", [b"{", b'{"1": NaN}', b'{"1": ' + b"[" * 9_000 + b"]" * 9_000 + b"}"])
def test_a_body_that_cannot_be_held_is_explained(emulator: CssEmulator, body: bytes) -> None:
    """What is no JSON, or goes too deep, is answered 400."""
    path = f"/_emulator/clusters/{emulator.cluster_id}/indices/orders/documents/1"
    assert _send(emulator, "PUT", path, body)[0] == 400


def test_an_unknown_cluster_is_explained(emulator: CssEmulator) -> None:
    """It is answered 404 with the words of CSS."""
    status, answer = _send(emulator, "GET", "/_emulator/clusters/nope/indices")
    assert (status, "nope does not exist" in answer["error"]) == (404, True)


def test_an_index_that_is_being_restored_answers_409(emulator: CssEmulator) -> None:
    """It is shown as such, and has its documents back afterwards."""
    emulator.index("orders").write({"1": {"cents": 5}})
    snapshot_id = emulator.add_snapshot("old-one")
    emulator.index("orders").clear()
    Caller(emulator).restore(snapshot_id, replace_exist_indices=True)
    status, answer = _call(emulator, "GET", "/orders/documents")
    assert (status, "being restored" in answer["error"]) == (409, True)
    assert _call(emulator, "PUT", "/orders/documents/1", {})[0] == 409
    assert _call(emulator, "GET", "/orders")[1]["being_restored"]
    emulator.clock.advance(2)
    assert _call(emulator, "GET", "/orders/documents") == (200, {"1": {"cents": 5}})
    assert not _call(emulator, "GET", "/orders")[1]["being_restored"]


def test_no_answer_holds_a_secret(emulator: CssEmulator) -> None:
    """Neither keys nor token are in what is shown."""
    shown = [_send(emulator, "GET", path) for path in ("/_emulator/clusters", "/_emulator/state")]
    assert "search-dev" in str(shown)
    assert "planted" not in str(shown)


def test_the_calls_are_no_calls_of_css(emulator: CssEmulator) -> None:
    """They are not in the log of requests, and the same path without the prefix is no API."""
    _call(emulator, "GET")
    assert emulator.requests == ()
    reply = Caller(emulator).send("GET", f"/clusters/{emulator.cluster_id}/indices")
    assert reply.json()["error_code"] == "APIGW.0101"
