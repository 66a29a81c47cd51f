"""
One wait for one snapshot's end, whoever does the waiting: a worker or a trigger.

It is told what each look brought and when, and says whether the wait is over and when to look again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from airflow_css.protocol.errors import CssSnapshotFailedError, CssWaitTimeoutError
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.timed import Timed
from airflow_css.protocol.waiting import (
    Absence,
    Expectations,
    Verdict,
    expected_duration,
    judge_created,
)

__all__ = ["EndWatch"]

_VANISHED = (
    "The snapshot {name} ({id}) is not listed any more, so nothing proves that a backup exists. Likely causes: its "
    "creation failed and CSS shows it only among the cluster's failed tasks, somebody deleted it, or the snapshot "
    "bucket was changed"
)


@dataclass
class EndWatch(Timed):
    """
    The state of one wait.

    :param snapshot_id: The snapshot to wait for.
    :param name: Its name.
    :param expected: What counts as good.
    :param timeout: Seconds from the snapshot's own start until the wait is given up.
    :param request: Fingerprint of the request, for the usual duration; ``None`` when unknown.
    :param made_at: When CSS accepted the creation; ``None`` when the snapshot was found.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    """

    snapshot_id: str
    name: str
    expected: Expectations
    timeout: float
    request: str | None = None
    made_at: datetime | None = None
    poll_interval: float | None = None
    last: Snapshot | None = None
    is_listed: bool = False
    usual: float | None = None
    _began: datetime | None = None
    _absence: Absence = field(default_factory=Absence)

    def see(self, listed: Sequence[Snapshot], now: datetime) -> Snapshot | None:
        """
        Take note of a good list; return the snapshot when it ended well, ``None`` to wait on.

        :param listed: The snapshots of the cluster.
        :param now: When they were read.
        :raises CssSnapshotFailedError: if it ended badly, is empty, or vanished.
        """
        snapshot = next((s for s in listed if s.id == self.snapshot_id), None)
        self._absence.created_at = self.made_at
        if self._absence.is_gone(listed=snapshot is not None, now=now):
            raise CssSnapshotFailedError(_VANISHED.format(name=self.name, id=self.snapshot_id), self.last)
        self.is_listed = snapshot is not None
        if snapshot is None:
            return None
        self.last = snapshot
        # What an earlier look said, or when it was, stays: otherwise a list without dates would make the wait endless.
        self._began = snapshot.began_at or self._began
        self.usual = expected_duration(listed, self.request)
        judgement = judge_created(snapshot, self.expected)
        if judgement.verdict is Verdict.FAILED:
            way_out = (
                "A retry makes another one" if judgement.curable else "Correct the index list, then clear the task"
            )
            raise CssSnapshotFailedError(
                f"The snapshot {snapshot.name} ({snapshot.id}) is no backup: {judgement.reason}. {way_out}",
                snapshot,
                curable=judgement.curable,
            )
        return snapshot if judgement.verdict is Verdict.GOOD else None

    def age(self, now: datetime) -> float:
        """
        Return how old the snapshot is, in seconds.

        :param now: The moment.
        """
        # Without any date from CSS, the age counts from the first question.
        self._began = self._began or self.made_at or now
        return max(0.0, (now - self._began).total_seconds())

    def seconds_left(self, now: datetime) -> float:
        """
        Return how long the wait may still last, in seconds; not above zero when the time is up.

        :param now: The moment.
        """
        return self.timeout - self.age(now)

    def late(self, now: datetime) -> CssWaitTimeoutError:
        """
        Return the error of a wait whose time is up.

        :param now: The moment.
        """
        status = self.last.status_word if self.last else "never listed"
        usual = f"usually it takes {in_words(self.usual)}" if self.usual else "its usual duration is not known"
        return CssWaitTimeoutError(
            f"The snapshot {self.name} ({self.snapshot_id}) did not end within {in_words(self.timeout)}: it is "
            f"{status} for {in_words(self.age(now))}; {usual}. CSS goes on with it, and a retry adopts it; "
            "raise timeout if it is merely large",
            self.last,
        )
