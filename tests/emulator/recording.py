"""Stands before a service on a port of its own, and takes note of what a client sends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from airflow_css.emulator.exchange import Reply, Request
from airflow_css.emulator.identity import IdentityEmulator
from airflow_css.emulator.server import EmulatorServer

# What any HTTP client adds by itself, and what differs from request to request.
USUAL = frozenset({"accept", "accept-encoding", "connection", "content-length", "host", "user-agent"})
TELLING = frozenset({"content-type", "x-metadata-token-ttl-seconds"})


@dataclass
class Recorder:
    """What one service was sent, in order, by the names of its headers and without secrets."""

    identity: IdentityEmulator
    service: str
    sent: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def handle(self, request: Request) -> Reply:
        """Note a request and let the service answer it."""
        names = sorted({name.lower() for name in request.headers.names} - USUAL)
        self.sent.append(
            {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": {name: request.headers.get(name) if name in TELLING else "..." for name in names},
                "body": json.loads(request.body) if request.body else None,
            }
        )
        return self.identity.handle(self.service, request)


@contextmanager
def recording(identity: IdentityEmulator, service: str) -> Iterator[Recorder]:
    """Serve a service of the emulator on another port, and note what comes in there."""
    recorder = Recorder(identity, service)
    server = EmulatorServer(("127.0.0.1", 0), recorder.handle)
    server.start()
    recorder.url = f"http://127.0.0.1:{server.port}"
    try:
        yield recorder
    finally:
        server.stop()
