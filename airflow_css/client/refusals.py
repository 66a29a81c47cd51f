"""Keys that an endpoint refused in this process: after the second refusal they are left alone for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from airflow_css.client.credentials import Credentials
from airflow_css.client.skew import SkewedClock
from airflow_css.protocol.errors import CssAuthError

__all__ = ["Refusals"]

REFUSED_FOR = timedelta(minutes=10)
"""How long refused keys are left alone: more than five refusals lock a key for five minutes, for everybody."""
MOST_REFUSALS = 2

LONGEST_WAIT_SECONDS = 1.0
"""A refusal comes at once. Who waits longer waits for a request that hangs, and must not hang with it."""

_MOST_KEYS = 64


@dataclass(frozen=True)
class _Refused:
    times: int
    refusal: CssAuthError
    until: datetime


@dataclass(frozen=True)
class _Known:
    refused: dict[Credentials, _Refused] = field(default_factory=dict)
    untried: dict[Credentials, threading.Lock] = field(default_factory=dict)
    good: dict[Credentials, None] = field(default_factory=dict)


# The clock of an endpoint is shared by the whole process, and so is what it said of keys.
_of_endpoints: WeakKeyDictionary[SkewedClock, _Known] = WeakKeyDictionary()


class Refusals:
    """
    What an endpoint said of keys, remembered for all who send to it.

    :param endpoint_time: The endpoint's clock, which the process shares.
    """

    def __init__(self, endpoint_time: SkewedClock) -> None:
        self._time = endpoint_time

    @contextmanager
    def turn(self, keys: Credentials) -> Iterator[None]:
        """
        Let one request at a time be sent with keys that nobody knows to work, so that all learn from its refusal.

        :param keys: What a request is to be signed with.
        :raises CssAuthError: if they were refused twice of late; the refusal.
        """
        known = self._known()
        if keys in known.good:
            yield
            return
        lock = known.untried.setdefault(keys, threading.Lock())
        has_turn = lock.acquire(timeout=LONGEST_WAIT_SECONDS)
        try:
            self.check(keys)
            yield
        finally:
            if has_turn:
                lock.release()

    def check(self, keys: Credentials) -> None:
        """
        Return if the keys may be sent.

        :param keys: What a request is to be signed with.
        :raises CssAuthError: if they were refused twice of late; the refusal.
        """
        known = self._known().refused.get(keys)
        if known is not None and known.times >= MOST_REFUSALS and self._time.now() < known.until:
            raise copy(known.refusal)

    def add(self, keys: Credentials, refusal: CssAuthError, times: int = 1) -> None:
        """
        Remember that keys were refused.

        :param keys: What the request was signed with.
        :param refusal: What the endpoint said.
        :param times: How many requests it refused. Default one.
        """
        known, now = self._known().refused, self._time.now()
        self._known().good.pop(keys, None)
        before = known.pop(keys, None)
        if before is not None and now < before.until:
            times += before.times
        # A copy, because a traceback would keep alive whatever the request could see.
        known[keys] = _Refused(times, copy(refusal), now + REFUSED_FOR)
        _drop_oldest(known)
        _drop_oldest(self._known().untried)

    def forget(self, keys: Credentials) -> None:
        """
        Forget what was said against keys, because they work.

        :param keys: What an accepted request was signed with.
        """
        known = self._known()
        if keys not in known.good:
            known.good[keys] = None
            known.refused.pop(keys, None)
            known.untried.pop(keys, None)
            _drop_oldest(known.good)
            _drop_oldest(known.untried)

    def _known(self) -> _Known:
        return _of_endpoints.setdefault(self._time, _Known())


def _drop_oldest(known: dict[Credentials, Any]) -> None:
    # Other threads may do the same just now.
    for oldest in list(known)[:-_MOST_KEYS]:
        known.pop(oldest, None)
