"""
Restic's words for what to keep: the last ones, one per hour, day, week, month or year, and all within a time.

Theory of operation. A history is sorted, newest first. A rule that counts keeps a moment when it opens a new drawer:
another hour, day, ISO week, month or year on the clock of a time zone than the moment before. It does so until its
number is used up. ``within`` keeps what is younger than a span before the newest moment, not before now: a pipeline
that stands still loses nothing. Each rule judges alone, and what one of them keeps is kept.

Source: restic manual, "Removing backup snapshots according to a policy", and the behaviour of restic 0.14.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from airflow_css.protocol.durations import EARLIEST, Span

__all__ = ["DRAWERS", "kept_by"]


def _iso_week(local: datetime) -> str:
    year, week, _ = local.isocalendar()
    return f"{year}-W{week:02}"


DRAWERS: dict[str, Callable[[datetime], str]] = {
    "keep_hourly": lambda local: f"{local.date()} {local.hour:02}h",
    "keep_daily": lambda local: f"{local.date()}",
    "keep_weekly": _iso_week,
    "keep_monthly": lambda local: f"{local.year}-{local.month:02}",
    "keep_yearly": lambda local: f"{local.year}",
}
"""The rules that count, and what each of them calls the drawer that a local time belongs to."""


def kept_by(
    moments: Sequence[datetime], counts: Mapping[str, int], within: Span | None, *, zone: tzinfo, now: datetime
) -> list[list[str]]:
    """
    Return for each moment which rules keep it, in words; none when no rule does.

    :param moments: Aware moments, newest first.
    :param counts: How many each rule keeps: ``keep_last`` and the names of ``DRAWERS``; 0 is no rule.
    :param within: Keep what is younger than this before the newest moment that is not in the future.
    :param zone: Whose hours, days, weeks, months and years count.
    :param now: Tells which moments lie in the future.
    """
    kept: list[list[str]] = [[] for _ in moments]
    for place in range(min(counts.get("keep_last", 0), len(moments))):
        kept[place].append(f"keep_last (number {place + 1})")
    for rule, drawer_of in DRAWERS.items():
        drawers = [drawer_of(moment.astimezone(zone)) for moment in moments]
        for place in _openers(drawers, counts.get(rule, 0)):
            kept[place].append(f"{rule} ({drawers[place]})")
    if within is not None:
        since = within.before(_newest(moments, now), zone)
        for place, moment in enumerate(moments):
            kept[place] += ["keep_within"] if moment > since else []
    return kept


def _openers(drawers: Sequence[str], count: int) -> Iterator[int]:
    """Yield the places at which another drawer begins, as often as the count allows."""
    last = ""
    for place, drawer in enumerate(drawers):
        if drawer != last and count > 0:
            last = drawer
            count -= 1
            yield place


def _newest(moments: Sequence[datetime], now: datetime) -> datetime:
    """Return from when the span counts. A clock that goes wrong must not move it, so the future does not count."""
    return max((moment for moment in moments if moment <= now), default=EARLIEST)
