"""What the watches have in common: none looks beyond its time, and each is late at the very second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.conditions import Gone, Wait
from airflow_css.protocol.errors import CssWaitTimeoutError
from airflow_css.protocol.restoring import RestoreWatch
from airflow_css.protocol.timed import Timed
from airflow_css.protocol.waiting import Expectations
from airflow_css.protocol.watch import EndWatch

BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
TIMEOUT = 600.0


def _watches(poll_interval: float | None) -> list[Timed]:
    began = BEGAN.timestamp()
    return [
        EndWatch("id", "orders", Expectations(None), TIMEOUT, made_at=BEGAN, poll_interval=poll_interval),
        RestoreWatch("id", "orders", "none", BEGAN, TIMEOUT, poll_interval=poll_interval),
        Wait(Gone(["id"]), began, began + TIMEOUT, poll_interval),
    ]


@given(st.floats(0, 2 * TIMEOUT), st.floats(0, 1), st.none() | st.floats(1, 120))
def test_all_watches_keep_time_alike(age: float, chance: float, poll_interval: float | None) -> None:
    """A look comes within the time that is left, not sooner than is allowed, and the late ones are refused."""
    now = BEGAN + timedelta(seconds=age)
    for watch in _watches(poll_interval):
        left = watch.seconds_left(now)
        assert left == pytest.approx(TIMEOUT - age, abs=1e-3)
        assert min(poll_interval or 0, max(0.0, left)) <= watch.delay(now, chance) <= max(0.0, left)
        if left > 0:
            watch.refuse_late(now)
        else:
            with pytest.raises(CssWaitTimeoutError):
                watch.refuse_late(now)
