"""
How far the clock of this machine is from the service's, and a clock that makes up for it.

The gateway refuses a signature whose date is more than 15 minutes off, with the words that it also has for expired
keys. Its answer bears its own time. So one refusal is enough to sign by that time from then on.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from airflow_css.client.clock import Clock, SystemClock
from airflow_css.client.shared import Shared, shared_by_process

__all__ = [
    "LARGEST_SKEW",
    "MADE_UP_FOR",
    "SkewedClock",
    "behind_or_ahead",
    "server_time",
    "skew_to_make_up_for",
    "skewed_clock_of",
]

LARGEST_SKEW = timedelta(minutes=10)
"""A difference beyond it is made up for. The gateway tolerates 15 minutes, and a request takes a while."""

MADE_UP_FOR = timedelta(hours=26)
"""A larger difference is no clock in the wrong zone: a signature dated years ahead could be kept and used then."""

MOST_ENDPOINTS = 64

_LOG = logging.getLogger(__name__)


def server_time(date: str | None) -> datetime | None:
    """
    Return the moment of a header ``Date``, aware and in UTC; ``None`` when it tells none.

    :param date: The header, for example ``Mon, 23 Nov 2026 10:00:00 GMT``.
    """
    try:
        moment = parsedate_to_datetime(date or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def behind_or_ahead(skew: timedelta) -> str:
    """
    Return how the clock of this machine stands to another, for example ``20 min behind`` or ``45 s ahead of``.

    :param skew: The service's time less this machine's.
    """
    seconds = round(abs(skew.total_seconds()))
    length = f"{round(seconds / 60)} min" if seconds >= 120 else f"{seconds} s"
    return f"{length} {'behind' if skew > timedelta() else 'ahead of'}"


def skew_to_make_up_for(date: str | None, clock: Clock) -> timedelta:
    """
    Return how far the service's time is ahead of a clock, or nothing when that is too little or too much to matter.

    :param date: The header ``Date`` of an answer that came just now.
    :param clock: The clock of this machine.
    """
    theirs = server_time(date)
    skew = theirs - clock.now() if theirs is not None else timedelta()
    return skew if LARGEST_SKEW < abs(skew) <= MADE_UP_FOR else timedelta()


class SkewedClock:
    """
    A clock that can be corrected: for dates of signatures, not for waiting.

    :param clock: The clock of this machine.
    :param skew: What the service's time is ahead of it. Default nothing.
    """

    def __init__(self, clock: Clock, skew: timedelta = timedelta()) -> None:
        self.skew = skew
        self._clock = clock
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the current moment as the service sees it, aware and in UTC."""
        return self._clock.now() + self.skew

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """
        Return after ``seconds`` have passed.

        :param seconds: Zero or more.
        """
        self._clock.sleep(seconds)

    def correct(self, date: str | None, *, signed_with: timedelta) -> bool:
        """
        Return whether a refused request is worth one more signature, because its date was wrong.

        Whoever signed before another thread corrected the clock hears yes as well. A clock that somebody sets right
        meanwhile is followed back.

        :param date: The header ``Date`` of the refusal.
        :param signed_with: The skew with which the refused request was signed.
        """
        theirs = server_time(date)
        if theirs is None:
            return False
        with self._lock:
            measured = theirs - self._clock.now()
            if abs(measured) > MADE_UP_FOR:
                return False
            wanted = measured if abs(measured) > LARGEST_SKEW else timedelta()
            is_news = abs(wanted - self.skew) > LARGEST_SKEW
            if is_news:
                self.skew = wanted
            is_worth_it = abs(signed_with - self.skew) > LARGEST_SKEW
        if is_news and wanted:
            _LOG.warning(
                "The clock of this machine is %s the service's, which refuses signatures more than 15 min off. They "
                "are dated by the service's time from now on; set the clock of this machine, for example with NTP.",
                behind_or_ahead(wanted),
            )
        return is_worth_it


# A clock that is no system clock is kept alive by its value, so its id stays its own.
_CLOCKS: Shared[tuple[str, int], SkewedClock] = shared_by_process(MOST_ENDPOINTS)


def skewed_clock_of(endpoint: str, clock: Clock) -> SkewedClock:
    """
    Return the clock that dates signatures for an endpoint: the same one for the whole process.

    So many clients that begin under a wrong clock cost few refusals, and do not lock the key.

    :param endpoint: Where signed requests go.
    :param clock: The clock of this machine.
    """
    key = (endpoint, 0 if type(clock) is SystemClock else id(clock))
    return _CLOCKS.get(key, lambda: SkewedClock(clock))
