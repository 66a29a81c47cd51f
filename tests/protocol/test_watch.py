"""One wait for a snapshot's end, look by look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssSnapshotFailedError, CssWaitTimeoutError
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.waiting import Expectations
from airflow_css.protocol.watch import EndWatch

BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
BUILDING = Snapshot("id-1", "orders", SnapshotStatus.BUILDING, "BUILDING", started_at=BEGAN)
DONE = replace(BUILDING, status=SnapshotStatus.COMPLETED, status_word="COMPLETED", total_shards=3, failed_shards=0)
OTHER = replace(DONE, id="id-2", name="another")


def _watch(timeout: float = 3_600, made_at: datetime | None = BEGAN) -> EndWatch:
    return EndWatch("id-1", "orders", Expectations(), timeout, made_at=made_at)


def _at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_only_its_own_snapshot_counts() -> None:
    """The end of another one means nothing; its own good end ends the wait."""
    watch = _watch()
    assert watch.see([OTHER, BUILDING], _at(5)) is None
    assert watch.see([OTHER, DONE], _at(10)) == DONE


def test_gone_is_gone_only_after_two_lists() -> None:
    """One list without it is forgiven; a second one 10 seconds later, 30 seconds after the creation, is not."""
    watch = _watch()
    assert watch.see([OTHER], _at(1)) is None
    assert watch.see([OTHER], _at(12)) is None
    assert watch.see([OTHER], _at(29)) is None
    with pytest.raises(CssSnapshotFailedError, match="is not listed any more"):
        watch.see([OTHER], _at(31))


def test_being_seen_again_forgets_the_absence() -> None:
    """A list that lagged behind is no absence once the snapshot shows up."""
    watch = _watch()
    for second in range(40, 400, 20):
        assert watch.see([OTHER] if second % 40 else [BUILDING], _at(second)) is None


def test_the_error_of_a_bad_end_carries_the_snapshot() -> None:
    """A failed snapshot raises, with itself, and a retry may cure it; an empty one no retry cures."""
    failed = replace(DONE, status=SnapshotStatus.FAILED, status_word="FAILED")
    with pytest.raises(CssSnapshotFailedError, match=r"CSS reports FAILED\. A retry makes another one") as caught:
        _watch().see([failed], _at(5))
    assert (caught.value.snapshot, caught.value.curable) == (failed, True)
    with pytest.raises(CssSnapshotFailedError, match="Correct the index list, then clear") as caught:
        _watch().see([replace(DONE, total_shards=0)], _at(5))
    assert not caught.value.curable


@pytest.mark.parametrize("made_at", [None, _at(100)])
def test_the_time_counts_from_the_snapshot_s_own_start(made_at: datetime | None) -> None:
    """What CSS says of the start goes before what the clock of the worker said."""
    watch = _watch(timeout=600, made_at=made_at)
    watch.see([BUILDING], _at(500))
    assert watch.seconds_left(_at(500)) == 100
    watch.refuse_late(_at(599.9))
    with pytest.raises(CssWaitTimeoutError, match="did not end within 10 min: it is BUILDING for 10 min"):
        watch.refuse_late(_at(600))


def test_without_any_date_the_time_counts_from_the_first_question() -> None:
    """A list without dates does not make the wait endless."""
    watch = _watch(timeout=600, made_at=None)
    dateless = replace(BUILDING, started_at=None)
    for second in range(0, 600, 50):
        watch.see([dateless], _at(second))
        watch.refuse_late(_at(second))
    with pytest.raises(CssWaitTimeoutError):
        watch.refuse_late(_at(600))


def test_never_listed_is_told_so() -> None:
    """When it never showed up the text of the time-out does not invent a status."""
    watch = _watch(timeout=60)
    with pytest.raises(CssWaitTimeoutError, match="it is never listed for") as caught:
        watch.refuse_late(_at(61))
    assert caught.value.snapshot is None


@given(st.floats(0, 10_000), st.floats(0, 1), st.none() | st.floats(1, 500))
def test_no_look_is_put_off_beyond_the_deadline(age: float, chance: float, at_least: float | None) -> None:
    """The next look is at the deadline at the latest, also with a lower bound between looks."""
    watch = replace(_watch(timeout=3_600), poll_interval=at_least)
    watch.see([BUILDING], BEGAN)
    delay = watch.delay(_at(age), chance)
    left = max(0.0, watch.seconds_left(_at(age)))
    assert 0 <= delay <= left
    assert delay == left or delay >= max(1.6, at_least or 0)
