"""When the next automatic snapshot is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.protocol.models import SnapshotPolicy
from airflow_css.protocol.parsing import parse_policy

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1971, 1, 1), datetime(9990, 1, 1), timezones=zones)  # noqa: DTZ001 - zones are drawn


def _period(hour: int, offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    return f"{hour:02}:00 GMT{sign}{abs(offset):02}:00"


@given(moments, st.integers(0, 23), st.integers(-12, 14), st.sampled_from(("HOUR", "DAY", *DAYS)))
@example(datetime(2026, 11, 23, 16, tzinfo=timezone(timedelta(hours=8))), 16, 8, "MON")
def test_the_next_one_is_the_first_that_is_later(after: datetime, hour: int, offset: int, frequency: str) -> None:
    """The answer is later, at the policy's own time of day and day of the week, and no earlier one fits."""
    due = SnapshotPolicy(enabled=True, period=_period(hour, offset), frequency=frequency).next_due(after)
    assert due is not None
    assert due.utcoffset() == timedelta(0)
    step = {"HOUR": timedelta(hours=1), "DAY": timedelta(days=1)}.get(frequency, timedelta(days=7))
    assert timedelta(0) < due - after <= step
    local = due.astimezone(timezone(timedelta(hours=offset)))
    assert (local.minute, local.second, local.microsecond) == (0, 0, 0)
    if frequency != "HOUR":
        assert local.hour == hour
    if frequency in DAYS:
        assert DAYS[local.weekday()] == frequency


AFTER = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)  # a Monday
DUE = {
    ("16:00 GMT+08:00", "DAY"): datetime(2026, 11, 24, 8, tzinfo=UTC),
    ("16:00 GMT-08:00", "DAY"): datetime(2026, 11, 24, 0, tzinfo=UTC),
    ("16:00", "DAY"): datetime(2026, 11, 23, 16, tzinfo=UTC),
    ("16:00 GMT+8", "DAY"): datetime(2026, 11, 24, 8, tzinfo=UTC),
    ("16:00 GMT+0530", "DAY"): datetime(2026, 11, 24, 10, 30, tzinfo=UTC),
    ("00:00 GMT+08:00", "MON"): datetime(2026, 11, 29, 16, tzinfo=UTC),
    ("00:00 GMT+08:00", "TUE"): datetime(2026, 11, 23, 16, tzinfo=UTC),
    ("24:00 GMT+00:00", "DAY"): datetime(2026, 11, 24, 0, tzinfo=UTC),
    ("", "HOUR"): datetime(2026, 11, 23, 13, tzinfo=UTC),
}


@pytest.mark.parametrize(("period", "frequency"), DUE)
def test_known_moments(period: str, frequency: str) -> None:
    """The moments that were worked out by hand."""
    policy = SnapshotPolicy(enabled=True, period=period, frequency=frequency)
    assert policy.next_due(AFTER) == DUE[period, frequency]


NOT_UNDERSTOOD = [
    ("", "DAY"),
    ("noon", "DAY"),
    ("10:99 GMT+08:00", "DAY"),
    ("10:00 GMT+99:00", "DAY"),
    ("10:00 GMT+23:99", "MON"),
    ("16:00 GMT+08:00", "WEEK"),
    ("16:00 GMT+08:00", "MONDAY"),
]


@pytest.mark.parametrize(("period", "frequency"), NOT_UNDERSTOOD)
def test_what_is_not_understood_is_never_due(period: str, frequency: str) -> None:
    """An odd period or frequency gives no moment, and no crash."""
    assert SnapshotPolicy(enabled=True, period=period, frequency=frequency).next_due(AFTER) is None


@given(st.text(st.sampled_from("0123456789: GMT+-"), max_size=20), st.text(max_size=6) | st.sampled_from(DAYS))
def test_no_period_crashes(period: str, frequency: str) -> None:
    """Whatever a cluster says about its policy, the answer is a later moment or none."""
    due = SnapshotPolicy(enabled=True, period=period, frequency=frequency).next_due(AFTER)
    assert due is None or due > AFTER


def test_a_policy_that_is_off_is_never_due() -> None:
    """A policy that is switched off makes nothing."""
    assert SnapshotPolicy(enabled=False, period="16:00 GMT+08:00").next_due(AFTER) is None


def test_a_policy_is_read() -> None:
    """The answer's camel case and its words for yes and no are understood."""
    policy = parse_policy(
        {
            "keepday": 7,
            "period": "16:00 GMT+08:00",
            "frequency": "day",
            "prefix": "snapshot",
            "bucket": "css-backup",
            "basePath": "css_repository",
            "enable": "true",
            "snapshotCmkId": None,
        }
    )
    assert policy == SnapshotPolicy(
        enabled=True, prefix="snapshot", period="16:00 GMT+08:00", frequency="DAY", keep=7, bucket="css-backup"
    )
    assert not parse_policy({"enable": "false"}).enabled
    assert parse_policy({}).frequency == "DAY"
