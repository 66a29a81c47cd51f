"""
What CSS describes, as frozen values. ``parsing`` builds them from an answer.

Source: CSS API reference, "Querying the Snapshot List", "Querying Cluster Details", 2025-12-01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import cached_property
from typing import Any

from airflow_css.protocol.provenance import Mark, read_mark

__all__ = [
    "Cluster",
    "CreatedSnapshot",
    "Snapshot",
    "SnapshotPolicy",
    "SnapshotStatus",
]


class SnapshotStatus(StrEnum):
    """The words for a snapshot's state; a word that CSS adds later is ``UNKNOWN``."""

    BUILDING = "BUILDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    PART_FAILED = "PART_FAILED"
    UNKNOWN = "?"

    @classmethod
    def _missing_(cls, _value: object) -> SnapshotStatus:
        return cls.UNKNOWN


@dataclass(frozen=True)
class CreatedSnapshot:
    """
    What CSS answers to a creation.

    :param id: The snapshot id: the backup id.
    :param name: The name.
    """

    id: str
    name: str


@dataclass(frozen=True)
class Snapshot:
    """
    One entry of the snapshot list. Moments are aware datetimes in UTC; ``None`` means that CSS did not say.

    :param id: The snapshot id: the backup id.
    :param name: The name, unique within the cluster.
    :param status: The state.
    :param status_word: The state in CSS's own word.
    :param description: The description, with the mark if this package made it.
    :param indices: The indices in it, as listed.
    :param total_shards: Number of shards.
    :param failed_shards: Number of shards that failed.
    :param restore_status: ``none``, ``restoring``, ``success`` or ``failed``: the latest restore of it.
    :param is_automatic: Whether the cluster's own policy made it.
    :param bucket: The bucket it lies in.
    :param cluster_id: The cluster.
    :param cluster_name: The cluster's name.
    :param created_at: When CSS entered it into the list.
    :param started_at: When the work began.
    :param ended_at: When the work ended.
    """

    id: str
    name: str = ""
    status: SnapshotStatus = SnapshotStatus.UNKNOWN
    status_word: str = ""
    description: str = ""
    indices: tuple[str, ...] = ()
    total_shards: int | None = None
    failed_shards: int | None = None
    restore_status: str = ""
    is_automatic: bool = False
    bucket: str = ""
    cluster_id: str = ""
    cluster_name: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @cached_property
    def mark(self) -> Mark | None:
        """What the mark in the description says."""
        return read_mark(self.description)

    @property
    def began_at(self) -> datetime | None:
        """When the work began, or at least when it was listed."""
        return self.started_at or self.created_at

    @property
    def duration_seconds(self) -> float | None:
        """How long the work took, in seconds; ``None`` while it runs."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def work(self) -> str:
        """What is done with it now: ``made``, ``restored``, or nothing as far as CSS shows."""
        if self.status is SnapshotStatus.BUILDING:
            return "made"
        return "restored" if self.restore_status == "restoring" else ""

    @property
    def label(self) -> str:
        """Name and id, for people."""
        return f"{self.name} ({self.id})" if self.name else self.id

    @property
    def is_good(self) -> bool:
        """Whether everything that was asked for is in it: completed, no failed shard, not empty."""
        return self.status is SnapshotStatus.COMPLETED and not self.failed_shards and self.total_shards != 0

    @property
    def is_damaged(self) -> bool:
        """Whether it holds a damaged state, which a checkpoint kept before it overwrote it."""
        return self.mark is not None and self.mark.damaged

    @property
    def is_good_backup(self) -> bool:
        """Whether it is good, and holds a state that one wants to go back to."""
        return self.is_good and not self.is_damaged

    def as_json(self) -> dict[str, Any]:
        """Return the facts as plain JSON values; moments as ISO 8601 with ``+00:00``."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status_word or self.status.value,
            "indices": list(self.indices),
            "total_shards": self.total_shards,
            "failed_shards": self.failed_shards,
            "bucket": self.bucket,
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "duration_seconds": self.duration_seconds,
        }


@dataclass(frozen=True)
class Cluster:
    """
    A cluster, as far as snapshots care.

    :param id: The cluster id.
    :param name: Its name.
    :param status: ``100`` at work, ``200`` available, ``300``/``303`` unavailable.
    :param actions: What runs on it now, for example ``SNAPSHOTTING``.
    :param is_snapshot_function_on: Whether snapshots are enabled; ``None`` when CSS did not say.
    :param engine: ``elasticsearch`` or ``opensearch``.
    :param engine_version: The engine's version.
    :param failed_reason: Why it is unavailable, if CSS said so.
    """

    id: str
    name: str = ""
    status: str = ""
    actions: tuple[str, ...] = ()
    is_snapshot_function_on: bool | None = None
    engine: str = ""
    engine_version: str = ""
    failed_reason: str = ""

    @property
    def is_unavailable(self) -> bool:
        """Whether it is down, so that waiting for its turn is pointless."""
        return self.status in {"300", "303"}

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs on it, as far as CSS shows."""
        return not self.actions and self.status != "100" and not self.is_unavailable

    @property
    def doing(self) -> str:
        """What runs on it, for people."""
        return ", ".join(self.actions) or ("idle" if self.is_idle else f"status {self.status}")

    @property
    def label(self) -> str:
        """Name and id, for people."""
        return f"{self.name} ({self.id})" if self.name else self.id


_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_PERIOD = re.compile(r"(\d{1,2}):(\d{2})(?:\s*GMT([+-])(\d{1,2}):?(\d{2})?)?")


@dataclass(frozen=True)
class SnapshotPolicy:
    """
    The cluster's policy for automatic snapshots.

    :param enabled: Whether automatic snapshots are on.
    :param prefix: What their names begin with.
    :param period: When they are due, for example ``16:00 GMT+08:00``.
    :param frequency: ``HOUR``, ``DAY`` or a day of the week such as ``SUN``.
    :param keep: How many (or how many days) are kept; the documentation says both.
    :param bucket: The bucket they go to.
    """

    enabled: bool = False
    prefix: str = ""
    period: str = ""
    frequency: str = "DAY"
    keep: int | None = None
    bucket: str = ""

    def next_due(self, after: datetime) -> datetime | None:
        """
        Return when the next automatic snapshot is due, in UTC; ``None`` when off or not understood.

        :param after: An aware moment; the answer is later.
        """
        if not self.enabled:
            return None
        if self.frequency == "HOUR":
            return after.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        found = _PERIOD.search(self.period)
        if found is None or (self.frequency != "DAY" and self.frequency not in _DAYS):
            return None
        try:
            due = _at_time_of_day(found, after)
        except ValueError:
            # A minute or a zone that no clock shows.
            return None
        while due <= after or (self.frequency in _DAYS and due.weekday() != _DAYS.index(self.frequency)):
            due += timedelta(days=1)
        return due.astimezone(UTC)


def _at_time_of_day(found: re.Match[str], moment: datetime) -> datetime:
    hour, minute, sign, zone_hours, zone_minutes = found.groups()
    offset = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    return moment.astimezone(zone).replace(hour=int(hour) % 24, minute=int(minute), second=0, microsecond=0)
