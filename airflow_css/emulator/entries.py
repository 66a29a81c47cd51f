"""
The snapshots: what the service keeps of them and how it lists it.

Field names and types are those of the API.

Source: CSS API reference, "Querying the Snapshot List", 2025-12-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from airflow_css.emulator.bounds import check_number, check_seconds

__all__ = ["Documents", "Ending", "Fate", "SnapshotEntry", "check_fate", "zoneless"]

Ending = Literal["completed", "part_failed", "failed", "vanish", "empty", "stuck"]

BUCKET = "css-backups"

Documents = Mapping[str, Mapping[str, str]]
"""Documents by index and id, each as JSON text. Never changed in place: cluster and snapshots may share them."""


@dataclass(frozen=True)
class Fate:
    """
    How the making of a snapshot ends.

    :param ending: ``completed``, ``part_failed``, ``failed``, ``vanish`` (it is no longer listed), ``empty``
        (completed without a shard) or ``stuck`` (it never ends).
    :param takes: How long it takes, in seconds, 0 or more; ``None`` for the emulator's ``creation_takes``.
    :param failed_shards: How many shards fail when the ending is ``part_failed``.
    """

    ending: Ending = "completed"
    takes: float | None = None
    failed_shards: int = 1


def check_fate(fate: Fate) -> Fate:
    """
    Return the fate, which is a possible one.

    :param fate: What a script says.
    :raises ValueError: if it is not.
    """
    if fate.ending not in get_args(Ending):
        raise ValueError(f"an ending is one of {', '.join(get_args(Ending))}, not {fate.ending!r}")
    if fate.takes is not None:
        check_seconds("takes", fate.takes)
    check_number("failed_shards", fate.failed_shards, 0, 1_000_000)
    return fate


@dataclass
class SnapshotEntry:
    """
    One snapshot.

    :param id: Its id.
    :param name: Its name.
    :param started_at: When the work began.
    :param ends_at: When the work will end, or did; ``None`` for never.
    :param status: The state, in CSS's word.
    :param description: Its description.
    :param indices: Number of shards by index.
    :param documents: All documents of the cluster, as they were when the work began.
    :param fate: How it will end.
    :param failed_shards: How many shards failed.
    :param ended_at: When the work ended; ``None`` while it runs.
    :param frequency: The policy's frequency if it is automatic; ``None`` if a user made it.
    :param restore_status: ``none``, ``restoring``, ``success`` or ``failed``: how the latest restore goes.
    :param coming_words: What the restore status will be, and from when, in their order.
    :param being_restored: Whether a restore of it runs, whatever its status says.
    :param gone_at: When its deletion ends; ``None`` when nobody deletes it.
    :param bucket: Where it is.
    """

    id: str
    name: str
    started_at: datetime
    ends_at: datetime | None
    status: str = "BUILDING"
    description: str = ""
    indices: dict[str, int] = field(default_factory=dict)
    documents: Documents = field(default_factory=dict)
    fate: Fate = Fate()
    failed_shards: int = 0
    ended_at: datetime | None = None
    frequency: str | None = None
    restore_status: str = "none"
    coming_words: list[tuple[datetime, str]] = field(default_factory=list)
    being_restored: bool = False
    gone_at: datetime | None = None
    bucket: str = BUCKET

    @property
    def is_building(self) -> bool:
        """Whether it is still being made."""
        return self.status == "BUILDING"

    @property
    def is_in_work(self) -> bool:
        """Whether it is being made, restored or deleted."""
        return self.is_building or self.being_restored or self.gone_at is not None

    @property
    def is_automatic(self) -> bool:
        """Whether the cluster's policy made it."""
        return self.frequency is not None

    def finish(self, moment: datetime) -> None:
        """
        End the work as its fate says.

        :param moment: When.
        """
        words = {"part_failed": "PART_FAILED", "failed": "FAILED"}
        self.status = words.get(self.fate.ending, "COMPLETED")
        self.ended_at = moment
        if self.fate.ending == "empty":
            self.indices = {}
        if self.fate.ending == "part_failed":
            self.failed_shards = self.fate.failed_shards
        if self.fate.ending == "failed":
            self.failed_shards = sum(self.indices.values())

    def listed(self) -> dict[str, Any]:
        """
        Return the entry of the snapshot list, without what it says of the cluster.

        Source: as above; times are zoneless in text and epoch milliseconds in numbers, both UTC.
        Assumed: while it is being made, the end is null and no shard is counted yet.
        """
        entry = {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "status": self.status,
            "restoreStatus": self.restore_status,
            "backupType": "0" if self.is_automatic else "1",
            "backupMethod": "auto" if self.is_automatic else "manual",
            "created": zoneless(self.started_at),
            "updated": zoneless(self.ended_at or self.started_at),
            "startTime": _epoch_ms(self.started_at),
            "endTime": _epoch_ms(self.ended_at) if self.ended_at else None,
            "indices": ",".join(self.indices),
            "totalShards": 0 if self.is_building else sum(self.indices.values()),
            "failedShards": self.failed_shards,
            "bucketName": self.bucket,
            "backupExpectedStartTime": None,
            "backupKeepDay": None,
            "backupPeriod": None,
        }
        return {**entry, "backupFrequency": self.frequency} if self.is_automatic else entry


def zoneless(moment: datetime) -> str:
    """
    Return a moment as the API writes it: UTC, without saying so.

    :param moment: An aware moment.
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
