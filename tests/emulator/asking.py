"""Asks the services that hand keys out, and CSS with what they gave, without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.exchange import Headers, Reply, Request
from airflow_css.emulator.identity import IdentityEmulator
from airflow_css.emulator.keys import Key
from airflow_css.emulator.pod import POD_PATH
from airflow_css.protocol.wire import LIST_SNAPSHOTS
from tests.emulator.callers import signed_request

TOKEN_PATH = "/meta-data/latest/api/token"
KEY_PATH = "/openstack/latest/securitykey"
SECURITY_TOKENS = "/v3.0/OS-CREDENTIAL/securitytokens"
ROLE = {"agency_name": "css-loader", "domain_name": "emulator-account"}


@dataclass
class Asker:
    """Asks an emulator whose clock stands still."""

    emulator: CssEmulator = field(default_factory=lambda: CssEmulator(clock=TurnableClock(frozen=True)))

    @property
    def identity(self) -> IdentityEmulator:
        """What hands keys out."""
        return self.emulator.identity

    def iam(self, method: str, path: str, payload: Any = None, *, query: str = "", **signing: Any) -> Reply:
        """Send IAM a signed request."""
        body = b"" if payload is None else json.dumps(payload).encode()
        return self.identity.handle("iam", signed_request(self.emulator, method, path, body, query=query, **signing))

    def projects(self, query: str = "name=eu-west-101", **signing: Any) -> Reply:
        """Ask for projects."""
        return self.iam("GET", "/v3/projects", query=query, **signing)

    def assume(self, role: Mapping[str, Any] | None = None, **signing: Any) -> Reply:
        """Ask for a key of an agency."""
        identity = {"methods": ["assume_role"], "assume_role": {**ROLE, **(role or {})}}
        return self.iam("POST", SECURITY_TOKENS, {"auth": {"identity": identity}}, **signing)

    def metadata(self, method: str, path: str, **headers: str) -> Reply:
        """Send the metadata service a request; underscores in names of headers stand for dashes."""
        sent = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        return self.identity.handle("metadata", Request(method, path, "", sent))

    def metadata_token(self, ttl: str = "21600") -> str:
        """Return a token of the metadata service."""
        reply = self.metadata("PUT", TOKEN_PATH, X_Metadata_Token_Ttl_Seconds=ttl)
        assert reply.status == 200
        return reply.body.decode()

    def security_key(self) -> Reply:
        """Ask the metadata service for a key, with a new token."""
        return self.metadata("GET", KEY_PATH, X_Metadata_Token=self.metadata_token())

    def pod(self, token: str | None = None) -> Reply:
        """Ask the pod identity for a key, with its token unless another is given."""
        shown = self.identity.pod.token if token is None else token
        return self.identity.handle("pod", Request("POST", POD_PATH, "", Headers({"Authorization": shown}), b"{}"))

    def css(self, key: Key | None = None) -> Reply:
        """Ask CSS for the snapshots, with the emulator's key unless another is given."""
        ids = {"project_id": self.emulator.project_id, "cluster_id": self.emulator.cluster_id}
        return self.emulator.handle(signed_request(self.emulator, "GET", LIST_SNAPSHOTS.path(**ids), key=key))

    def advance(self, seconds: float) -> None:
        """Turn the clock ahead."""
        self.emulator.clock.advance(seconds)


def key_of(reply: Reply) -> Key:
    """Return the key that an answer hands out."""
    credential = reply.json()["credential"]
    return Key(credential["access"], credential["secret"], credential["securitytoken"])
