"""The clock of the machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from airflow_css.client.clock import Clock, SystemClock


def test_now_is_the_time_of_the_machine_in_utc() -> None:
    """The moment is aware, in UTC, and lies between two looks at the machine's own clock."""
    before = datetime.now(UTC)
    moment = SystemClock().now()
    assert before <= moment <= datetime.now(UTC)
    assert moment.utcoffset() == timedelta(0)


def test_sleep_lasts_as_long_as_asked() -> None:
    """A sleep takes at least its time, on the clock that never runs backwards and on the machine's."""
    clock: Clock = SystemClock()
    ours, machine = clock.monotonic(), time.monotonic()
    clock.sleep(0.02)
    assert clock.monotonic() - ours >= 0.02
    assert time.monotonic() - machine >= 0.02
