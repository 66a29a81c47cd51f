"""The rules of a retention as its user gives them, and the check that they can be kept."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo

from airflow_css.protocol.durations import Span, read_span
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.keeping import DRAWERS
from airflow_css.protocol.selection import check_texts

__all__ = ["GROUP_BY", "RetentionRules", "check_rules"]

COUNTS = ("keep_last", *DRAWERS)
GROUP_BY = ("deployment", "dag", "task", "request")
"""Snapshots that agree in all of these are each other's history. A task's map index and its index list count."""


@dataclass(frozen=True)
class RetentionRules:
    """
    What to keep, and what may go at most. The keep rules are those of ``restic forget``: what one of them keeps stays.

    Nothing is checked here; ``plan_retention`` does, and ``check_rules`` does it earlier.

    :param keep_last: Keep the newest so many of each group; 0 is no rule.
    :param keep_hourly: Keep the newest of each of the last so many hours that have one.
    :param keep_daily: The same with days.
    :param keep_weekly: The same with ISO weeks.
    :param keep_monthly: The same with months.
    :param keep_yearly: The same with years.
    :param keep_within: Keep all that are younger than this before the newest good one: ``1y5m7d2h`` or a ``timedelta``.
    :param timezone: IANA name of the zone whose hours, days, weeks, months and years count. Default ``UTC``.
    :param older_than: Only what is older than this, counted from now, may go: ``14d`` or a ``timedelta``. It keeps
        nothing by itself, so a keep rule is needed as well.
    :param max_delete: At most so many go, the oldest first; the others wait for the next time. Default all.
    :param hold_ids: Snapshot ids that are never touched.
    :param hold_names: Exact names of snapshots that are never touched.
    :param group_by: What makes a group: some of ``deployment``, ``dag``, ``task``, ``request``; ``None`` for one group.
    """

    keep_last: int | None = None
    keep_hourly: int | None = None
    keep_daily: int | None = None
    keep_weekly: int | None = None
    keep_monthly: int | None = None
    keep_yearly: int | None = None
    keep_within: str | timedelta | None = None
    timezone: str = "UTC"
    older_than: str | timedelta | None = None
    max_delete: int | None = None
    hold_ids: Sequence[str] = ()
    hold_names: Sequence[str] = ()
    group_by: Sequence[str] | None = GROUP_BY

    @property
    def counts(self) -> dict[str, int]:
        """How many each rule keeps, without those that are no rule."""
        given = {rule: getattr(self, rule) for rule in COUNTS}
        return {rule: count for rule, count in given.items() if count}

    @property
    def within(self) -> Span | None:
        """``keep_within`` as a span."""
        return None if self.keep_within is None else read_span("keep_within", self.keep_within)

    @property
    def minimum_age(self) -> Span | None:
        """``older_than`` as a span."""
        return None if self.older_than is None else read_span("older_than", self.older_than)

    @property
    def zone(self) -> tzinfo:
        """
        The time zone.

        :raises CssUsageError: if Python knows no zone of that name.
        """
        if self.timezone == "UTC":
            # Known without any database of zones.
            return UTC
        try:
            return zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
            rule = "it is the IANA name of a time zone that this machine knows"
            raise CssUsageError("timezone", self.timezone, rule, "Europe/Berlin") from error


def check_rules(rules: RetentionRules) -> RetentionRules:
    """
    Return the rules, which can be kept.

    :param rules: As the user gave them.
    :raises CssUsageError: if there is no keep rule at all, or a value is illegal.
    """
    for rule in COUNTS:
        _check_number(rule, getattr(rules, rule), at_least=0)
    _check_number("max_delete", rules.max_delete, at_least=1)
    check_texts("hold_ids", rules.hold_ids, "9dc4f5c9-33c0-45c7-9378-ae35ae350682")
    check_texts("hold_names", rules.hold_names, "orders-20261123t000000z")
    _check_groups(rules.group_by)
    # Reading these checks them.
    _ = rules.zone, rules.minimum_age, rules.within
    if not rules.counts and rules.within is None:
        rule = "nothing says what to keep; at least one keep rule is above zero (older_than alone is none)"
        raise CssUsageError("set of retention rules", rules.counts, rule, {"keep_last": 7})
    return rules


def _check_number(what: str, value: object, *, at_least: int) -> None:
    if value is None:
        return
    # To Python, True is the number 1; to a reader of keep_last=True it is not.
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise CssUsageError(what, value, f"it is a whole number, at least {at_least}, or None", 7)


def _check_groups(group_by: Sequence[str] | None) -> None:
    if group_by is None:
        return
    check_texts("group_by", group_by, "task")
    if not group_by or set(group_by) - set(GROUP_BY):
        raise CssUsageError("group_by", group_by, f"it is made of {', '.join(GROUP_BY)}, or None", list(GROUP_BY))
