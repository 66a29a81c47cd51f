"""Numbers as people say them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.phrases import in_words, part_of

SAID = {
    -5: "0 s",
    0: "0 s",
    0.4: "0 s",
    119: "119 s",
    119.6: "2 min",
    120: "2 min",
    540: "9 min",
    7_140: "119 min",
    7_199: "2 h",
    7_500: "2 h 5 min",
    90_000: "25 h",
}


@pytest.mark.parametrize("seconds", SAID)
def test_a_duration_is_said_in_one_or_two_units(seconds: float) -> None:
    """Short ones in seconds, then minutes, then hours and minutes."""
    assert in_words(seconds) == SAID[seconds]


@given(st.floats(0, 10**7))
def test_what_is_said_is_nearly_what_is_meant(seconds: float) -> None:
    """Read back, a duration is off by half of its smallest unit at most."""
    units = {"s": 1, "min": 60, "h": 3_600}
    parts = re.findall(r"(\d+) (s|min|h)", in_words(seconds))
    said = sum(int(number) * units[unit] for number, unit in parts)
    assert abs(said - seconds) <= (0.5 if parts[-1][1] == "s" else 30.5)
    assert all(int(number) < 60 for number, _ in parts[1:])


def test_progress_is_said_with_the_expectation_where_there_is_one() -> None:
    """Without an expectation only the elapsed time is said."""
    assert part_of(540, 840) == "9 min of about 14 min"
    assert part_of(540, None) == "9 min"
