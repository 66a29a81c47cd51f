"""Waiting in the triggerer for a snapshot's end: every ending, every bad moment, many at once, and the lag."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from airflow_css.protocol.errors import (
    CssAuthError,
    CssNotFoundError,
    CssReplyError,
    CssServerError,
    CssThrottledError,
    CssTransportError,
    CssWaitTimeoutError,
)
from airflow_css.triggers.css import SnapshotTrigger
from tests.benchmarks.lag import lags_of_trigger
from tests.triggers.looks import Service
from tests.triggers.waiting import make_snapshot, snapshot_trigger, wait_for, wait_for_all
from tests.virtual_time import VirtualTimeLoop
from tests.world import World, event_of, new_world

LIST = "list_snapshots"


@pytest.mark.parametrize(
    ("ending", "how", "comes_to", "curable"),
    [
        ("completed", {}, "COMPLETED", None),
        ("failed", {}, "CssSnapshotFailedError", True),
        ("part_failed", {}, "CssSnapshotFailedError", True),
        ("part_failed", {"allow_partial": True}, "PART_FAILED", None),
        ("empty", {}, "CssSnapshotFailedError", False),
        ("empty", {"fail_if_empty": False}, "COMPLETED", None),
        ("completed", {"indices": "orders-*,nowhere-*"}, "CssSnapshotFailedError", False),
        ("completed", {"indices": "orders-*"}, "COMPLETED", None),
        ("vanish", {}, "CssSnapshotFailedError", True),
    ],
)
def test_each_ending_is_told(
    world: World,
    ending: Any,
    how: dict[str, Any],
    comes_to: str,
    curable: bool | None,  # noqa: FBT001 - a table's column
) -> None:
    """However a snapshot ends, one event says how, soon after; what a retry cannot cure is said, too."""
    snapshot_id = make_snapshot(world, ending=ending, takes=300)
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id, **how))
    assert arrived.status == comes_to
    # That it is gone takes a second list to prove.
    assert 300 <= arrived.at <= 300 * (1.21 if ending == "vanish" else 1.1) + 3
    if arrived.error is None:
        assert arrived.event["snapshot"]["id"] == snapshot_id
    else:
        assert arrived.error.curable is curable
        assert "orders-1" in str(arrived.error)


def test_a_stuck_snapshot_is_given_up_at_the_deadline(world: World) -> None:
    """The time-out counts from the snapshot's own start, is kept to a tenth of a second, and names state and age."""
    snapshot_id = make_snapshot(world, ending="stuck")
    world.clock.sleep(1_000)
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id, timeout=7_200.0, made_at=None))
    assert isinstance(arrived.error, CssWaitTimeoutError)
    assert arrived.error.curable
    assert arrived.at == pytest.approx(6_200, abs=0.1)
    assert "did not end within 2 h: it is BUILDING for 2 h" in str(arrived.error)
    assert arrived.error.snapshot is not None
    assert arrived.error.snapshot.id == snapshot_id


def test_a_good_end_after_the_deadline_is_good(world: World) -> None:
    """A triggerer that was down past the deadline finds the snapshot completed, and that is what counts."""
    snapshot_id = make_snapshot(world, takes=300)
    made_at = world.clock.now().timestamp()
    world.clock.sleep(5_000)
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id, timeout=100.0, made_at=made_at))
    assert arrived.status == "COMPLETED"
    assert arrived.at == 0


def test_an_end_just_before_the_deadline_is_seen(world: World) -> None:
    """However rare the looks are, there is one at the deadline, and its answer is waited for."""
    snapshot_id = make_snapshot(world, takes=95)
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id, timeout=100.0, poll_interval=60.0))
    assert arrived.status == "COMPLETED"
    assert arrived.at == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("timeout", [98.5, 100.0, 101.0, 101.9, 102.0, 103.0])
def test_a_look_just_before_the_deadline_does_not_put_it_off(world: World, timeout: float) -> None:
    """Two looks are two seconds apart; a deadline that falls between is kept all the same."""
    snapshot_id = make_snapshot(world, ending="stuck")
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id, timeout=timeout, poll_interval=50.0))
    assert isinstance(arrived.error, CssWaitTimeoutError)
    assert arrived.at == pytest.approx(timeout, abs=0.1)


