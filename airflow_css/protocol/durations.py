"""
Spans of time as retention writes them: restic's text, for example ``1y5m7d2h``, or a ``timedelta``.

Years, months and days are counted on the calendar of a time zone, hours are exact. A day of the month that a month
does not have runs over into the next one, as in restic: one month before 31 March is 3 March (2 March in a leap year).

Source: restic manual, "Removing backup snapshots", and the behaviour of restic 0.14.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from airflow_css.protocol.errors import CssUsageError

__all__ = ["Span", "read_span"]

_TEXT = re.compile(r"(?:[0-9]{1,5}[ymdh])+")
_PART = re.compile(r"([0-9]+)([ymdh])")
_UNITS = "ymdh"
_RULE = (
    "a duration is a timedelta above zero, or a text of whole numbers of at most five digits, each with its unit, "
    "y (years), m (months), d (days) or h (hours), every unit at most once"
)
_LEGAL = "1y5m7d2h"

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """
    A length of time that is counted on the calendar.

    :param years: Years.
    :param months: Months.
    :param days: Days on the calendar, which may have 23 or 25 hours.
    :param exact: The rest, which is the same everywhere.
    """

    years: int = 0
    months: int = 0
    days: int = 0
    exact: timedelta = timedelta()

    def before(self, moment: datetime, zone: tzinfo) -> datetime:
        """
        Return the moment that lies this span earlier, in UTC; the earliest that there is when it lies before that.

        :param moment: An aware moment.
        :param zone: Whose calendar counts.
        """
        try:
            local = moment.astimezone(zone)
            years, month = divmod(local.year * 12 + local.month - 1 - self.years * 12 - self.months, 12)
            first = local.replace(year=years, month=month + 1, day=1, tzinfo=None)
            return _on_the_clock(first + timedelta(days=local.day - 1 - self.days), zone) - self.exact
        except (OverflowError, ValueError):
            return EARLIEST


def _on_the_clock(wall: datetime, zone: tzinfo) -> datetime:
    """Return when a clock on the wall shows this, in UTC; where it shows it twice or never, as restic decides."""
    guess = wall.replace(tzinfo=UTC)
    offset = _offset(guess, zone)
    if _offset(guess - offset, zone) != offset:
        offset = _offset(guess - offset, zone)
    return guess - offset


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def read_span(what: str, value: str | timedelta) -> Span:
    """
    Return a duration as a span.

    :param what: The parameter it was given for, for the message.
    :param value: Restic's text, for example ``14d`` or ``1y5m7d2h``, or a ``timedelta``; above zero.
    :raises CssUsageError: if it is neither, negative, or no time at all.
    """
    span = Span(exact=value) if isinstance(value, timedelta) else _parse(what, value)
    if span == Span() or span.exact < timedelta():
        raise CssUsageError(what, value, _RULE, _LEGAL)
    return span


def _parse(what: str, text: object) -> Span:
    if not isinstance(text, str) or not _TEXT.fullmatch(text.strip()):
        raise CssUsageError(what, text, _RULE, _LEGAL)
    parts = _PART.findall(text)
    numbers = {unit: int(number) for number, unit in parts}
    if len(numbers) != len(parts):
        raise CssUsageError(what, text, _RULE, _LEGAL)
    years, months, days, hours = (numbers.get(unit, 0) for unit in _UNITS)
    return Span(years, months, days, timedelta(hours=hours))
