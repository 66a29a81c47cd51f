"""
One wait for one restore's end, whoever does the waiting: a worker or a trigger.

CSS gives a restore no id. What is known of it is a word at the snapshot, which tells of the latest restore of that
snapshot, and the actions of the cluster that is restored to. The word may be left over from an earlier restore, also
for a while after a new one was accepted. So an end is believed only when one of these holds: the word ``restoring`` was
seen; the word before the call was another one; or two looks agree, at least 10 seconds apart and 40 seconds after the
call, while the target is idle. The last one is called an inferred end.

The word may also speak of somebody else's later restore to another cluster. When it says ``restoring`` for 40 seconds
while the target, which was at work, is idle, ours is over, and nothing tells how it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_css.protocol.errors import CssSnapshotFailedError, CssStateError, CssWaitTimeoutError, ErrorReply
from airflow_css.protocol.models import Cluster, Snapshot
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.timed import Timed
from airflow_css.protocol.waiting import Absence

__all__ = ["RESTORED", "RESTORING", "RestoreEnd", "RestoreWatch", "is_restoring", "nobody_can_tell"]

RESTORING = "restoring"
RESTORED = "success"
RESTORE_FAILED = "failed"

AGREE_AFTER = timedelta(seconds=40)
AGREE_APART = timedelta(seconds=10)


def nobody_can_tell(message: str) -> CssStateError:
    """
    Return the error of a restore whose end, or whose beginning, nothing tells.

    :param message: Why, as a sentence.
    """
    return CssStateError(
        ErrorReply(0, message=message, call="restore_snapshot"),
        "Look at the indices of the target; if they are not restored, clear the task to restore them.",
    )


def is_restoring(cluster: Cluster) -> bool:
    """
    Return whether something is being restored to a cluster.

    :param cluster: As it was read.
    """
    return "RESTORING" in cluster.actions


@dataclass(frozen=True)
class RestoreEnd:
    """
    A restore that ended well.

    :param snapshot: The snapshot as last seen.
    :param is_inferred: Whether the end was not seen but inferred.
    """

    snapshot: Snapshot
    is_inferred: bool = False


@dataclass
class RestoreWatch(Timed):
    """
    The state of one wait.

    :param snapshot_id: The snapshot that is restored.
    :param name: Its name.
    :param word_before: Its restore word before the call.
    :param began_at: When CSS accepted the restore, or when a running one was found.
    :param timeout: Seconds from then until the wait is given up.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param was_seen: Whether the word ``restoring`` was seen since.
    """

    snapshot_id: str
    name: str
    word_before: str
    began_at: datetime
    timeout: float
    poll_interval: float | None = None
    was_seen: bool = False
    last: Snapshot | None = None
    _agreed_since: datetime | None = None
    _agreed_word: str = ""
    _told: str = ""
    _absence: Absence = field(default_factory=Absence)
    _was_at_work: bool = False
    _apart_since: datetime | None = None

    def see(self, listed: Sequence[Snapshot], target: Cluster, now: datetime) -> RestoreEnd | None:
        """
        Take note of a look; return the end when the restore ended well, ``None`` to wait on.

        :param listed: The snapshots of the cluster that owns the snapshot.
        :param target: The cluster that is restored to, read after the list.
        :param now: When it was read.
        :raises CssSnapshotFailedError: if the restore failed, or the snapshot vanished.
        :raises CssStateError: if the word speaks of another's restore, so that nothing tells how this one ended.
        """
        self._was_at_work = self._was_at_work or not target.is_idle
        snapshot = next((s for s in listed if s.id == self.snapshot_id), None)
        if self._absence.is_gone(listed=snapshot is not None, now=now):
            raise CssSnapshotFailedError(
                f"The snapshot {self.name} ({self.snapshot_id}) is not listed any more, so the end of its restore "
                "cannot be read. Look at the indices of the target; restore another snapshot if they are not there",
                self.last,
                curable=False,
            )
        if snapshot is None:
            return None
        self.last = snapshot
        if snapshot.restore_status == RESTORING:
            self._refuse_another_s(snapshot, target, now)
            self.was_seen = True
            self._agreed_since = None
            return None
        if snapshot.restore_status not in (RESTORED, RESTORE_FAILED) or not self._is_end(snapshot, target, now):
            return None
        if snapshot.restore_status == RESTORE_FAILED:
            raise self._failed(snapshot)
        return RestoreEnd(snapshot, is_inferred=not self._is_known(snapshot))

    def _refuse_another_s(self, snapshot: Snapshot, target: Cluster, now: datetime) -> None:
        if not (self._was_at_work and target.is_idle):
            self._apart_since = None
            return
        # The word may lag a little behind the target.
        self._apart_since = self._apart_since or now
        if now - self._apart_since >= AGREE_AFTER:
            raise nobody_can_tell(
                f"The snapshot {snapshot.name} ({snapshot.id}) is being restored to another cluster now, so its word "
                f"does not tell any more how the restore to {target.label} ended."
            )

    def _is_known(self, snapshot: Snapshot) -> bool:
        return self.was_seen or snapshot.restore_status != self.word_before

    def _is_end(self, snapshot: Snapshot, target: Cluster, now: datetime) -> bool:
        if self._is_known(snapshot):
            return True
        if is_restoring(target) or not target.is_idle:
            self._agreed_since = None
            return False
        if self._agreed_since is None or snapshot.restore_status != self._agreed_word:
            self._agreed_since, self._agreed_word = now, snapshot.restore_status
        return now - self._agreed_since >= AGREE_APART and now - self.began_at >= AGREE_AFTER

    def _failed(self, snapshot: Snapshot) -> CssSnapshotFailedError:
        return CssSnapshotFailedError(
            f"The restore of {snapshot.name} ({snapshot.id}) failed; CSS gives no reason. Likely causes: an index of "
            "the same name with another number of shards, an open index of the same name, or too little disk",
            snapshot,
        )

    def news(self) -> str:
        """Return what changed since it was asked last, for people; empty when nothing did."""
        word = self.last.restore_status if self.last else ""
        if not word or word == self._told or (word == self.word_before and not self.was_seen):
            return ""
        self._told = word
        return word

    def age(self, now: datetime) -> float:
        """
        Return how long the restore has run, in seconds.

        :param now: The moment.
        """
        return max(0.0, (now - self.began_at).total_seconds())

    def seconds_left(self, now: datetime) -> float:
        """
        Return how long the wait may still last, in seconds; not above zero when the time is up.

        :param now: The moment.
        """
        return self.timeout - self.age(now)

    def late(self, now: datetime) -> CssWaitTimeoutError:  # noqa: ARG002 - the words do not need the moment
        """
        Return the error of a wait whose time is up.

        :param now: The moment.
        """
        word = self.last.restore_status if self.last else "never listed"
        return CssWaitTimeoutError(
            f"The restore of {self.name} ({self.snapshot_id}) did not end within {in_words(self.timeout)}; CSS says "
            f"{word or 'nothing'} of it. CSS goes on with it; raise timeout if it is merely large",
            self.last,
        )