def test_a_deadline_that_passed_is_told_after_one_look(world: World) -> None:
    """One look decides when the time was up before the trigger began."""
    snapshot_id = make_snapshot(world, ending="stuck")
    world.clock.sleep(5_000)
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id, timeout=100.0))
    assert isinstance(arrived.error, CssWaitTimeoutError)
    assert world.emulator.count(LIST) == 1


def test_an_unknown_word_is_waited_out(world: World) -> None:
    """A status that nobody knows is neither good nor bad: the wait goes on until a known one comes."""
    snapshot_id = make_snapshot(world, takes=60)
    listed = {"id": snapshot_id, "name": "orders-1", "status": "FREEZING", "startTime": None}
    world.emulator.faults.answer(200, body=json.dumps({"backups": [listed]}), call=LIST, times=5)
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id))
    assert arrived.status == "COMPLETED"
    assert arrived.at >= 60


def test_one_list_without_it_is_no_proof(world: World) -> None:
    """A snapshot that is missing from single lists is waited for; only two in a row far enough apart count."""
    snapshot_id = make_snapshot(world, takes=600)
    for skip in (0, 10, 20, 30):
        world.emulator.faults.answer(200, body='{"backups": []}', call=LIST, times=1, skip=skip)
    assert wait_for(world, snapshot_trigger(world, snapshot_id)).status == "COMPLETED"


Script = Callable[..., None]
BAD_MOMENTS: dict[str, tuple[Callable[[World], Script], type[Exception]]] = {
    "429": (lambda world: world.emulator.faults.throttle, CssThrottledError),
    "500": (lambda world: lambda **match: world.emulator.faults.answer(500, **match), CssServerError),
    "503": (lambda world: lambda **match: world.emulator.faults.answer(503, "CSS.0005", **match), CssServerError),
    "no answer": (lambda world: world.emulator.faults.drop, CssTransportError),
    "half": (lambda world: world.emulator.faults.truncate, CssTransportError),
    "not JSON": (lambda world: world.emulator.faults.not_json, CssReplyError),
    "no backups": (lambda world: lambda **match: world.emulator.faults.answer(200, body="{}", **match), CssReplyError),
    "a page": (lambda world: world.emulator.faults.html, CssServerError),
}


@pytest.mark.parametrize("what", BAD_MOMENTS)
def test_ten_bad_looks_in_a_row_are_forgiven_and_eleven_are_not(what: str) -> None:
    """Each kind of bad moment is survived ten times in a row, any number of times; the eleventh in a row is told."""
    script, error = BAD_MOMENTS[what]
    with new_world() as world:
        snapshot_id = make_snapshot(world, takes=600)
        script(world)(call=LIST, times=10)
        script(world)(call=LIST, times=10, skip=1)
        assert wait_for(world, snapshot_trigger(world, snapshot_id)).status == "COMPLETED"
    with new_world() as world:
        snapshot_id = make_snapshot(world, takes=600)
        script(world)(call=LIST, times=11)
        arrived = wait_for(world, snapshot_trigger(world, snapshot_id))
        assert type(arrived.error) is error
        assert arrived.error.curable
        assert world.emulator.count(LIST) == 11


def test_fifteen_minutes_without_an_answer_are_too_long(world: World) -> None:
    """Rare looks do not stretch the patience: it ends with the first bad look after a quarter of an hour."""
    snapshot_id = make_snapshot(world, takes=6_000)
    world.emulator.faults.answer(500, call=LIST, times=None)
    arrived = wait_for(world, snapshot_trigger(world, snapshot_id, poll_interval=400.0))
    assert isinstance(arrived.error, CssServerError)
    assert 900 < arrived.at <= 1_300


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(401, "APIGW.0301", CssAuthError), (403, "APIGW.0302", CssAuthError), (404, "", CssNotFoundError)],
)
def test_what_no_waiting_cures_is_told_at_once(status: int, code: str, error: type[Exception]) -> None:
    """A refused key, a missing permission and a missing cluster end the wait at once, and for good."""
    # The process remembers refused keys, so these are nobody else's.
    with new_world(access_key=f"refused-{uuid4()}") as world:
        snapshot_id = make_snapshot(world)
        world.emulator.faults.answer(status, code, call=LIST, times=None)
        arrived = wait_for(world, snapshot_trigger(world, snapshot_id))
        assert type(arrived.error) is error
        assert not arrived.error.curable
        assert world.emulator.count(LIST) == 1


