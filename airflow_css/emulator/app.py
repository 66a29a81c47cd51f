"""
From a request to its reply: which call it is, whether it may pass, what strikes it, what it does.

No socket is known here. A held or slow request simply does not return for a while.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.control import Control
from airflow_css.emulator.exchange import Refusal, Reply, Request, css_refusal, gateway_refusal, json_reply
from airflow_css.emulator.faults import FaultScript, Strike
from airflow_css.emulator.gate import Gate
from airflow_css.emulator.holds import When
from airflow_css.emulator.orders import read_creation
from airflow_css.emulator.state import ServiceState
from airflow_css.protocol.wire import CALLS, Call

__all__ = ["App", "RequestLog", "SeenRequest"]

_SNAPSHOTS = "/v1.0/{project_id}/clusters/{cluster_id}/index_snapshot"
_V2_POLICY = "/v2.0/{project_id}/clusters/{cluster_id}/snapshots/policy"

# Calls that CSS has and the emulator has not. Each is refused with 501, so that nobody takes silence for success.
# Source: CSS API reference, "Snapshot Management", 2025-12-01.
NOT_EMULATED: tuple[tuple[str, str, str], ...] = (
    ("restore_snapshot", "POST", f"{_SNAPSHOTS}/{{snapshot_id}}/restore"),
    ("update_snapshot_setting", "POST", f"{_SNAPSHOTS}/setting"),
    ("start_auto_setting", "POST", f"{_SNAPSHOTS}/auto_setting"),
    ("create_auto_create_policy", "POST", f"{_SNAPSHOTS}/policy"),
    ("stop_snapshot", "DELETE", f"{_SNAPSHOTS}s"),
    ("start_auto_create_snapshots", "POST", f"{_V2_POLICY}/open"),
    ("stop_auto_create_snapshots", "PUT", f"{_V2_POLICY}/close"),
)


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
        return reply.with_header("X-Request-Id", request_id)

    def _answer(self, request: Request, route: _Route, request_id: str) -> Reply:
        self.gate.check(request)
        if route.call is None:
            return _unknown(route)
        strike = self.faults.strike(route.name)
        if self._is_lost(strike, "before"):
            return Reply(0, delivery="none")
        if strike.change is not None and strike.change_when == "before":
            return strike.change(None, request_id)
        reply = self._carry_out(request, route, request_id)
        if self._is_lost(strike, "after"):
            return Reply(0, delivery="none")
        return strike.change(reply, request_id) if strike.change is not None else reply

    def _is_lost(self, strike: Strike, when: When) -> bool:
        """Wait as long as the script says, and return whether the request got lost meanwhile."""
        self.faults.wait(strike.delays.get(when, 0.0))
        hold = strike.holds.get(when)
        return hold is not None and hold.stop_here()

    def _carry_out(self, request: Request, route: _Route, request_id: str) -> Reply:
        try:
            if route.segments["project_id"] != self.project_id:
                # Assumed: the code. It is documented as "the project is unavailable".
                raise gateway_refusal(403, "0310", "The project is unavailable.")
            return self._effect(request, route)
        except Refusal as refusal:
            # Caught here and not above, so that a fault that strikes afterwards has a true answer to change.
            return refusal.reply(request_id)

    def _effect(self, request: Request, route: _Route) -> Reply:
        if route.name == "list_clusters":
            return json_reply(200, self._cluster_page(request.query))
        cluster_id = route.segments["cluster_id"]
        if route.name == "create_snapshot":
            return self._create(cluster_id, request.body)
        if route.name == "list_snapshots":
            return json_reply(200, {"backups": self.state.list_snapshots(cluster_id)})
        if route.name == "delete_snapshot":
            self.state.delete(cluster_id, route.segments["snapshot_id"])
            return Reply(200)
        if route.name == "get_snapshot_policy":
            return json_reply(200, self.state.find(cluster_id).policy.shown())
        return json_reply(200, self.state.show_cluster(cluster_id))

    def _create(self, cluster_id: str, body: bytes) -> Reply:
        """Assumed: a cluster that is missing is noticed before a body that is wrong."""
        self.state.find(cluster_id)
        entry = self.state.create(cluster_id, read_creation(body), self.faults.next_fate)
        return json_reply(201, {"backup": {"id": entry.id, "name": entry.name}})

    def _cluster_page(self, query: str) -> dict[str, Any]:
        """
        Return one page of the cluster list.

        Source: CSS API reference, "Querying the Cluster List", 2025-12-01: ``offset`` and ``limit`` are 1 to 1000,
        default 1 and 10.
        """
        asked = parse_qs(query, keep_blank_values=True)
        offset, limit = _paging(asked, "offset", 1), _paging(asked, "limit", 10)
        engine = asked.get("datastoreType", [""])[-1].lower()
        word = self.state.rules.status_while_snapshotting
        found = [c for c in self.state.clusters() if not engine or c.engine.lower() == engine]
        page = found[offset - 1 : offset - 1 + limit]
        return {"totalSize": len(found), "clusters": [c.shown(status_while_snapshotting=word) for c in page]}


def _paging(asked: Mapping[str, list[str]], name: str, default: int) -> int:
    text = asked.get(name, [str(default)])[-1]
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 1000:
        raise css_refusal("CSS.0001", f"{name} is a number from 1 to 1000")
    return int(text)


def _route(request: Request) -> _Route:
    """Return what a request asks for; escapes count as what they stand for, as they do for the signature."""
    method, path = request.method.upper(), unquote(request.path)
    for name, its_method, template in NOT_EMULATED:
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if method == its_method and re.fullmatch(pattern, path):
            return _Route(name)
    for call in CALLS:
        segments = call.match(method, path)
        if segments is not None:
            return _Route(call.name, call, segments)
    return _Route()


def _unknown(route: _Route) -> Reply:
    """Source: API Request Signing Guide, "Error Codes", read 2026-11-23, for a path that is no API."""
    if not route.name:
        raise gateway_refusal(404, "0101", "The API does not exist or has not been published in the environment.")
    words = f"CSS has the call {route.name}, this emulator has not."
    return json_reply(501, {"errCode": "EMULATOR.0501", "externalMessage": words})
