"""Signs requests and hands them to an emulator, without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock, real_now
from airflow_css.emulator.exchange import Headers, Reply, Request
from airflow_css.emulator.keys import Key
from airflow_css.protocol import signing, wire
from airflow_css.protocol.models import CreatedSnapshot
from airflow_css.protocol.signing import SignableRequest

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def signed_request(
    emulator: CssEmulator,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    query: str = "",
    secret_key: str | None = None,
    key: Key | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """Return a request as a client sends it: signed now, with the emulator's keys unless another is given."""
    signed = {"Host": "127.0.0.1", "X-Sdk-Date": signing.format_date(real_now()), **(headers or {})}
    key = key or Key(emulator.access_key, emulator.secret_key, emulator.security_token)
    if key.security_token:
        signed.setdefault("X-Security-Token", key.security_token)
    authorization = signing.authorization_header(
        SignableRequest(method, path, signing.parse_query(query), signed, body),
        access_key=key.access_key,
        secret_key=secret_key or key.secret_key,
        date=signed["X-Sdk-Date"],
    )
    return Request(method, path, query, Headers({**signed, "Authorization": authorization}), body)


@dataclass
class Caller:
    """Calls an emulator whose clock stands still."""

    emulator: CssEmulator = field(default_factory=lambda: CssEmulator(clock=TurnableClock(frozen=True)))

    def send(self, method: str, path: str, payload: Any = None, *, query: str = "") -> Reply:
        """Send a signed request and return the answer."""
        body = b"" if payload is None else json.dumps(payload).encode()
        return self.emulator.handle(signed_request(self.emulator, method, path, body, query=query))

    def call(self, call: wire.Call[Any], payload: Any = None, *, query: str = "", **segments: str) -> Reply:
        """Make a call; project and cluster are the emulator's unless others are given."""
        given = {"project_id": self.emulator.project_id, **segments}
        if "{cluster_id}" in call.template:
            given.setdefault("cluster_id", self.emulator.cluster_id)
        return self.send(call.method, call.template.format(**given), payload, query=query)

    def create(self, name: str, cluster_id: str | None = None, **fields: Any) -> Reply:
        """Ask for a snapshot."""
        cluster = {"cluster_id": cluster_id} if cluster_id else {}
        return self.call(wire.CREATE_SNAPSHOT, {"name": name, **fields}, **cluster)

    def created(self, name: str, **fields: Any) -> CreatedSnapshot:
        """Ask for a snapshot that must be granted."""
        reply = self.create(name, **fields)
        return wire.read_reply(wire.CREATE_SNAPSHOT, reply.status, reply.headers, reply.body)

    def listed(self) -> list[dict[str, Any]]:
        """Return the raw snapshot list."""
        reply = self.call(wire.LIST_SNAPSHOTS)
        assert reply.status == 200
        backups: list[dict[str, Any]] = reply.json()["backups"]
        return backups

    def cluster(self) -> dict[str, Any]:
        """Return the raw cluster detail."""
        reply = self.call(wire.GET_CLUSTER)
        assert reply.status == 200
        detail: dict[str, Any] = reply.json()
        return detail

    def delete(self, snapshot_id: str) -> Reply:
        """Ask for a deletion."""
        return self.call(wire.DELETE_SNAPSHOT, snapshot_id=snapshot_id)

    def restore(self, snapshot_id: str, target: str | None = None, source: str | None = None, **fields: Any) -> Reply:
        """Ask for a restore; from and to the first cluster unless others are given."""
        body = {"target_cluster": target or self.emulator.cluster_id, **fields}
        cluster = {"cluster_id": source} if source else {}
        return self.call(wire.RESTORE_SNAPSHOT, body, snapshot_id=snapshot_id, **cluster)

    def advance(self, seconds: float) -> None:
        """Turn the clock ahead."""
        self.emulator.clock.advance(seconds)


def refusal(reply: Reply) -> tuple[int, str]:
    """Return status and code of a refusal in either shape; the code is empty when there is none."""
    body = reply.json() or {}
    return reply.status, body.get("errCode") or body.get("error_code") or ""
