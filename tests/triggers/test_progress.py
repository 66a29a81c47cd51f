"""What a wait tells while it lasts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.triggers.progress import Progress

BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
BUILDING = Snapshot("id-1", "orders", SnapshotStatus.BUILDING, "BUILDING", started_at=BEGAN)
DONE = Snapshot(
    "id-1", "orders", SnapshotStatus.COMPLETED, "COMPLETED", started_at=BEGAN, ended_at=BEGAN + timedelta(seconds=840)
)


class Lines(list[tuple[str, str]]):
    """Keeps what is logged, by level."""

    def debug(self, message: str, /, *args: Any) -> None:
        """Keep a line."""
        self.append(("debug", message % args))

    def info(self, message: str, /, *args: Any) -> None:
        """Keep a line."""
        self.append(("info", message % args))

    def warning(self, message: str, /, *args: Any) -> None:
        """Keep a line."""
        self.append(("warning", message % args))

    def error(self, message: str, /, *args: Any) -> None:
        """Keep a line."""
        self.append(("error", message % args))

    def having(self, words: str) -> list[str]:
        """Return the warnings that hold these words."""
        return [text for level, text in self if level == "warning" and words in text]


def _told(looks: Iterable[tuple[Snapshot, float]], expected: float | None = None, **how: Any) -> Lines:
    lines = Lines()
    progress = Progress("orders", "id-1", lines, **how)
    for snapshot, age in looks:
        progress.tell(snapshot, age, expected)
    return lines


def test_a_change_is_told_once() -> None:
    """Each new word of CSS gives one line, with the time and the expectation."""
    lines = _told([(BUILDING, 2), (BUILDING, 4), (BUILDING, 6), (DONE, 850)], expected=840)
    assert lines == [
        ("info", "Snapshot orders (id-1): BUILDING, 2 s of about 14 min."),
        ("info", "Snapshot orders (id-1): COMPLETED, 14 min of about 14 min."),
    ]


def test_a_long_wait_is_told_now_and_then() -> None:
    """Each reminder waits twice as long as the one before."""
    lines = _told((BUILDING, age) for age in range(600))
    assert [text.split(", ")[-1] for _, text in lines] == [
        "0 s.",
        "15 s.",
        "30 s.",
        "60 s.",
        "2 min.",
        "4 min.",
        "8 min.",
    ]


@given(st.lists(st.floats(0.5, 100), max_size=300), st.none() | st.floats(60, 5_000))
def test_the_log_is_not_flooded(pauses: list[float], expected: float | None) -> None:
    """However often one looks, a quiet wait of a day takes few lines."""
    age, looks = 0.0, []
    for pause in pauses:
        age += pause
        looks.append((BUILDING, age))
    assert len(_told(looks, expected)) <= 4 + 12 + 2 * age / 3_600


def test_an_unknown_word_is_warned_about_once() -> None:
    """A word that CSS added later is told as it is, and the wait goes on."""
    odd = replace(BUILDING, status=SnapshotStatus.UNKNOWN, status_word="FROZEN")
    lines = _told([(BUILDING, 2), (odd, 4), (odd, 6), (BUILDING, 8)])
    assert [level for level, _ in lines] == ["info", "warning", "info"]
    assert len(lines.having("'FROZEN'")) == 1


def test_three_times_the_usual_is_warned_about_hourly() -> None:
    """The warning names the time and the usual one, first at three times it, then every hour."""
    lines = _told(((BUILDING, age) for age in range(0, 9_000, 60)), expected=600)
    slow = lines.having("3 times the usual 10 min")
    assert [text.split(",")[0] for text in slow] == [
        "Snapshot orders (id-1) takes 30 min",
        "Snapshot orders (id-1) takes 90 min",
    ]
    assert not _told([(BUILDING, 1_799)], expected=600).having("usual")
    assert not _told([(BUILDING, 90_000)], expected=None).having("usual")


def test_a_tiny_snapshot_is_not_called_slow() -> None:
    """Nobody is sent to look at the load of the cluster because of two seconds."""
    assert not _told([(BUILDING, 2.0)], expected=0.3).having("usual")


def test_a_held_worker_is_told_once_and_only_where_there_is_one() -> None:
    """After ten minutes in a worker one warning says so; a trigger holds none."""
    looks = [(BUILDING, float(age)) for age in range(0, 3_000, 100)]
    assert len(_told(looks).having("held a worker slot for 10 min")) == 1
    assert not _told(looks[:6]).having("worker")
    assert not _told(looks, holds_worker=False).having("worker")


def test_an_end_is_not_warned_about() -> None:
    """What has ended is not called slow, however long it took."""
    assert _told([(DONE, 90_000)], expected=60) == [
        ("info", "Snapshot orders (id-1): COMPLETED, 14 min of about 60 s.")
    ]


def test_the_worker_is_held_from_the_first_look_on() -> None:
    """A snapshot that was adopted at the age of two hours has not held this worker for two hours."""
    looks = [(BUILDING, 7_200.0), (BUILDING, 7_790.0)]

    assert _told(looks).having("worker slot") == []
    assert len(_told([*looks, (BUILDING, 7_800.0)]).having("held a worker slot for 10 min")) == 1
