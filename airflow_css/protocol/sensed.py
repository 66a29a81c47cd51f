"""
What the sensors wait for, one snapshot or the cluster itself, as conditions.

A snapshot is known by its id or by its name. A name may come later, so its absence is waited for. An id is given by CSS
when the snapshot is entered into the list, so an id that stays absent is a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_css.protocol.conditions import Condition
from airflow_css.protocol.errors import CssNotFoundError, CssSnapshotFailedError, ErrorReply
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotStatus
from airflow_css.protocol.waiting import Expectations, Verdict, judge_created, why_unavailable

__all__ = ["ClusterIdle", "SnapshotGone", "SnapshotGood", "SnapshotRestored"]

ABSENT_BETWEEN_LOOKS = timedelta(seconds=10)
ABSENT_AFTER_FIRST_LOOK = timedelta(seconds=40)


@dataclass
class OneSnapshot(Condition):
    """
    What the conditions of one snapshot share. Give the id or the name.

    :param snapshot_id: Its id.
    :param snapshot_name: Its name.
    """

    snapshot_id: str | None = None
    snapshot_name: str | None = None
    _last: Snapshot | None = field(default=None, repr=False)
    _first_look_at: datetime | None = field(default=None, repr=False)
    _first_missed_at: datetime | None = field(default=None, repr=False)

    @property
    def last(self) -> Snapshot | None:
        """The snapshot as the last look showed it; ``None`` when it was not listed."""
        return self._last

    @property
    def label(self) -> str:
        """The snapshot, for people."""
        if self._last is not None:
            return f"{self._last.name} ({self._last.id})"
        return str(self.snapshot_name or self.snapshot_id)

    def find(self, seen: Sequence[Snapshot], now: datetime) -> Snapshot | None:
        """
        Return the snapshot as listed now, ``None`` when it is not.

        :param seen: The snapshots of the cluster.
        :param now: When they were read.
        """
        wanted = (s for s in seen if s.id == self.snapshot_id or (self.snapshot_id is None and self._is_named(s)))
        self._last = next(wanted, None)
        self._first_look_at = self._first_look_at or now
        self._first_missed_at = None if self._last else self._first_missed_at or now
        return self._last

    def _is_named(self, snapshot: Snapshot) -> bool:
        return snapshot.name == self.snapshot_name

    def refuse_missing(self, now: datetime) -> None:
        """
        Return while the snapshot may still come.

        :param now: When the list was read.
        :raises CssNotFoundError: if its id was absent in two looks at least 10 seconds apart, the second at least 40
            seconds after the first look of all.
        """
        first, missed = self._first_look_at, self._first_missed_at
        if self.snapshot_id is None or first is None or missed is None:
            return
        if now - first >= ABSENT_AFTER_FIRST_LOOK and now - missed >= ABSENT_BETWEEN_LOOKS:
            message = f"The cluster lists no snapshot {self.snapshot_id}."
            remedy = (
                "Check the id and the cluster; it was deleted, its creation failed, or the snapshot bucket was changed."
            )
            raise CssNotFoundError(ErrorReply(0, message=message, call="list_snapshots"), remedy)

    def state(self) -> str:
        """Return what the last look showed."""
        if self._first_look_at is None:
            return "the list was not read yet"
        if self._last is None:
            return f"no snapshot {self.label} is listed"
        return f"{self.label} {self.state_of(self._last)}"

    def state_of(self, snapshot: Snapshot) -> str:
        """
        Return the state of the snapshot, as a verb and what follows.

        :param snapshot: As listed.
        """
        unknown = ", a word that is not known" if snapshot.status is SnapshotStatus.UNKNOWN else ""
        return f"is {snapshot.status_word}{unknown}"


@dataclass
class SnapshotGood(OneSnapshot):
    """
    Met when the snapshot is there and good, by the table that judges a new one.

    :param snapshot_id: Its id.
    :param snapshot_name: Its name, instead of the id.
    :param allow_partial: Accept one in which shards failed. Default no.
    :param fail_if_empty: Refuse one without shards. Default yes.
    """

    kind = "snapshot_good"

    allow_partial: bool = False
    fail_if_empty: bool = True

    def see(self, seen: Sequence[Snapshot], now: datetime) -> Mapping[str, Any] | None:
        """
        Return the facts of the snapshot once it is good.

        :param seen: The snapshots of the cluster.
        :param now: When they were read.
        :raises CssSnapshotFailedError: if it will never be good.
        :raises CssNotFoundError: if there is none with that id.
        """
        snapshot = self.find(seen, now)
        if snapshot is None:
            self.refuse_missing(now)
            return None
        expected = Expectations(None, allow_partial=self.allow_partial, fail_if_empty=self.fail_if_empty)
        judgement = judge_created(snapshot, expected)
        if judgement.verdict is Verdict.FAILED:
            raise CssSnapshotFailedError(
                f"The snapshot {self.label} is no backup: {judgement.reason}. It will not change; make another one, "
                "then clear this task",
                snapshot,
                curable=False,
            )
        return snapshot.as_json() if judgement.verdict is Verdict.GOOD else None

    def is_doubtful(self) -> bool:
        """Return whether CSS uses a word for its state that is not known."""
        return self._last is not None and self._last.status is SnapshotStatus.UNKNOWN


@dataclass
class SnapshotRestored(OneSnapshot):
    """
    Met when the latest restore of the snapshot ended well. An old success counts: CSS gives a restore no id.

    Source: CSS API reference, "Querying the Snapshot List", 2025-12-01.

    :param snapshot_id: Its id.
    :param snapshot_name: Its name, instead of the id.
    """

    kind = "snapshot_restored"

    def see(self, seen: Sequence[Snapshot], now: datetime) -> Mapping[str, Any] | None:
        """
        Return the facts of the snapshot once its restore has ended well.

        :param seen: The snapshots of the cluster.
        :param now: When they were read.
        :raises CssSnapshotFailedError: if the restore failed.
        :raises CssNotFoundError: if there is no snapshot with that id.
        """
        snapshot = self.find(seen, now)
        if snapshot is None:
            self.refuse_missing(now)
            return None
        if snapshot.restore_status == "failed":
            raise CssSnapshotFailedError(
                f"The latest restore of the snapshot {self.label} failed. See the failed tasks of the cluster in the "
                "console for the cause, then restore again",
                snapshot,
                curable=False,
            )
        if snapshot.restore_status != "success":
            return None
        return {**snapshot.as_json(), "restore_status": snapshot.restore_status}

    def state_of(self, snapshot: Snapshot) -> str:
        """
        Return how far its restore is, as a verb and what follows.

        :param snapshot: As listed.
        """
        unknown = ", a word that is not known" if self.is_doubtful() else ""
        return f"has the restore status {snapshot.restore_status or 'none'}{unknown}"

    def is_doubtful(self) -> bool:
        """Return whether CSS uses a word for its restore that is not known."""
        known = {"", "none", "restoring", "success", "failed"}
        return self._last is not None and self._last.restore_status not in known


@dataclass
class SnapshotGone(OneSnapshot):
    """
    Met when no snapshot with that id or name is listed, also if there never was one.

    :param snapshot_id: Its id.
    :param snapshot_name: Its name, instead of the id.
    """

    kind = "snapshot_gone"

    def see(self, seen: Sequence[Snapshot], now: datetime) -> Mapping[str, Any] | None:
        """
        Return which snapshot it was once it is gone.

        :param seen: The snapshots of the cluster.
        :param now: When they were read.
        """
        if self.find(seen, now) is not None:
            return None
        return {"snapshot_id": self.snapshot_id, "snapshot_name": self.snapshot_name}


@dataclass
class ClusterIdle(Condition):
    """Met when the cluster is up and nothing runs on it. Whether it can make snapshots does not matter."""

    kind = "cluster_idle"
    looks_at = "cluster"

    _last: Cluster | None = field(default=None, repr=False)

    def see(self, seen: Cluster, now: datetime) -> Mapping[str, Any] | None:  # noqa: ARG002 - the time does not matter here
        """
        Return the cluster's name and state once it is idle.

        :param seen: The cluster.
        :param now: When it was read.
        :raises CssStateError: if it is down.
        """
        self._last = seen
        if down := why_unavailable(seen):
            raise down
        if not seen.is_idle:
            return None
        return {"cluster_id": seen.id, "cluster_name": seen.name, "status": seen.status}

    def state(self) -> str:
        """Return what runs on the cluster."""
        if self._last is None:
            return "the cluster was not read yet"
        return f"the cluster {self._last.label} is {self._last.doing}"