def test_a_connection_that_is_deleted_ends_no_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the keys work, a connection that is gone when it is read again changes nothing."""
    snapshot_id = make_snapshot(world, takes=6_000)
    world.clock.at(100, lambda: monkeypatch.delenv("AIRFLOW_CONN_CSS_DEFAULT"))
    assert wait_for(world, snapshot_trigger(world, snapshot_id)).status == "COMPLETED"


def test_a_connection_that_never_was_is_told_after_ten_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that nobody can read ends the wait with the way out; the retry tells for sure."""
    monkeypatch.delenv("AIRFLOW_CONN_CSS_DEFAULT")
    arrived = wait_for(world, snapshot_trigger(world, "id-1"))
    assert isinstance(arrived.error, CssTransportError)
    assert arrived.error.curable
    assert "Admin, Connections" in str(arrived.error)
    assert arrived.at >= 20


def test_the_deadline_comes_although_every_look_hangs() -> None:
    """A service that answers nothing keeps nobody past the deadline for longer than one last look."""
    service = Service()

    async def main(loop: VirtualTimeLoop) -> Any:
        release = threading.Event()
        service.answer = lambda _number: loop.hang(release)
        trigger = _on(service, timeout=40.0)
        event = await event_of(trigger)
        loop.let_go(release)
        return event, loop.time()

    event, at = service.run(main)
    assert event["error"]["kind"] == "CssWaitTimeoutError"
    assert 40 <= at <= 60.1


def _on(service: Service, **arguments: Any) -> Any:
    kind = type("OnService", (SnapshotTrigger,), {"hook_class": service.hook_class})
    key = service.key()
    now = service.clock.now().timestamp()
    return kind(
        css_conn_id=key.conn_id,
        cluster_id=key.cluster_id,
        snapshot_id="id-1",
        snapshot_name="orders-1",
        made_at=now,
        **arguments,
    )


def test_a_thousand_waits_on_one_cluster_cost_five_lists() -> None:
    """A thousand triggers of one cluster share five polls, and each has its event within two polls of its end."""
    number, every = 1_000, 60.0
    with new_world() as world:
        ids = [
            world.emulator.add_snapshot(f"orders-{place}", status="BUILDING", takes=130 + place / 10)
            for place in range(number)
        ]
        triggers = [snapshot_trigger(world, snapshot_id, poll_interval=every) for snapshot_id in ids]
        arrivals = wait_for_all(world, triggers)
        lists = world.emulator.count(LIST)
    print(f"lists {lists}")  # noqa: T201 - the number that the reader of a run looks for
    assert lists == 5
    assert {arrived.status for arrived in arrivals} == {"COMPLETED"}
    assert [arrived.event["snapshot"]["id"] for arrived in arrivals] == ids
    assert all(0 <= arrived.at - (130 + place / 10) <= 2 * every for place, arrived in enumerate(arrivals))


def test_many_waits_cost_what_one_costs(world: World) -> None:
    """Without a poll interval, fifty who wait for one snapshot look no more often than the most eager of them would."""
    snapshot_id = make_snapshot(world, takes=600)
    arrivals = wait_for_all(world, [snapshot_trigger(world, snapshot_id) for _ in range(50)])
    assert {arrived.status for arrived in arrivals} == {"COMPLETED"}
    # The most eager one looks each fifteenth of the age: first every 2 seconds, then 1 / ln(1 + 1/15) for each e-fold.
    assert world.emulator.count(LIST) <= 75


@pytest.mark.parametrize("takes", [2, 30, 300, 3_600])
def test_an_end_is_seen_soon(takes: float) -> None:
    """From CSS's end to the event it takes at most a tenth of the duration and three seconds."""
    lags = lags_of_trigger(takes, samples=4)
    assert all(0 <= lag <= takes / 10 + 3 for lag, _ in lags)
