"""The emulator's own calls: what people and other processes drive it with."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.control import KINDS
from airflow_css.emulator.exchange import Reply, Request
from tests.emulator.callers import Caller


def _control(caller: Caller, method: str, name: str, payload: Any = None) -> Reply:
    body = b"" if payload is None else json.dumps(payload).encode()
    return caller.emulator.handle(Request(method, f"/_emulator/{name}", body=body))


def test_the_state_shows_everything_there_is(caller: Caller) -> None:
    """Clusters, policies, snapshots, faults, holds and requests are all in it, and no signature is asked for."""
    created = caller.created("first")
    caller.emulator.faults.drop(call="list_snapshots", times=None)
    caller.emulator.faults.hold("get_cluster")
    reply = _control(caller, "GET", "state")
    assert reply.status == 200
    state = reply.json()
    assert state["now"] == caller.emulator.clock.now().isoformat()
    (cluster,) = state["clusters"]
    assert cluster["cluster"]["actions"] == ["SNAPSHOTTING"]
    assert cluster["cancelled_automatic_snapshots"] == 0
    assert cluster["policy"]["enable"] == "false"
    assert [entry["id"] for entry in cluster["snapshots"]] == [created.id]
    assert [(f["kind"], f["call"], f["times"]) for f in state["faults"]] == [
        ("answer", "list_snapshots", None),
        ("hold", "get_cluster", 1),
    ]
    assert [hold["reached"] for hold in state["holds"]] == [False]
    assert [(seen["call"], seen["status"]) for seen in state["requests"]] == [("create_snapshot", 201)]


def test_the_state_shows_no_secret() -> None:
    """Keys and token are not in it, however it was called before."""
    emulator = CssEmulator(
        secret_key="planted-secret", security_token="planted-token", clock=TurnableClock(frozen=True)
    )
    caller = Caller(emulator)
    caller.created("first")
    assert b"planted" not in _control(caller, "GET", "state").body


def test_the_clock_can_be_turned(caller: Caller) -> None:
    """A snapshot ends when the clock is turned past its time."""
    caller.created("first")
    reply = _control(caller, "POST", "clock", {"advance": 2})
    assert reply.json() == {"now": caller.emulator.clock.now().isoformat()}
    assert caller.listed()[0]["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "answer", "status": 503, "code": "CSS.0005"}, 503),
        ({"kind": "throttle", "retry_after": 2}, 429),
        ({"kind": "busy", "call": "create_snapshot"}, 409),
        ({"kind": "html"}, 502),
        ({"kind": "not_json"}, 200),
        ({"kind": "redirect", "location": "/x"}, 302),
        ({"kind": "without_backup"}, 201),
        ({"kind": "drop", "when": "after"}, 0),
        ({"kind": "truncate"}, 201),
        ({"kind": "fate", "ending": "failed"}, 201),
        ({"kind": "slow", "seconds": 0}, 201),
        ({"kind": "odd_entries", "null": ["endTime"]}, 201),
        ({"kind": "restore_fate", "ending": "failed", "stale": 5}, 201),
        ({"kind": "slow_deletion", "takes": 5}, 201),
    ],
)
def test_every_kind_of_fault_can_be_scripted(caller: Caller, fault: dict[str, Any], status: int) -> None:
    """What is posted strikes the next creation."""
    assert _control(caller, "POST", "faults", fault).status == 200
    assert caller.create("first").status == status


def test_the_script_can_be_cleared(caller: Caller) -> None:
    """After clearing nothing strikes any more."""
    _control(caller, "POST", "faults", {"kind": "answer", "status": 503, "times": None})
    assert _control(caller, "POST", "faults", {"kind": "clear"}).json() == {"faults": []}
    assert caller.create("first").status == 201


@pytest.mark.parametrize(("lose", "delivery"), [(False, "whole"), (True, "none")])
def test_a_hold_can_be_driven_from_another_process(caller: Caller, lose: bool, delivery: str) -> None:  # noqa: FBT001 - a case
    """It is set, watched and released by calls, and a release can lose the request."""
    hold = _control(caller, "POST", "faults", {"kind": "hold", "call": "create_snapshot"}).json()
    assert hold == {"id": 1, "call": "create_snapshot", "when": "before", "reached": False, "released": False}
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(caller.create("first")))
    thread.start()
    caller.emulator.faults.holds[0].wait_until_reached(5)
    assert _control(caller, "GET", "holds").json()[0]["reached"]
    assert _control(caller, "POST", "release", {"id": 1, "lose": lose}).json()[0]["released"]
    thread.join(5)
    assert replies[0].delivery == delivery


@pytest.mark.parametrize(
    ("name", "payload", "message"),
    [
        ("clock", {}, "advance"),
        ("clock", {"advance": "1"}, "advance"),
        ("clock", {"advance": -1}, "advance is a number of seconds"),
        ("clock", {"advance": 1e300}, "advance is a number of seconds"),
        ("clock", {"advance": True}, "advance is a number of seconds"),
        ("clock", [1], "JSON object"),
        ("faults", {}, "kind is one of"),
        ("faults", {"kind": "close"}, "kind is one of"),
        ("faults", {"kind": "answer"}, "status"),
        ("faults", {"kind": "answer", "status": "500"}, "status is a whole number"),
        ("faults", {"kind": "drop", "cal": "create_snapshot"}, "unknown: cal; known are call, skip, times, when"),
        ("faults", {"kind": "hold", "call": "create"}, "a call is one of"),
        ("release", {"id": 7}, "there is no hold 7"),
        ("indices", {}, "indices is a list of names"),
        ("indices", {"indices": "orders"}, "indices is a list of names"),
        ("indices", {"indices": [1]}, "an index name is a text"),
        ("indices", {"indices": {"orders": 0}}, "the number of shards of orders is a whole number"),
        ("indices", {"cluster_id": "x", "indices": []}, "cluster_id is one of"),
    ],
)
def test_a_wrong_control_call_is_explained(caller: Caller, name: str, payload: Any, message: str) -> None:
    """It is answered 400 with a sentence, and changes nothing."""
    before = caller.emulator.clock.now()
    reply = _control(caller, "POST", name, payload)
    assert reply.status == 400
    assert message in reply.json()["error"]
    assert caller.emulator.clock.now() == before
    assert caller.emulator.faults.shown() == []


def test_indices_can_be_set_and_seen(caller: Caller) -> None:
    """A list of names or an object with their shards is what the cluster holds from then on."""
    assert _control(caller, "POST", "indices", {"indices": ["a", "b"]}).json() == {"indices": ["a", "b"]}
    caller.created("first")
    body = {"cluster_id": caller.emulator.cluster_id, "indices": {"c": 5}}
    assert _control(caller, "POST", "indices", body).status == 200
    (cluster,) = _control(caller, "GET", "state").json()["clusters"]
    assert (cluster["indices"], cluster["snapshots"][0]["indices"]) == (["c"], "a,b")


def test_one_of_several_clusters_is_named(caller: Caller) -> None:
    """Without an id nobody guesses which cluster is meant."""
    caller.emulator.add_cluster("other")
    reply = _control(caller, "POST", "indices", {"indices": []})
    assert (reply.status, "cluster_id is one of" in reply.json()["error"]) == (400, True)


def test_the_state_shows_restores(caller: Caller) -> None:
    """What was restored is shown at its target, with what it brought and why it failed."""
    old = caller.emulator.add_snapshot("old-one", indices="customers")
    caller.emulator.change_cluster(indices={})
    caller.restore(old)
    caller.advance(2)
    caller.emulator.faults.restore_fate("failed")
    caller.restore(old)
    caller.advance(2)
    (cluster,) = _control(caller, "GET", "state").json()["clusters"]
    shown = [(r["snapshot_id"], r["status"], r["brought"], r["kept"], r["reason"]) for r in cluster["restores"]]
    assert shown == [(old, "success", ["customers"], [], ""), (old, "failed", [], [], "scripted")]


def test_a_body_that_is_no_json_is_explained(caller: Caller) -> None:
    """It is answered 400."""
    assert caller.emulator.handle(Request("POST", "/_emulator/clock", body=b"{")).status == 400


def test_an_unknown_control_call_is_told_the_known_ones(caller: Caller) -> None:
    """It is answered 404 with the list."""
    reply = _control(caller, "GET", "clock")
    assert reply.status == 404
    assert "POST /_emulator/clock" in reply.json()["error"]


def test_every_kind_is_a_method_of_the_script(caller: Caller) -> None:
    """The list of kinds names public methods only, and none that stops the emulator."""
    assert all(callable(getattr(caller.emulator.faults, kind)) for kind in KINDS)
    assert "close" not in KINDS
