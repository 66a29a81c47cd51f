"""
A script of things that go wrong.

Each fault says which call it waits for, how many calls it lets pass first, and how often it strikes. Of several
faults of one kind the first in the script strikes; the others do not count that call. Delays, holds and wrong answers
are different kinds, so they may meet in one call. A fault strikes only requests whose signature was good.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

from airflow_css.emulator.bounds import check_number, check_seconds, check_texts
from airflow_css.emulator.calls import EMULATED
from airflow_css.emulator.entries import Ending, Fate, check_fate
from airflow_css.emulator.exchange import Refusal, Reply
from airflow_css.emulator.holds import Hold, When
from airflow_css.emulator.odd_answers import HTML, with_odd_entries, without_backup
from airflow_css.emulator.restores import RestoreEnding, RestoreFate, check_restore_fate

__all__ = ["FaultScript", "Match", "Strike"]

Change = Callable[[Reply | None, str], Reply]
"""Makes the answer that is sent out of the true one (``None`` when there was no effect) and the request id."""

MANY = 1_000_000
_CALLS = tuple(call.name for call in EMULATED)


class Match(TypedDict, total=False):
    """
    When a fault strikes.

    ``call`` names the call; left out, any. ``when`` is ``before`` or ``after`` the effect. ``times`` says how often,
    default once; ``None`` for ever. ``skip`` says how many calls pass first, default none.
    """

    call: str | None
    when: When
    times: int | None
    skip: int


@dataclass
class _Fault:
    """One line of the script; ``payload`` is what its kind needs."""

    kind: str
    payload: Any
    call: str | None = None
    when: When = "before"
    times: int | None = 1
    skip: int = 0

    @property
    def is_spent(self) -> bool:
        return self.times == 0

    def strikes(self, call: str) -> bool:
        """Take note of a call and return whether it is struck."""
        if self.is_spent or self.call not in {None, call}:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Strike:
    """
    What strikes one request.

    :param change: Makes the wrong answer; ``None`` for the true one.
    :param change_when: Whether that happens instead of the effect (``before``) or to its answer (``after``).
    :param delays: Seconds to wait, by point.
    :param holds: Where to stop, by point.
    """

    change: Change | None = None
    change_when: When = "before"
    delays: dict[When, float] = field(default_factory=dict)
    holds: dict[When, Hold] = field(default_factory=dict)


class FaultScript:
    """
    The faults that are still to come. Every method adds one; each takes ``call``, ``when``, ``times`` and ``skip``.

    :param calls: The names of the calls that may be struck; default those of CSS.
    :raises ValueError: by every method, if a value is not possible.
    """

    def __init__(self, calls: Collection[str] = _CALLS) -> None:
        self._calls = calls
        self._faults: list[_Fault] = []
        self._holds: list[Hold] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def answer(
        self,
        status: int,
        code: str = "",
        *,
        message: str = "scripted by the emulator",
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        **match: Unpack[Match],
    ) -> None:
        """
        Answer with this status.

        :param status: HTTP status, 200 to 599.
        :param code: The error code; ``APIGW`` codes come in the gateway's shape. Empty: no body.
        :param message: The words that go with the code.
        :param body: A body of one's own instead, of any form.
        :param headers: Further headers.
        :param match: When it strikes.
        """
        check_number("status", status, 200, 599)
        check_texts(code=code, message=message, body=body or "", **dict(headers or {}))

        def change(_true: Reply | None, request_id: str) -> Reply:
            reply = Refusal(status, code, message).reply(request_id) if code else Reply(status)
            if body is not None:
                reply = replace(reply, body=body.encode())
            return replace(reply, headers={**reply.headers, **(headers or {})})

        self._add("answer", change, match)

    def throttle(self, retry_after: float | None = None, **match: Unpack[Match]) -> None:
        """
        Answer 429 as the gateway does.

        :param retry_after: Seconds in the header Retry-After; ``None`` for no such header.
        :param match: When it strikes.
        """
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        words = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second"
        self.answer(429, "APIGW.0308", message=words, headers=headers, **match)

    def busy(self, status: int = 409, **match: Unpack[Match]) -> None:
        """
        Refuse a creation, or another call, as if another operation ran, whatever the cluster shows.

        :param status: 409, as seen, or 202, as documented.
        :param match: When it strikes; default at a creation.
        """
        match.setdefault("call", "create_snapshot")
        self.answer(status, "CSS.0011", message="CSS.0011 : Another operation is being performed. (scripted)", **match)

    def slow(self, seconds: float, **match: Unpack[Match]) -> None:
        """
        Wait before the effect or before the answer, in real time.

        :param seconds: 0 to 600.
        :param match: When it strikes.
        """
        self._add("slow", check_seconds("a delay", seconds, 600), match)

    def drop(self, **match: Unpack[Match]) -> None:
        """
        Close the connection without an answer.

        :param match: When it strikes.
        """
        self._add("answer", lambda _true, _id: Reply(0, delivery="none"), match)

    def truncate(self, **match: Unpack[Match]) -> None:
        """
        Send the true answer, but only half of its body.

        :param match: When it strikes; always after the effect.
        """
        match["when"] = "after"
        self._add("answer", lambda true, _id: replace(true or Reply(200), delivery="truncated"), match)

    def not_json(self, **match: Unpack[Match]) -> None:
        """
        Answer 200 with a text that is no JSON.

        :param match: When it strikes.
        """
        self.answer(200, body="upstream connect error", headers={"Content-Type": "text/plain"}, **match)

    def html(self, status: int = 502, **match: Unpack[Match]) -> None:
        """
        Answer with an error page, as proxies do.

        :param status: HTTP status.
        :param match: When it strikes.
        """
        self.answer(status, body=HTML, headers={"Content-Type": "text/html"}, **match)

    def redirect(self, location: str, **match: Unpack[Match]) -> None:
        """
        Answer 302.

        :param location: Where to.
        :param match: When it strikes.
        """
        self.answer(302, headers={"Location": location}, **match)

    def without_backup(self, **match: Unpack[Match]) -> None:
        """
        Create the snapshot, but answer 201 without its id.

        :param match: When it strikes; always a creation, after its effect.
        """
        match.update({"call": "create_snapshot", "when": "after"})
        self._add("answer", without_backup, match)

    def fate(
        self, ending: Ending, *, takes: float | None = None, failed_shards: int = 1, **match: Unpack[Match]
    ) -> None:
        """
        Decide how the next snapshot ends. Only a creation that succeeds counts.

        :param ending: ``completed``, ``part_failed``, ``failed``, ``vanish``, ``empty`` or ``stuck``.
        :param takes: How long it takes, in seconds; default ``creation_takes``.
        :param failed_shards: How many shards fail when it is ``part_failed``.
        :param match: When it strikes.
        """
        self._add("fate", check_fate(Fate(ending, takes, failed_shards)), match)

    def odd_entries(
        self,
        *,
        without: Sequence[str] = (),
        null: Sequence[str] = (),
        extra: Mapping[str, Any] | None = None,
        **match: Unpack[Match],
    ) -> None:
        """
        List the snapshots with other fields than usual.

        :param without: The fields to leave out, for example ``["endTime"]``.
        :param null: The fields to send as null.
        :param extra: The fields to add or to change, with their values.
        :param match: When it strikes; always a list of snapshots, after its effect.
        """
        match.update({"call": "list_snapshots", "when": "after"})
        check_texts(**{f"field {number}": name for number, name in enumerate([*without, *null])})
        added = dict(extra or {})
        self._add("answer", lambda true, _id: with_odd_entries(true, without, null, added), match)

    def restore_fate(
        self,
        ending: RestoreEnding = "success",
        *,
        takes: float | None = None,
        stale: float = 0.0,
        **match: Unpack[Match],
    ) -> None:
        """
        Decide how the next restore goes. Only one that is accepted counts.

        :param ending: ``success``, as far as the rules allow it; ``failed``; or ``stuck``: it never ends.
        :param takes: How long it takes, in seconds; default ``restore_takes``.
        :param stale: For how many seconds the snapshot's restore status still says what it said before; default 0.
        :param match: When it strikes.
        """
        self._add("restore_fate", check_restore_fate(RestoreFate(ending, takes, stale)), match)

    def slow_deletion(self, takes: float, **match: Unpack[Match]) -> None:
        """
        Keep the next deleted snapshot in the list for a while. Only a deletion that is accepted counts.

        :param takes: For how long, in seconds.
        :param match: When it strikes.
        """
        self._add("slow_deletion", check_seconds("takes", takes), match)

    def hold(self, call: str | None = None, *, when: When = "before", skip: int = 0) -> Hold:
        """
        Stop one request until it is let go, and return what lets it go.

        :param call: Which call; ``None`` for any.
        :param when: ``before`` or ``after`` the effect.
        :param skip: How many calls pass first.
        """
        hold = Hold(next(self._numbers), call, when)
        self._add("hold", hold, {"call": call, "when": when, "skip": skip})
        self._holds.append(hold)
        return hold

    @property
    def holds(self) -> tuple[Hold, ...]:
        """All holds, in the order they were set."""
        return tuple(self._holds)

    def shown(self) -> list[dict[str, Any]]:
        """Return the faults that are still to come, for people."""
        with self._lock:
            return [
                {"kind": f.kind, "call": f.call, "when": f.when, "times": f.times, "skip": f.skip}
                for f in self._faults
                if not f.is_spent
            ]

    def clear(self) -> None:
        """Forget all faults and let every held request go."""
        with self._lock:
            self._faults.clear()
        for hold in self._holds:
            hold.release()

    def close(self) -> None:
        """End delays and holds, so that no request is left behind when the emulator stops."""
        self._closed.set()
        for hold in self._holds:
            hold.lose()

    def open(self) -> None:
        """Let delays last again, after an emulator that was stopped is started once more."""
        self._closed.clear()

    def wait(self, seconds: float) -> None:
        """
        Return after a delay in real time, or as soon as the emulator stops.

        :param seconds: How long.
        """
        self._closed.wait(seconds)

    def strike(self, call: str) -> Strike:
        """
        Return what strikes a request, and take note of it.

        :param call: Name of the call.
        """
        with self._lock:
            strike = Strike()
            if (fault := self._first("answer", call)) is not None:
                strike.change, strike.change_when = fault.payload, fault.when
            if (fault := self._first("slow", call)) is not None:
                strike.delays[fault.when] = fault.payload
            if (fault := self._first("hold", call)) is not None:
                strike.holds[fault.when] = fault.payload
            return strike

    def next_fate(self) -> Fate:
        """Return how the snapshot that begins now will end, and take note of it."""
        fate: Fate = self._next("fate", "create_snapshot", Fate())
        return fate

    def next_restore_fate(self) -> RestoreFate:
        """Return how the restore that begins now will end, and take note of it."""
        fate: RestoreFate = self._next("restore_fate", "restore_snapshot", RestoreFate())
        return fate

    def next_deletion(self) -> float:
        """Return how long the deletion that begins now takes, in seconds, and take note of it."""
        takes: float = self._next("slow_deletion", "delete_snapshot", 0.0)
        return takes

    def _next(self, kind: str, call: str, usual: Any) -> Any:
        with self._lock:
            fault = self._first(kind, call)
            return usual if fault is None else fault.payload

    def _first(self, kind: str, call: str) -> _Fault | None:
        return next((fault for fault in self._faults if fault.kind == kind and fault.strikes(call)), None)

    def _add(self, kind: str, payload: Any, match: Match) -> None:
        fault = _Fault(kind, payload, **match)
        if fault.call is not None and fault.call not in self._calls:
            raise ValueError(f"a call is one of {', '.join(self._calls)}, not {fault.call!r}")
        if fault.when not in {"before", "after"}:
            raise ValueError(f"when is before or after, not {fault.when!r}")
        if fault.times is not None:
            check_number("times", fault.times, 1, MANY)
        check_number("skip", fault.skip, 0, MANY)
        with self._lock:
            self._faults.append(fault)
