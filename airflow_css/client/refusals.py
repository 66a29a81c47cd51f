"""Keys that an endpoint refused in this process: after the second refusal they are left alone for a while."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from airflow_css.client.credentials import Credentials
from airflow_css.client.skew import SkewedClock
from airflow_css.protocol.errors import CssAuthError

__all__ = ["Refusals"]

REFUSED_FOR = timedelta(minutes=10)
"""How long refused keys are left alone: more than five refusals lock a key for five minutes, for everybody."""
MOST_REFUSALS = 2

_MOST_KEYS = 64


@dataclass(frozen=True)
class _Refused:
    times: int
    refusal: CssAuthError
    until: datetime


# The clock of an endpoint is shared by the whole process, and so is what it refused.
_of_endpoints: WeakKeyDictionary[SkewedClock, dict[Credentials, _Refused]] = WeakKeyDictionary()


class Refusals:
    """
    What an endpoint said of keys, remembered for all who send to it.

    :param endpoint_time: The endpoint's clock, which the process shares.
    """

    def __init__(self, endpoint_time: SkewedClock) -> None:
        self._time = endpoint_time

    def check(self, keys: Credentials) -> None:
        """
        Return if the keys may be sent.

        :param keys: What a request is to be signed with.
        :raises CssAuthError: if they were refused twice of late; the refusal.
        """
        known = self._known().get(keys)
        if known is not None and known.times >= MOST_REFUSALS and self._time.now() < known.until:
            raise copy(known.refusal)

    def add(self, keys: Credentials, refusal: CssAuthError, times: int = 1) -> None:
        """
        Remember that keys were refused.

        :param keys: What the request was signed with.
        :param refusal: What the endpoint said.
        :param times: How many requests it refused. Default one.
        """
        known, now = self._known(), self._time.now()
        before = known.pop(keys, None)
        if before is not None and now < before.until:
            times += before.times
        # A copy, because a traceback would keep alive whatever the request could see.
        known[keys] = _Refused(times, copy(refusal), now + REFUSED_FOR)
        # Other threads may do the same just now.
        for oldest in list(known)[:-_MOST_KEYS]:
            known.pop(oldest, None)

    def forget(self, keys: Credentials) -> None:
        """
        Forget what was said of keys, because they work.

        :param keys: What an accepted request was signed with.
        """
        self._known().pop(keys, None)

    def _known(self) -> dict[Credentials, _Refused]:
        return _of_endpoints.setdefault(self._time, {})
