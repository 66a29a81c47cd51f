"""Spans of time: restic's text is read, counted on the calendar, and never runs off its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.durations import EARLIEST, Span, read_span
from airflow_css.protocol.errors import CssUsageError

BERLIN = ZoneInfo("Europe/Berlin")

TEXTS = {
    "1y5m7d2h": Span(1, 5, 7, timedelta(hours=2)),
    "14d": Span(days=14),
    "2h1y": Span(1, exact=timedelta(hours=2)),
    " 36h ": Span(exact=timedelta(hours=36)),
    "0y1d": Span(days=1),
}


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_of_restic_is_read(text: str) -> None:
    """Each number counts for its unit, in whatever order the units stand."""
    assert read_span("keep_within", text) == TEXTS[text]


@pytest.mark.parametrize(
    "text", ["", " ", "d", "14", "-1d", "1w", "1d 2h", "1d1d", "1.5d", "1D", "٣d", "123456d", "0h"]
)
def test_another_text_is_refused(text: str) -> None:
    """A text that restic refuses, or that two people could read differently, is refused by name."""
    with pytest.raises(CssUsageError, match="keep_within"):
        read_span("keep_within", text)


# From, span, zone, and when that was. The last four turn on the hours that a clock skips or shows twice.
MOMENTS = [
    ("2026-03-31T10:00+00:00", "1m", UTC, "2026-03-03T10:00+00:00"),
    ("2024-03-31T10:00+00:00", "1m", UTC, "2024-03-02T10:00+00:00"),
    ("2024-02-29T10:00+00:00", "1y", UTC, "2023-03-01T10:00+00:00"),
    ("2026-01-15T10:00+00:00", "1y2m", UTC, "2024-11-15T10:00+00:00"),
    ("2026-03-01T00:00+00:00", "1d2h", UTC, "2026-02-27T22:00+00:00"),
    ("2026-03-30T10:00+02:00", "2d", BERLIN, "2026-03-28T10:00+01:00"),
    ("2026-03-30T10:00+02:00", "48h", BERLIN, "2026-03-28T09:00+01:00"),
    ("2026-03-30T02:30+02:00", "1d", BERLIN, "2026-03-29T03:30+02:00"),
    ("2026-10-26T02:30+01:00", "1d", BERLIN, "2026-10-25T02:30+01:00"),
]


@pytest.mark.parametrize(("start", "text", "zone", "end"), MOMENTS)
def test_a_span_is_counted_on_the_calendar(start: str, text: str, zone: ZoneInfo, end: str) -> None:
    """Years, months and days move the date on the clock of the zone; hours are hours."""
    assert read_span("x", text).before(datetime.fromisoformat(start), zone) == datetime.fromisoformat(end)


spans = st.builds(
    Span, *[st.integers(0, 99_999)] * 3, st.timedeltas(min_value=timedelta(), max_value=timedelta(days=99_999))
)


@given(st.datetimes(timezones=st.sampled_from([UTC, BERLIN])), spans)
def test_earlier_is_never_later(moment: datetime, span: Span) -> None:
    """However long a span is, it leads to a moment that is no later, and at worst to the earliest there is."""
    # A clock that is set back shows an hour twice, and the later one may be meant.
    assert EARLIEST <= span.before(moment, UTC) <= moment.astimezone(UTC)
