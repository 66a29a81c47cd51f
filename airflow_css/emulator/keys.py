"""The keys that may sign: permanent ones, temporary ones with their end, and how each is locked after failures."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["Key", "KeyRing", "KnownKey"]

LOCKED_FOR = timedelta(minutes=5)
# Source: API Request Signing Guide, "Error Codes", read 2026-11-23: the words are those for a wrong clock as well. For
# tokens the guide has other ones: "token expires, expires_at: ...".
EXPIRED = "calc ak sk signature fail:signature expired"


@dataclass(frozen=True)
class Key:
    """
    A pair of keys that may sign.

    :param access_key: Names it.
    :param secret_key: Signs.
    :param security_token: Comes with temporary keys only.
    :param expires_at: When it ends, an aware moment; ``None`` for never.
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass
class KnownKey:
    """
    A key, and how often it failed of late.

    :param key: The key.
    :param turn: Held while one request is judged, so that failures are counted one after the other.
    """

    key: Key
    turn: threading.Lock = field(default_factory=threading.Lock)
    _failures: int = 0
    _locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """
        Return whether there were too many failures; once the lock is over, they are forgotten.

        :param now: The present moment.
        """
        if self._locked_until is None:
            return False
        if now < self._locked_until:
            return True
        self._locked_until = None
        self._failures = 0
        return False

    def count_failure(self, now: datetime, lock_after: int | None) -> None:
        """
        Take note of a failure, and lock the key for five minutes when there were too many.

        :param now: The present moment.
        :param lock_after: How many in a row are allowed; ``None`` for any number.
        """
        self._failures += 1
        if lock_after is not None and self._failures > lock_after:
            self._locked_until = now + LOCKED_FOR

    def forget_failures(self) -> None:
        """Begin to count anew."""
        self._failures = 0


class KeyRing:
    """
    All keys that may sign, by their access keys. May be used from several threads.

    One ring may serve several gates. Assumed: all of them then count the failures of a key together.

    ``expired_words`` is what they say about a key whose time is over; ``{expires_at}`` is filled in.

    :param keys: The keys to begin with.
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._known = {key.access_key: KnownKey(key) for key in keys}
        self._lock = threading.Lock()
        self.expired_words = EXPIRED

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._known)})"

    def find(self, access_key: str) -> KnownKey | None:
        """
        Return the key of this name, if there is one.

        :param access_key: Its name.
        """
        with self._lock:
            return self._known.get(access_key)

    def all(self) -> tuple[Key, ...]:
        """Return the keys, in the order they were added; those whose time is over are among them."""
        with self._lock:
            return tuple(known.key for known in self._known.values())

    def add(self, key: Key) -> None:
        """
        Let one more key sign. One of the same name is replaced, and its failures are forgotten.

        :param key: The key.
        """
        with self._lock:
            self._known[key.access_key] = KnownKey(key)

    def revoke(self, access_key: str) -> None:
        """
        Know a key no longer.

        :param access_key: Its name.
        :raises ValueError: if there is no such key.
        """
        with self._lock:
            if self._known.pop(access_key, None) is None:
                raise ValueError(f"there is no key {access_key!r}; known are {', '.join(self._known) or 'none'}")

    def replace_all(self, key: Key) -> None:
        """
        Know only this key from now on.

        :param key: The key.
        """
        with self._lock:
            self._known = {key.access_key: KnownKey(key)}
