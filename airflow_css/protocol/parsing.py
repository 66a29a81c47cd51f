"""
From the body of an answer to what CSS describes.

Parsing is forgiving where the documentation is loose (fields absent, null, or a number as text) and strict where a
wrong guess would be dangerous (an entry without an id).

Source: CSS API reference, "Querying the Snapshot List", "Querying Cluster Details", 2025-12-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.models import Cluster, CreatedSnapshot, Snapshot, SnapshotPolicy, SnapshotStatus

__all__ = ["parse_cluster", "parse_created", "parse_policy", "parse_snapshot"]


@dataclass(frozen=True)
class _Reader:
    """Reads fields whose type the documentation does not quite promise."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str) -> str:
        value = self.fields.get(key)
        return "" if value is None else str(value)

    def number(self, key: str) -> int | None:
        try:
            return int(self.fields[key])
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def flag(self, key: str) -> bool | None:
        value = self.fields.get(key)
        return None if value is None else str(value).lower() == "true"

    def epoch_ms(self, key: str) -> datetime | None:
        number = self.number(key)
        if not number or number < 0:
            return None
        try:
            return datetime.fromtimestamp(number / 1000, UTC)
        except (OverflowError, OSError, ValueError):
            return None

    def zoneless(self, key: str) -> datetime | None:
        # CSS prints no zone; the example's number of milliseconds shows that it means UTC. One that it prints counts.
        try:
            moment = datetime.fromisoformat(self.text(key))
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (OverflowError, ValueError):
            return None

    def part(self, key: str) -> _Reader:
        value = self.fields.get(key)
        return _Reader(value if isinstance(value, Mapping) else {})


def _reader(payload: Any, what: str) -> _Reader:
    if not isinstance(payload, Mapping):
        raise CssReplyError(f"CSS was expected to describe {what}, but sent {type(payload).__name__}")
    return _Reader(payload)


def _with_id(payload: Any, what: str) -> _Reader:
    reader = _reader(payload, what)
    given = reader.fields.get("id")
    if not (isinstance(given, str) and given.strip()):
        raise CssReplyError(f"CSS described {what} without an id")
    return reader


def parse_created(payload: Any) -> CreatedSnapshot:
    """
    Return what was created.

    :param payload: The decoded body of the answer.
    :raises CssReplyError: if it has no ``backup.id``: then nothing proves that a snapshot exists.
    """
    backup = _reader(payload, "a new snapshot").fields.get("backup")
    reader = _with_id(backup, "a new snapshot")
    return CreatedSnapshot(id=reader.text("id"), name=reader.text("name"))


def parse_snapshot(payload: Any) -> Snapshot:
    """
    Return one entry of the snapshot list.

    :param payload: The decoded entry.
    :raises CssReplyError: if it has no id.
    """
    reader = _with_id(payload, "a snapshot")
    word = reader.text("status")
    return Snapshot(
        id=reader.text("id"),
        name=reader.text("name"),
        status=SnapshotStatus(word),
        status_word=word,
        description=reader.text("description"),
        indices=tuple(item.strip() for item in reader.text("indices").split(",") if item.strip()),
        total_shards=reader.number("totalShards"),
        failed_shards=reader.number("failedShards"),
        restore_status=reader.text("restoreStatus").strip().lower(),
        is_automatic=reader.text("backupType") == "0" or reader.text("backupMethod").startswith("auto"),
        bucket=reader.text("bucketName"),
        cluster_id=reader.text("clusterId"),
        cluster_name=reader.text("clusterName"),
        created_at=reader.zoneless("created"),
        started_at=reader.epoch_ms("startTime"),
        ended_at=reader.epoch_ms("endTime"),
    )


def parse_cluster(payload: Any) -> Cluster:
    """
    Return a cluster.

    :param payload: The decoded body of the detail call, or an entry of the list call.
    :raises CssReplyError: if it has no id.
    """
    reader = _with_id(payload, "a cluster")
    actions = reader.fields.get("actions")
    reason = reader.part("failedReason")
    return Cluster(
        id=reader.text("id"),
        name=reader.text("name"),
        status=reader.text("status"),
        actions=tuple(str(action) for action in actions) if isinstance(actions, list) else (),
        is_snapshot_function_on=reader.flag("backupAvailable"),
        engine=reader.part("datastore").text("type").lower(),
        engine_version=reader.part("datastore").text("version"),
        failed_reason=" ".join(t for t in (reason.text("errorCode"), reason.text("errorMsg")) if t),
    )


def parse_policy(payload: Any) -> SnapshotPolicy:
    """
    Return the policy for automatic snapshots.

    :param payload: The decoded body of the answer.
    :raises CssReplyError: if it is not an object.
    """
    reader = _reader(payload, "the snapshot policy")
    return SnapshotPolicy(
        enabled=reader.flag("enable") is True,
        prefix=reader.text("prefix"),
        period=reader.text("period"),
        frequency=reader.text("frequency").upper() or "DAY",
        keep=reader.number("keepday"),
        bucket=reader.text("bucket"),
    )
