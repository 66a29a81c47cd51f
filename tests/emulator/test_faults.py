"""The script of faults: what strikes, when, how often, and what it leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from airflow_css.emulator.calls import EMULATED
from airflow_css.emulator.faults import FaultScript
from airflow_css.emulator.holds import When
from airflow_css.protocol import wire
from tests.emulator.callers import Caller, refusal, signed_request

STATUSES = [
    (400, "CSS.0001"),
    (403, "CSS.0010"),
    (406, "CSS.0001"),
    (500, "CSS.0005"),
    (501, ""),
    (502, "APIGW.0202"),
    (503, ""),
    (504, "APIGW.0203"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("status", "code"), STATUSES)
def test_any_status_can_be_answered_before_or_after_the_effect(
    caller: Caller, status: int, code: str, when: When
) -> None:
    """The answer is as scripted; the snapshot exists exactly if the effect came first."""
    caller.emulator.faults.answer(status, code, call="create_snapshot", when=when)
    assert refusal(caller.create("first")) == (status, code)
    assert len(caller.listed()) == (when == "after")


@pytest.mark.parametrize(("retry_after", "header"), [(None, None), (3, "3"), (0.5, "0.5")])
def test_throttling_comes_with_and_without_a_time(
    caller: Caller, retry_after: float | None, header: str | None
) -> None:
    """It is 429 APIGW.0308, and the header is there exactly when asked for."""
    caller.emulator.faults.throttle(retry_after)
    reply = caller.create("first")
    assert refusal(reply) == (429, "APIGW.0308")
    assert reply.headers.get("Retry-After") == header
    assert caller.listed() == []


@pytest.mark.parametrize("status", [202, 409])
def test_busy_can_be_scripted_on_an_idle_cluster(caller: Caller, status: int) -> None:
    """A creation is refused with CSS.0011 although the cluster shows nothing; other calls are not."""
    caller.emulator.faults.busy(status, times=None)
    assert caller.cluster()["actions"] == []
    assert refusal(caller.create("first")) == (status, "CSS.0011")


def test_a_fault_strikes_as_often_as_told_after_skipping(caller: Caller) -> None:
    """With skip 1 and times 2 the second and the third call are struck."""
    caller.emulator.faults.answer(503, call="list_snapshots", skip=1, times=2)
    assert [caller.call(wire.LIST_SNAPSHOTS).status for _ in range(5)] == [200, 503, 503, 200, 200]


def test_a_fault_can_strike_for_ever(caller: Caller) -> None:
    """Without a number of times it strikes until the script is cleared."""
    caller.emulator.faults.answer(503, times=None)
    assert {caller.call(wire.LIST_SNAPSHOTS).status for _ in range(20)} == {503}
    caller.emulator.faults.clear()
    assert caller.call(wire.LIST_SNAPSHOTS).status == 200


def test_a_fault_strikes_only_its_call(caller: Caller) -> None:
    """Other calls pass and do not count; a fault without a name strikes any call."""
    caller.emulator.faults.answer(503, call="get_cluster")
    caller.emulator.faults.answer(502)
    statuses = [caller.call(call).status for call in (wire.LIST_SNAPSHOTS, wire.LIST_SNAPSHOTS, wire.GET_CLUSTER)]
    assert statuses == [502, 200, 503]


def test_faults_of_one_kind_strike_in_their_order(caller: Caller) -> None:
    """The first of the script strikes first; the others do not count that call."""
    caller.emulator.faults.answer(500)
    caller.emulator.faults.answer(503, skip=1)
    assert [caller.call(wire.LIST_SNAPSHOTS).status for _ in range(4)] == [500, 200, 503, 200]


def test_a_wrong_signature_uses_up_no_fault(caller: Caller) -> None:
    """What does not pass the gate is not struck."""
    caller.emulator.faults.answer(503)
    path = f"/v1.0/{caller.emulator.project_id}/clusters"
    assert caller.emulator.handle(signed_request(caller.emulator, "GET", path, secret_key="wrong")).status == 401
    assert caller.call(wire.LIST_SNAPSHOTS).status == 503


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_request_may_have_had_its_effect(caller: Caller, when: When) -> None:
    """No answer comes; the snapshot exists exactly if the effect came first; the log says 0."""
    caller.emulator.faults.drop(call="create_snapshot", when=when)
    assert caller.create("first").delivery == "none"
    assert caller.emulator.requests[-1].status == 0
    assert len(caller.listed()) == (when == "after")


def test_a_truncated_answer_is_the_true_one_cut(caller: Caller) -> None:
    """The effect happens, and the answer is marked to be cut by the transport."""
    caller.emulator.faults.truncate(call="create_snapshot")
    reply = caller.create("first")
    assert (reply.status, reply.delivery) == (201, "truncated")
    assert len(caller.listed()) == 1


def test_a_creation_can_be_answered_without_its_id(caller: Caller) -> None:
    """The snapshot is made, and the 201 says nothing about it."""
    caller.emulator.faults.without_backup()
    reply = caller.create("first")
    assert (reply.status, reply.json()) == (201, {})
    assert len(caller.listed()) == 1


def test_a_refused_creation_is_answered_in_full(caller: Caller) -> None:
    """A refusal has no id that could be left out."""
    caller.emulator.faults.without_backup()
    assert refusal(caller.create("bad name")) == (400, "CSS.0001")


@pytest.mark.parametrize(
    ("script", "status", "content_type", "start"),
    [
        (lambda faults: faults.not_json(), 200, "text/plain", b"upstream"),
        (lambda faults: faults.html(), 502, "text/html", b"<html>"),
        (lambda faults: faults.html(200), 200, "text/html", b"<html>"),
        (lambda faults: faults.answer(200, body='{"backups": null}'), 200, None, b'{"backups": null}'),
    ],
)
def test_a_body_can_be_of_another_kind(
    caller: Caller, script: Callable[[FaultScript], None], status: int, content_type: str | None, start: bytes
) -> None:
    """The answer has the scripted status, type and body."""
    script(caller.emulator.faults)
    reply = caller.call(wire.LIST_SNAPSHOTS)
    assert (reply.status, reply.headers.get("Content-Type")) == (status, content_type)
    assert reply.body.startswith(start)


def test_a_redirect_names_its_target(caller: Caller) -> None:
    """It is 302 with the location given, and without an effect."""
    caller.emulator.faults.redirect("http://127.0.0.1:1/")
    reply = caller.create("first")
    assert (reply.status, reply.headers["Location"]) == (302, "http://127.0.0.1:1/")
    assert caller.listed() == []


def test_a_refused_creation_uses_up_no_fate(caller: Caller) -> None:
    """The fate waits for the next snapshot that is really made."""
    caller.emulator.faults.fate("failed")
    assert caller.create("bad name").status == 400
    caller.created("first")
    caller.advance(2)
    assert caller.listed()[0]["status"] == "FAILED"


def test_the_list_can_be_odd(caller: Caller) -> None:
    """Fields can be missing, null, or of another value, in every entry of one list; the next is as ever."""
    for name in ("old-one", "old-two"):
        caller.emulator.add_snapshot(name)
    caller.emulator.faults.odd_entries(without=["endTime"], null=["totalShards"], extra={"status": "NEW", "x": 1})
    odd, usual = caller.listed(), caller.listed()
    assert odd == [
        {**{k: v for k, v in entry.items() if k != "endTime"}, "totalShards": None, "status": "NEW", "x": 1}
        for entry in usual
    ]
    assert all(entry["endTime"] for entry in usual)


def test_a_list_that_is_refused_stays_refused(caller: Caller) -> None:
    """Odd fields need a list that they can be in."""
    caller.emulator.faults.odd_entries(null=["id"])
    assert caller.call(wire.LIST_SNAPSHOTS, cluster_id="0" * 36).status == 403


@pytest.mark.parametrize("call", ["restore_snapshot", "stop_snapshot"])
def test_every_emulated_call_can_be_struck(caller: Caller, call: str) -> None:
    """Also those that the client does not have."""
    caller.emulator.faults.busy(call=call)
    old = caller.emulator.add_snapshot("old-one")
    struck = next(known for known in EMULATED if known.name == call)
    segments = {"snapshot_id": old} if call == "restore_snapshot" else {}
    body = {"target_cluster": caller.emulator.cluster_id}
    statuses = [caller.call(struck, body, **segments).status for _ in range(2)]
    assert statuses == [409, struck.ok]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_held_request_stops_before_or_after_its_effect(caller: Caller, when: When) -> None:
    """While it is held the effect has happened or not, as asked; released, it is answered as ever."""
    hold = caller.emulator.faults.hold("create_snapshot", when=when)
    replies: list[Any] = []
    thread = threading.Thread(target=lambda: replies.append(caller.create("first")))
    thread.start()
    hold.wait_until_reached(5)
    assert len(caller.listed()) == (when == "after")
    assert (caller.emulator.count("create_snapshot"), caller.emulator.requests[0].status) == (1, None)
    hold.release()
    thread.join(5)
    assert replies[0].status == 201
    assert len(caller.listed()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_held_request_can_get_lost(caller: Caller, when: When) -> None:
    """Lost before its effect it never has one, lost after it nobody is told."""
    hold = caller.emulator.faults.hold("create_snapshot", when=when)
    hold.lose()
    assert caller.create("first").delivery == "none"
    assert len(caller.listed()) == (when == "after")


def test_a_hold_takes_one_request(caller: Caller) -> None:
    """After skipping as told it stops one request; the next one passes."""
    hold = caller.emulator.faults.hold("list_snapshots", skip=1)
    hold.release()
    reached = []
    for _ in range(3):
        caller.listed()
        reached.append(hold.is_reached)
    assert reached == [False, True, True]
    assert caller.emulator.faults.shown() == []


def test_waiting_for_a_hold_ends(caller: Caller) -> None:
    """Nobody coming is an error that names the call."""
    with pytest.raises(TimeoutError, match="no create_snapshot reached"):
        caller.emulator.faults.hold("create_snapshot").wait_until_reached(0.01)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (lambda faults: faults.answer(99), "status is a whole number from 200 to 599"),
        (lambda faults: faults.answer("200"), "status is a whole number"),
        (lambda faults: faults.drop(call="create"), "a call is one of create_snapshot,"),
        (lambda faults: faults.drop(when="during"), "before or after"),
        (lambda faults: faults.drop(times=0), "times is a whole number from 1"),
        (lambda faults: faults.drop(skip=-1), "skip is a whole number from 0"),
        (lambda faults: faults.slow(-1), "a delay is a number of seconds from 0 to 600"),
        (lambda faults: faults.slow("1"), "a delay is a number of seconds from 0 to 600"),
        (lambda faults: faults.fate("exploded"), "an ending is one of completed,"),
        (lambda faults: faults.fate("failed", takes=-1), "takes is a number of seconds from 0"),
        (lambda faults: faults.fate("part_failed", failed_shards="2"), "failed_shards is a whole number"),
        (lambda faults: faults.answer(200, body={"backups": []}), "body is a text"),
        (lambda faults: faults.answer(200, headers={"X-A": 1}), "X-A is a text"),
        (lambda faults: faults.redirect(None), "Location is a text"),
        (lambda faults: faults.hold("create"), "a call is one of"),
        (lambda faults: faults.restore_fate("exploded"), "a restore ends success,"),
        (lambda faults: faults.restore_fate(takes=-1), "takes is a number of seconds from 0"),
        (lambda faults: faults.restore_fate(stale="1"), "stale is a number of seconds from 0"),
        (lambda faults: faults.slow_deletion(-1), "takes is a number of seconds from 0"),
        (lambda faults: faults.odd_entries(without=[1]), "is a text"),
    ],
)
def test_an_impossible_fault_is_refused(caller: Caller, script: Callable[[Any], None], message: str) -> None:
    """The script says what is possible, and takes nothing in."""
    with pytest.raises(ValueError, match=message):
        script(caller.emulator.faults)
    assert caller.emulator.faults.shown() == []
    assert caller.emulator.faults.holds == ()
