"""
From a request to its reply: which call it is, whether it may pass, what strikes it, what it does.

No socket is known here. A held or slow request simply does not return for a while.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from airflow_css.emulator.calls import EMULATED, NOT_EMULATED
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.control import Control
from airflow_css.emulator.effects import Effects
from airflow_css.emulator.exchange import Refusal, Reply, Request, gateway_refusal, json_reply
from airflow_css.emulator.faults import FaultScript
from airflow_css.emulator.gate import Gate
from airflow_css.emulator.state import ServiceState
from airflow_css.emulator.striking import struck
from airflow_css.protocol.wire import Call

__all__ = ["App", "RequestLog", "SeenRequest"]


@dataclass(frozen=True)
class SeenRequest:
    """
    One line of the log. It holds neither headers nor body, so no secret.

    :param method: The HTTP method.
    :param path: The path as sent, without the query.
    :param call: Name of the call; empty when it is none.
    :param at: When it came, by the emulator's clock.
    :param status: HTTP status of the answer; ``None`` while there is none, 0 when the connection was dropped.
    """

    method: str
    path: str
    call: str
    at: datetime
    status: int | None = None


@dataclass
class RequestLog:
    """Every request that came in, in its order."""

    _seen: list[SeenRequest] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, seen: SeenRequest) -> int:
        """
        Note a request that came in and return its place.

        :param seen: The request.
        """
        with self._lock:
            self._seen.append(seen)
            return len(self._seen) - 1

    def end(self, place: int, status: int) -> None:
        """
        Note how a request was answered.

        :param place: Its place.
        :param status: HTTP status of the answer.
        """
        with self._lock:
            self._seen[place] = replace(self._seen[place], status=status)

    def all(self) -> tuple[SeenRequest, ...]:
        """Return what came in so far."""
        with self._lock:
            return tuple(self._seen)


@dataclass(frozen=True)
class _Route:
    """What a request asks for."""

    name: str = ""
    call: Call[Any] | None = None
    segments: Mapping[str, str] = field(default_factory=dict)


@dataclass
class App:
    """
    The service, without its transport.

    :param project_id: The one project there is.
    :param clock: The time.
    :param gate: Checks signatures.
    :param state: What there is.
    :param faults: What goes wrong.
    :param log: What came in.
    """

    project_id: str
    clock: TurnableClock
    gate: Gate
    state: ServiceState
    faults: FaultScript = field(default_factory=FaultScript)
    log: RequestLog = field(default_factory=RequestLog)

    def handle(self, request: Request) -> Reply:
        """
        Return the answer to a request. It may take long: when the request is held or slow.

        :param request: As it came over the wire.
        """
        if request.path.startswith("/_emulator/"):
            return Control(self.clock, self.state, self.faults, self.log.all).handle(request)
        route = _route(request)
        request_id = uuid.uuid4().hex
        place = self.log.begin(SeenRequest(request.method, request.path, route.name, self.clock.now()))
        try:
            reply = self._answer(request, route, request_id)
        except Refusal as refusal:
            reply = refusal.reply(request_id)
        self.log.end(place, reply.status)
        # The service's time, by which it judges the dates of signatures.
        date = format_datetime(self.gate.client_time(), usegmt=True)
        return reply.with_header("Date", date).with_header("X-Request-Id", request_id)

    def _answer(self, request: Request, route: _Route, request_id: str) -> Reply:
        self.gate.check(request)
        if route.call is None:
            return _unknown(route)
        return struck(self.faults, route.name, request_id, lambda: self._carry_out(request, route, request_id))

    def _carry_out(self, request: Request, route: _Route, request_id: str) -> Reply:
        try:
            if route.segments["project_id"] != self.project_id:
                # Assumed: the code. It is documented as "the project is unavailable".
                raise gateway_refusal(403, "0310", "The project is unavailable.")
            return Effects(self.state, self.faults).carry_out(route.name, request, route.segments)
        except Refusal as refusal:
            # Caught here and not above, so that a fault that strikes afterwards has a true answer to change.
            return refusal.reply(request_id)


def _route(request: Request) -> _Route:
    """Return what a request asks for; escapes count as what they stand for, as they do for the signature."""
    method, path = request.method.upper(), unquote(request.path)
    for call in EMULATED:
        segments = call.match(method, path)
        if segments is not None:
            return _Route(call.name, call, segments)
    for call in NOT_EMULATED:
        if call.match(method, path) is not None:
            return _Route(call.name)
    return _Route()


def _unknown(route: _Route) -> Reply:
    """Source: API Request Signing Guide, "Error Codes", read 2026-11-23, for a path that is no API."""
    if not route.name:
        raise gateway_refusal(404, "0101", "The API does not exist or has not been published in the environment.")
    words = f"CSS has the call {route.name}, this emulator has not."
    return json_reply(501, {"errCode": "EMULATOR.0501", "externalMessage": words})
