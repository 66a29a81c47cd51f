"""Which call a request is, what is not emulated, the pages of the cluster list, the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.calls import NOT_EMULATED
from airflow_css.emulator.clock import TurnableClock
from airflow_css.protocol import wire
from tests.emulator.callers import Caller, refusal, signed_request


@pytest.mark.parametrize("call", NOT_EMULATED, ids=lambda call: call.name)
def test_a_call_that_css_has_and_the_emulator_has_not_is_refused_by_name(caller: Caller, call: wire.Call[Any]) -> None:
    """It is answered 501 with the name of the call, and seen under that name."""
    reply = caller.call(call)
    assert reply.status == 501
    assert call.name in reply.json()["externalMessage"]
    assert caller.emulator.count(call.name) == 1


def test_a_deletion_without_an_id_deletes_nothing(caller: Caller) -> None:
    """The path with an empty id is no call, and the one that turns the function off keeps what there is."""
    caller.emulator.add_snapshot("old-one")
    base = f"/v1.0/{caller.emulator.project_id}/clusters/{caller.emulator.cluster_id}"
    assert refusal(caller.send("DELETE", f"{base}/index_snapshot/")) == (404, "APIGW.0101")
    assert caller.send("DELETE", f"{base}/index_snapshots").status == 200
    assert len(caller.listed()) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/v1.0"), ("PATCH", "/v1.0/{p}/clusters"), ("GET", "/v9/{p}/clusters")]
)
def test_what_is_no_api_is_refused_by_the_gateway(caller: Caller, method: str, path: str) -> None:
    """An unknown path or method is 404 APIGW.0101 in the gateway's shape."""
    reply = caller.send(method, path.format(p=caller.emulator.project_id))
    assert refusal(reply) == (404, "APIGW.0101")
    assert reply.json()["request_id"] == reply.headers["X-Request-Id"]


def test_the_signature_comes_before_the_path(caller: Caller) -> None:
    """An unsigned request for an unknown path is told about its signature."""
    request = signed_request(caller.emulator, "GET", "/nothing", secret_key="wrong")
    assert refusal(caller.emulator.handle(request)) == (401, "APIGW.0301")


def test_another_project_is_not_available(caller: Caller) -> None:
    """A call under another project id is 403 APIGW.0310."""
    reply = caller.call(wire.LIST_CLUSTERS, project_id="0" * 32)
    assert refusal(reply) == (403, "APIGW.0310")


def test_escapes_and_the_case_of_the_method_do_not_matter(caller: Caller) -> None:
    """What the signature takes for equal is the same call."""
    path = f"/v1.0/{caller.emulator.project_id}/clusters/{caller.emulator.cluster_id.replace('-', '%2d')}"
    assert caller.send("gEt", path).json()["id"] == caller.emulator.cluster_id


def test_every_answer_has_a_request_id(caller: Caller) -> None:
    """Each answer, good or bad, carries one of its own."""
    replies = [caller.create("first"), caller.create("first"), caller.send("GET", "/nothing")]
    ids = [reply.headers["X-Request-Id"] for reply in replies]
    assert len(set(ids)) == 3
    assert all(len(request_id) == 32 for request_id in ids)


def _many() -> Caller:
    names = [f"c{number:02}" for number in range(25)]
    return Caller(CssEmulator(clock=TurnableClock(frozen=True), clusters=names))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", range(24, 14, -1)),
        ("offset=1&limit=3", (24, 23, 22)),
        ("offset=2&limit=2", (23, 22)),
        ("offset=21", range(4, -1, -1)),
        ("offset=26", ()),
        ("limit=1000", range(24, -1, -1)),
    ],
)
def test_the_cluster_list_comes_in_pages(query: str, names: range) -> None:
    """The first cluster has the number 1, a page has 10 unless told otherwise, newest first, and the total is told."""
    reply = _many().call(wire.LIST_CLUSTERS, query=query)
    assert reply.status == 200
    assert [cluster["name"] for cluster in reply.json()["clusters"]] == [f"c{number:02}" for number in names]
    assert reply.json()["totalSize"] == 25


@pytest.mark.parametrize(
    "query", ["offset=0", "offset=1001", "limit=0", "limit=x", "limit=-1", "limit=", "limit=%D9%A1"]
)
def test_a_page_out_of_range_is_refused(caller: Caller, query: str) -> None:
    """Offset and limit are 1 to 1000."""
    assert refusal(caller.call(wire.LIST_CLUSTERS, query=query)) == (400, "CSS.0001")


def test_the_cluster_list_can_be_limited_to_an_engine(caller: Caller) -> None:
    """The engine's name counts in any case."""
    caller.emulator.add_cluster("logs", engine="opensearch", engine_version="2.19.0")
    reply = caller.call(wire.LIST_CLUSTERS, query="datastoreType=openSearch")
    assert [cluster["name"] for cluster in reply.json()["clusters"]] == ["logs"]
    assert reply.json()["totalSize"] == 1


def test_the_log_tells_what_came_in_and_how_it_was_answered(caller: Caller) -> None:
    """Method, path, call, time and status of each request are kept, refused ones included."""
    before = caller.emulator.clock.now()
    caller.create("first")
    caller.advance(1)
    caller.create("second")
    caller.send("GET", "/nothing")
    seen = caller.emulator.requests
    path = f"/v1.0/{caller.emulator.project_id}/clusters/{caller.emulator.cluster_id}/index_snapshot"
    assert [(s.method, s.path, s.call, s.status) for s in seen] == [
        ("POST", path, "create_snapshot", 201),
        ("POST", path, "create_snapshot", 409),
        ("GET", "/nothing", "", 404),
    ]
    assert [(s.at - before).total_seconds() for s in seen] == [0, 1, 1]
    assert caller.emulator.count("create_snapshot") == 2
    assert caller.emulator.count("list_snapshots") == 0


def test_the_log_holds_no_secret() -> None:
    """Neither the keys, nor the token, nor the signature, nor query and body are kept."""
    emulator = CssEmulator(security_token="planted-token", secret_key="planted-secret")
    path = f"/v1.0/{emulator.project_id}/clusters"
    request = signed_request(emulator, "GET", path, b"planted-body", query="a=planted-query")
    emulator.handle(request)
    authorization = request.headers.get("Authorization")
    assert authorization is not None
    kept = repr(emulator.requests)
    assert [word for word in ("planted", authorization[-64:]) if word in kept] == []
    assert [word for word in ("planted-body", "planted-token", authorization[-64:]) if word in repr(request)] == []
    assert "/clusters" in kept


def test_a_reply_is_not_changed_by_the_next_one(caller: Caller) -> None:
    """An answer belongs to its caller: the list that was read stays as it was."""
    first = caller.call(wire.LIST_SNAPSHOTS)
    copy = replace(first)
    caller.create("first")
    assert first == copy
    assert first.json() == {"backups": []}
