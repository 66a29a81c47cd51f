"""Temporary keys: how they are made, how long they last, and how they are handed out."""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, timedelta

from airflow_css.emulator.bounds import check_seconds
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.exchange import Reply, json_reply
from airflow_css.emulator.keys import Key, KeyRing

__all__ = ["Issuer", "StandingKey", "credential_reply"]


class Issuer:
    """
    Makes temporary keys, which may sign until their time is over. May be used from several threads.

    :param keys: Knows the keys from then on.
    :param clock: Their time.
    """

    def __init__(self, keys: KeyRing, clock: TurnableClock) -> None:
        self.keys = keys
        self.clock = clock
        self._issued: list[Key] = []

    @property
    def issued(self) -> tuple[Key, ...]:
        """Every key made so far, in its order, those whose time is over and the revoked ones included."""
        return tuple(self._issued)

    def issue(self, seconds: float) -> Key:
        """
        Make a key that may sign at once.

        Assumed: the look of its parts. Their length is about that of real ones.

        :param seconds: How long it lasts, 0 or more.
        """
        lasts = timedelta(seconds=check_seconds("how long a key lasts", seconds))
        key = Key(
            access_key=f"HST{secrets.token_hex(9)[:17].upper()}",
            secret_key=secrets.token_urlsafe(30),
            security_token=secrets.token_urlsafe(600),
            expires_at=self.clock.now() + lasts,
        )
        self.keys.add(key)
        self._issued.append(key)
        return key


class StandingKey:
    """
    A temporary key that all who ask are given, until it is nearly over; then they are given the next one.

    The old one may sign until its own end, so nobody has to be quick.

    :param issuer: Makes it.
    :param lasts: How long each one lasts, in seconds of the emulator's clock.
    :param renewed_before: How many seconds before its end the next one is made.
    """

    def __init__(self, issuer: Issuer, lasts: float, renewed_before: float) -> None:
        self.lasts = lasts
        self.renewed_before = renewed_before
        self._issuer = issuer
        self._current: Key | None = None
        self._lock = threading.Lock()

    def current(self) -> Key:
        """Return the key that is given now."""
        with self._lock:
            if self._current is None or self._is_nearly_over(self._current):
                self._current = self._issuer.issue(self.lasts)
            return self._current

    def renew(self) -> None:
        """Make the next one for whoever asks next; the old one may sign until its own end."""
        with self._lock:
            self._current = None

    def rotate(self) -> None:
        """Make the next one for whoever asks next, and let the old one sign no longer."""
        with self._lock:
            if self._current is not None and self._issuer.keys.find(self._current.access_key):
                self._issuer.keys.revoke(self._current.access_key)
            self._current = None

    def _is_nearly_over(self, key: Key) -> bool:
        left = key.expires_at - self._issuer.clock.now() if key.expires_at else timedelta.max
        # A key that lasts no longer than that would otherwise be made anew for each who asks.
        return left <= timedelta(seconds=min(self.renewed_before, self.lasts / 2))


def credential_reply(status: int, key: Key) -> Reply:
    """
    Return the answer that hands a temporary key out.

    Source: IAM API reference, "Obtaining Temporary Access Keys and Security Tokens of an Agency", read 2026-11-24; the
    official SDK reads the answers of the metadata service and of pods in the same way (huaweicloudsdkcore 3.1.219).

    :param status: HTTP status.
    :param key: The key.
    """
    expires_at = key.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if key.expires_at else None
    credential = {
        "access": key.access_key,
        "secret": key.secret_key,
        "securitytoken": key.security_token,
        "expires_at": expires_at,
    }
    return json_reply(status, {"credential": credential})
