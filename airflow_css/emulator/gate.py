"""
The signature check that stands before every call, as the API gateway does it.

Source: API Request Signing Guide, "Constructing a Standard Request", 2025-06-25, and "Error Codes", read 2026-11-23.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_css.emulator.clock import TurnableClock, real_now
from airflow_css.emulator.exchange import Refusal, Request, gateway_refusal
from airflow_css.emulator.keys import Key, KeyRing
from airflow_css.protocol import signing
from airflow_css.protocol.signing import ParsedAuthorization, SignableRequest

__all__ = ["Gate"]

LARGEST_DIFFERENCE = timedelta(minutes=15)
LARGEST_BODY = 12 * 1024 * 1024


@dataclass
class Gate:
    """
    Lets signed requests through and refuses all others.

    The date of a request is compared with real time, not with the emulator's clock: whoever turns that ahead does not
    turn the clients' clocks. The lock, on the other hand, ends by the emulator's clock, and so do temporary keys.

    :param keys: The keys that may sign.
    :param clock: The emulator's time.
    :param lock_after: How many failures in a row are allowed; one more locks the key. ``None`` for no lock.
    :param client_time: What the clients' clocks show.
    """

    keys: KeyRing
    clock: TurnableClock
    lock_after: int | None = 5
    client_time: Callable[[], datetime] = real_now

    def check(self, request: Request) -> None:
        """
        Return if the request may pass.

        Assumed: the gate comes before everything else, so a wrongly signed request for an unknown path is told about
        its signature. Whatever is wrong with a request of a known key counts, and requests during the lock do not
        prolong it.

        :param request: As it came over the wire.
        :raises Refusal: if not, with the gateway's words.
        """
        if len(request.body) > LARGEST_BODY:
            raise gateway_refusal(413, "0201", "Request entity too large")
        authorization = self._authorization(request)
        known = self.keys.find(authorization.access_key)
        if known is None:
            raise _refused(f"Get secretKey failed,ak:{authorization.access_key},err:ak not exist")
        with known.turn:
            if known.is_locked(self.clock.now()):
                raise _refused("AK access failed to reach the limit,forbidden.")
            try:
                self._check_signed(request, authorization, known.key)
            except Refusal:
                known.count_failure(self.clock.now(), self.lock_after)
                raise
            known.forget_failures()

    def _authorization(self, request: Request) -> ParsedAuthorization:
        header = request.headers.get("Authorization")
        if header is None:
            # A token of the sign-in service would do for CSS; the emulator issues none, so it knows none.
            token = request.headers.get("X-Auth-Token")
            raise _refused("x-auth-token not found" if token is None else "decrypt token fail")
        try:
            return signing.parse_authorization(header)
        except ValueError as cause:
            # Assumed: the words. That such a header is refused with this code is documented.
            raise _refused("Authorization format incorrect") from cause

    def _check_signed(self, request: Request, authorization: ParsedAuthorization, key: Key) -> None:
        headers = _signed_headers(request, authorization)
        date = self._check_date(headers)
        canonical = signing.canonical_request(
            SignableRequest(request.method, request.path, signing.parse_query(request.query), headers, request.body)
        )
        expected = signing.sign(key.secret_key, signing.string_to_sign(canonical, date))
        if not hmac.compare_digest(expected, authorization.signature):
            # As the real one does, this repeats every signed header, a security token included.
            raise _refused(f"verify aksk signature fail, canonicalRequest:{canonical.replace(chr(10), '|')}")
        _check_token(request, key)
        self._check_end(key)

    def _check_date(self, headers: dict[str, str]) -> str:
        """Assumed: the words for a date that is missing, unsigned or unreadable."""
        date = headers.get(signing.DATE_HEADER.lower())
        if date is None:
            raise _refused("X-Sdk-Date must be sent and signed")
        try:
            moment = signing.parse_date(date.strip())
        except ValueError as cause:
            raise _refused("X-Sdk-Date format incorrect, expected YYYYMMDDTHHMMSSZ") from cause
        if abs(self.client_time() - moment) > LARGEST_DIFFERENCE:
            raise _refused("calc ak sk signature fail:signature expired")
        return date.strip()

    def _check_end(self, key: Key) -> None:
        """Refuse a temporary key whose time is over. Assumed: its end itself is already too late."""
        if key.expires_at is not None and self.clock.now() >= key.expires_at:
            raise _refused(self.keys.expired_words.format(expires_at=key.expires_at.isoformat()))


def _check_token(request: Request, key: Key) -> None:
    """
    Refuse a temporary key that comes without its token.

    Source: API Request Signing Guide, page api-sign-securetoken, read 2026-11-23. Assumed: the words, and that a
    token sent along with a permanent key does not matter.
    """
    if key.security_token is None:
        return
    sent = request.headers.get(signing.TOKEN_HEADER)
    if sent is None:
        raise _refused("X-Security-Token is required for a temporary AK")
    if not hmac.compare_digest(sent.strip().encode(), key.security_token.encode()):
        raise _refused("decrypt token fail")


def _signed_headers(request: Request, authorization: ParsedAuthorization) -> dict[str, str]:
    """
    Return the headers that the signature covers, by lower-case name.

    Only ``X-Sdk-Date`` has to be among them: the host, the project and the token may be sent unsigned.
    Assumed: the words for a header that is named but not sent.
    """
    found: dict[str, str] = {}
    for name in authorization.signed_headers:
        value = request.headers.get(name)
        if value is None or name.lower() in found:
            raise _refused(f"signed header {name} is missing or named twice")
        found[name.lower()] = value
    return found


def _refused(reason: str) -> Refusal:
    return gateway_refusal(401, "0301", f"Incorrect IAM authentication information: {reason}")
