"""
The metadata service of a server in the cloud, as far as it hands keys out.

Source: huaweicloudsdkcore 3.1.219, metadata credentials; Elastic Cloud Server user guide, "Configuring Instance
Metadata Options", read 2026-11-24.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.exchange import Reply, Request
from airflow_css.emulator.identity_app import IdentityService, text_reply
from airflow_css.emulator.issuing import StandingKey, credential_reply

__all__ = ["METADATA_CALLS", "Metadata"]

METADATA_CALLS = {
    ("PUT", "/meta-data/latest/api/token"): "get_metadata_token",
    ("GET", "/openstack/latest/securitykey"): "get_security_key",
}
LONGEST_TTL = 21600
NO_AGENCY = "Please configure Cloud Service Agency first"


class Metadata:
    """
    What a server is given. Its fields may be changed at any time.

    ``token_status`` is 200; 404, 405 or 503 make it an old metadata service, which has no tokens and wants none.
    ``wants_token`` says whether keys are given only to those who show a token; default yes. Servers can be set to
    either. ``has_agency`` says whether the server may act for anybody; default yes.

    :param key: What it hands out.
    :param clock: The time of its tokens.
    """

    def __init__(self, key: StandingKey, clock: TurnableClock) -> None:
        self.key = key
        self.token_status = 200
        self.wants_token = True
        self.has_agency = True
        self._clock = clock
        self._tokens: dict[str, datetime] = {}

    def service(self) -> IdentityService:
        """Return what it knows."""
        effects = {"get_metadata_token": self._get_token, "get_security_key": self._get_security_key}
        return IdentityService(METADATA_CALLS, effects, lambda _request: None, lambda _request: text_reply(404, ""))

    def forget_tokens(self) -> None:
        """Refuse the tokens given out so far."""
        self._tokens.clear()

    def _get_token(self, request: Request) -> Reply:
        """Assumed: how a lifetime out of range is refused, and a request that a proxy passed on, which is forbidden."""
        if request.headers.get("X-Forwarded-For") is not None:
            return text_reply(403, "Forbidden")
        if self.token_status != 200:
            return text_reply(self.token_status, "the token is not supported")
        ttl = request.headers.get("X-Metadata-Token-Ttl-Seconds") or ""
        if not ttl.isdecimal() or not 1 <= int(ttl) <= LONGEST_TTL:
            return text_reply(400, f"X-Metadata-Token-Ttl-Seconds is a number from 1 to {LONGEST_TTL}")
        token = secrets.token_urlsafe(40)
        self._tokens[token] = self._clock.now() + timedelta(seconds=int(ttl))
        return text_reply(200, token)

    def _get_security_key(self, request: Request) -> Reply:
        """Assumed: that a missing agency is told after a bad token, and the words for a bad token."""
        is_new = self.token_status == 200 and self.wants_token
        if is_new and not self._is_known(request.headers.get("X-Metadata-Token")):
            return text_reply(401, "Unauthorized")
        if not self.has_agency:
            return text_reply(401, NO_AGENCY)
        return credential_reply(200, self.key.current())

    def _is_known(self, token: str | None) -> bool:
        ends = self._tokens.get(token or "")
        return ends is not None and self._clock.now() < ends
