"""One of the services that hand keys out: from a request to its reply, as ``app`` does it for CSS."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from airflow_css.emulator.app import RequestLog, SeenRequest
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.exchange import Refusal, Reply, Request
from airflow_css.emulator.faults import FaultScript
from airflow_css.emulator.striking import struck

__all__ = ["IdentityApp", "IdentityService", "text_reply"]

_AUTHORITY = re.compile(r"https?://[^/?]*", re.IGNORECASE)


@dataclass(frozen=True)
class IdentityService:
    """
    What a service knows.

    :param calls: The name of each call, by method and path.
    :param effects: What each call does, by its name.
    :param admit: Returns if a request may pass, whatever it asks for.
    :param unknown: Returns the answer to what is no call.
    """

    calls: Mapping[tuple[str, str], str]
    effects: Mapping[str, Callable[[Request], Reply]]
    admit: Callable[[Request], None]
    unknown: Callable[[Request], Reply]


@dataclass
class IdentityApp:
    """
    A service, without its transport.

    :param service: What it knows.
    :param clock: The time.
    :param faults: What goes wrong.
    :param log: What came in.
    """

    service: IdentityService
    clock: TurnableClock
    faults: FaultScript
    log: RequestLog

    def handle(self, request: Request) -> Reply:
        """
        Return the answer to a request. It may take long: when the request is held or slow.

        A server has to understand a target that names its authority too, as clients send it when they take the server
        for a proxy. That is how a client with a fixed address can be led here.
        Source: RFC 9112, section 3.2.2.

        :param request: As it came over the wire.
        """
        request = replace(request, path=_AUTHORITY.sub("", request.path, count=1) or "/")
        name = self.service.calls.get((request.method.upper(), request.path), "")
        request_id = uuid.uuid4().hex
        place = self.log.begin(SeenRequest(request.method, request.path, name, self.clock.now()))
        try:
            reply = self._answer(request, name, request_id)
        except Refusal as refusal:
            reply = refusal.reply(request_id)
        self.log.end(place, reply.status)
        return reply.with_header("X-Request-Id", request_id)

    def _answer(self, request: Request, name: str, request_id: str) -> Reply:
        self.service.admit(request)
        if not name:
            return self.service.unknown(request)
        return struck(self.faults, name, request_id, lambda: self._carry_out(request, name, request_id))

    def _carry_out(self, request: Request, name: str, request_id: str) -> Reply:
        try:
            return self.service.effects[name](request)
        except Refusal as refusal:
            return refusal.reply(request_id)


def text_reply(status: int, text: str) -> Reply:
    """
    Return an answer in plain text.

    :param status: HTTP status.
    :param text: What it says.
    """
    return Reply(status, {"Content-Type": "text/plain"}, text.encode())
