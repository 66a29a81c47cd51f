"""The emulator's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from airflow_css.emulator.clock import TurnableClock, real_now

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_frozen_clock_moves_only_when_turned() -> None:
    """It shows the same moment until it is advanced, and then exactly that much later."""
    clock = TurnableClock(frozen=True, start=NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(90.5) == clock.now() == NOON + timedelta(seconds=90.5)


def test_a_running_clock_goes_with_real_time_plus_what_it_was_turned() -> None:
    """It shows real time at first, and real time plus the turn afterwards."""
    clock = TurnableClock()
    assert abs(real_now() - clock.now()) < timedelta(seconds=5)
    clock.advance(3600)
    assert abs(real_now() + timedelta(hours=1) - clock.now()) < timedelta(seconds=5)


def test_a_running_clock_runs() -> None:
    """It is ahead of what it showed a moment ago."""
    clock = TurnableClock(start=NOON)
    before = clock.now()
    time.sleep(0.01)
    assert NOON <= before < clock.now() - timedelta(seconds=0.009) < NOON + timedelta(seconds=5)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_clock_is_never_turned_back(seconds: float) -> None:
    """What is no step ahead is refused."""
    with pytest.raises(ValueError, match="ahead by 0 or more"):
        TurnableClock().advance(seconds)
