"""When the end of a restore is believed, and when it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_css.protocol.errors import CssSnapshotFailedError, CssWaitTimeoutError
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotStatus
from airflow_css.protocol.restoring import RestoreEnd, RestoreWatch

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)
IDLE = Cluster("t", status="200")
RESTORES = Cluster("t", status="200", actions=("RESTORING",))
GROWS = Cluster("t", status="200", actions=("GROWING",))


def _watch(before: str) -> RestoreWatch:
    return RestoreWatch("s", "orders-1", before, BEGAN, timeout=3600)


def _see(watch: RestoreWatch, seconds: float, word: str | None, target: Cluster = IDLE) -> RestoreEnd | None:
    listed = [] if word is None else [Snapshot("s", "orders-1", SnapshotStatus.COMPLETED, restore_status=word)]
    return watch.see(listed, target, BEGAN + timedelta(seconds=seconds))


def test_an_end_after_restoring_was_seen_is_believed() -> None:
    """The word ``restoring``, then ``success``: that is this restore, whatever the word was before."""
    watch = _watch("success")
    assert _see(watch, 2, "restoring") is None
    end = _see(watch, 4, "success")
    assert end is not None
    assert not end.is_inferred


@pytest.mark.parametrize("before", ["none", "failed", ""])
def test_another_word_than_before_is_believed(before: str) -> None:
    """A restore that ends before the first look shows by its word being another one."""
    end = _see(_watch(before), 1, "success")
    assert end is not None
    assert not end.is_inferred


def test_a_stale_word_is_not_believed() -> None:
    """The ``success`` of an earlier restore ends nothing, however often it is seen within 40 seconds."""
    watch = _watch("success")
    assert [_see(watch, seconds, "success") for seconds in (0, 5, 12, 25, 39)] == [None] * 5


def test_a_stale_word_is_not_believed_while_the_target_is_at_it() -> None:
    """As long as the target restores, or does anything, an unchanged word proves nothing."""
    watch = _watch("success")
    assert [_see(watch, seconds, "success", RESTORES) for seconds in (0, 60, 120)] == [None] * 3
    assert _see(watch, 180, "success", GROWS) is None
    assert _see(watch, 182, "success") is None
    end = _see(watch, 192, "success")
    assert end is not None
    assert end.is_inferred


def test_two_agreeing_looks_at_an_idle_target_infer_an_end() -> None:
    """At least 10 seconds apart and 40 seconds after the call, with the target idle: the end is inferred."""
    watch = _watch("success")
    assert _see(watch, 35, "success") is None
    assert _see(watch, 44.9, "success") is None
    end = _see(watch, 45, "success")
    assert end is not None
    assert end.is_inferred


def test_an_inferred_failure_fails() -> None:
    """The same rule holds for a word that says the restore failed."""
    watch = _watch("failed")
    assert _see(watch, 30, "failed") is None
    with pytest.raises(CssSnapshotFailedError, match="too little disk"):
        _see(watch, 41, "failed")


@pytest.mark.parametrize("before", ["none", "success"])
def test_a_failure_that_was_seen_fails(before: str) -> None:
    """A restore that was seen running and then failed raises, and a retry may do better."""
    watch = _watch(before)
    assert _see(watch, 2, "restoring") is None
    with pytest.raises(CssSnapshotFailedError) as caught:
        _see(watch, 4, "failed")
    assert caught.value.curable


@pytest.mark.parametrize("word", ["none", "", "sleeping"])
def test_a_word_that_is_no_end_is_waited_out(word: str) -> None:
    """No sign, and a word that nobody knows, are never an end; the time-out tells the word."""
    watch = _watch("none")
    assert [_see(watch, seconds, word) for seconds in (0, 100, 3599)] == [None] * 3
    with pytest.raises(CssWaitTimeoutError, match=f"CSS says {word or 'nothing'} of it"):
        watch.refuse_late(BEGAN + timedelta(seconds=3600))


def test_a_snapshot_that_vanishes_ends_the_wait() -> None:
    """Absent from two lists that are far enough apart: the end can not be read any more."""
    watch = _watch("none")
    assert _see(watch, 2, "restoring") is None
    assert _see(watch, 4, None) is None
    with pytest.raises(CssSnapshotFailedError, match="not listed any more"):
        _see(watch, 15, None)


def test_news_is_told_once_and_no_stale_word() -> None:
    """A word left over from before is no news; each change is, once."""
    watch = _watch("success")
    _see(watch, 1, "success")
    assert watch.news() == ""
    _see(watch, 2, "restoring")
    assert [watch.news(), watch.news()] == ["restoring", ""]
    _see(watch, 5, "success")
    assert watch.news() == "success"
