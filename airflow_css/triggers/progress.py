"""What a wait tells while it lasts: every change, and now and then that it goes on."""

from __future__ import annotations

from airflow_css.protocol.conditions import Wait
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.phrases import in_words, part_of
from airflow_css.triggers.log import Log

__all__ = ["Progress", "tell_news"]

FIRST_REMINDER_SECONDS = 15.0
TIMES_THE_USUAL = 3
WARNING_EVERY_SECONDS = 3600.0
SHORTEST_WARNING_SECONDS = 60.0
HELD_WORKER_SECONDS = 600.0


class Progress:
    """
    Tells how a snapshot goes on, without flooding the log.

    :param name: The snapshot's name.
    :param snapshot_id: Its id.
    :param log: Where to tell it.
    :param holds_worker: Whether a worker slot is held by the wait. Default yes.
    """

    def __init__(self, name: str, snapshot_id: str, log: Log, *, holds_worker: bool = True) -> None:
        self._label = f"{name} ({snapshot_id})"
        self._log = log
        self._told_word: str | None = None
        self._next_reminder = FIRST_REMINDER_SECONDS
        # Below a minute, thrice the usual is nothing that anybody should look at.
        self._next_warning = SHORTEST_WARNING_SECONDS
        self._first_age: float | None = None
        self._holds_worker = holds_worker

    def tell(self, snapshot: Snapshot, age: float, expected: float | None) -> None:
        """
        Take note of a look and tell what is new.

        :param snapshot: As listed.
        :param age: Seconds since it began.
        :param expected: How many seconds it usually takes; ``None`` when unknown.
        """
        if self._first_age is None:
            self._first_age = age
        if snapshot.status_word != self._told_word:
            self._tell_change(snapshot, age, expected)
        elif age >= self._next_reminder:
            self._log.info("Snapshot %s: still %s, %s.", self._label, snapshot.status_word, part_of(age, expected))
            # Each reminder waits twice as long as the one before, at most an hour.
            self._next_reminder = age + min(age, WARNING_EVERY_SECONDS)
        if snapshot.status is SnapshotStatus.BUILDING:
            self._warn_of_length(age, expected)
            self._warn_of_worker(age - self._first_age)

    def _tell_change(self, snapshot: Snapshot, age: float, expected: float | None) -> None:
        self._told_word = snapshot.status_word
        if snapshot.status is SnapshotStatus.UNKNOWN:
            self._log.warning(
                "Snapshot %s: CSS reports %r, a word that is not known; waiting on.", self._label, snapshot.status_word
            )
        else:
            took = snapshot.duration_seconds if snapshot.duration_seconds is not None else age
            self._log.info("Snapshot %s: %s, %s.", self._label, snapshot.status_word, part_of(took, expected))

    def _warn_of_length(self, age: float, expected: float | None) -> None:
        if expected is not None and age >= max(expected * TIMES_THE_USUAL, self._next_warning):
            self._next_warning = age + WARNING_EVERY_SECONDS
            self._log.warning(
                "Snapshot %s takes %s, more than %d times the usual %s. Look at the load of the cluster.",
                self._label,
                in_words(age),
                TIMES_THE_USUAL,
                in_words(expected),
            )

    def _warn_of_worker(self, waited: float) -> None:
        # An adopted snapshot may be much older than this wait.
        if waited >= HELD_WORKER_SECONDS and self._holds_worker:
            # Once is enough.
            self._holds_worker = False
            self._log.warning(
                "This task has held a worker slot for %s, only to wait. With deferrable=True it would hold none.",
                in_words(waited),
            )


def tell_news(wait: Wait, log: Log) -> None:
    """
    Tell what the last look showed, once for each change; what somebody should look at is a warning.

    :param wait: The wait, which has just seen what a look brought.
    :param log: Where to tell it.
    """
    news = wait.news()
    if news and wait.condition.is_doubtful():
        log.warning("Waiting on: %s.", news)
    elif news:
        log.info("Waiting: %s.", news)
