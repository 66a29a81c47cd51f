"""
What the service keeps and how it lists it: snapshots, policies, clusters.

Field names and types are those of the API.

Source: CSS API reference, "Querying the Snapshot List", "Querying Cluster Details" and the call ShowAutoCreatePolicy,
2025-12-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from airflow_css.emulator.bounds import check_number, check_seconds
from airflow_css.protocol.models import SnapshotPolicy
from airflow_css.protocol.parsing import parse_policy

__all__ = ["ClusterEntry", "Ending", "Fate", "PolicyEntry", "SnapshotEntry", "check_fate"]

Ending = Literal["completed", "part_failed", "failed", "vanish", "empty", "stuck"]

BUCKET = "css-backups"
DEFAULT_INDICES: Mapping[str, int] = {"orders-2026-11": 3, "orders-2026-10": 3, "customers": 1, ".kibana": 1}


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
    :param fate: How it will end.
    :param failed_shards: How many shards failed.
    :param ended_at: When the work ended; ``None`` while it runs.
    :param frequency: The policy's frequency if it is automatic; ``None`` if a user made it.
    :param restore_status: ``none``, ``restoring``, ``success`` or ``failed``.
    """

    id: str
    name: str
    started_at: datetime
    ends_at: datetime | None
    status: str = "BUILDING"
    description: str = ""
    indices: dict[str, int] = field(default_factory=dict)
    fate: Fate = Fate()
    failed_shards: int = 0
    ended_at: datetime | None = None
    frequency: str | None = None
    restore_status: str = "none"

    @property
    def is_building(self) -> bool:
        """Whether it is still being made."""
        return self.status == "BUILDING"

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

    def listed(self, cluster: ClusterEntry) -> dict[str, Any]:
        """
        Return the entry of the snapshot list.

        Source: as above; times are zoneless in text and epoch milliseconds in numbers, both UTC.
        Assumed: while it is being made, the end is null and no shard is counted yet.

        :param cluster: Whose snapshot it is.
        """
        entry = {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "status": self.status,
            "restoreStatus": self.restore_status,
            "backupType": "0" if self.is_automatic else "1",
            "backupMethod": "auto" if self.is_automatic else "manual",
            "created": _zoneless(self.started_at),
            "updated": _zoneless(self.ended_at or self.started_at),
            "startTime": _epoch_ms(self.started_at),
            "endTime": _epoch_ms(self.ended_at) if self.ended_at else None,
            "indices": ",".join(self.indices),
            "totalShards": 0 if self.is_building else sum(self.indices.values()),
            "failedShards": self.failed_shards,
            "bucketName": cluster.policy.bucket,
            "clusterId": cluster.id,
            "clusterName": cluster.name,
            "datastore": {"type": cluster.engine, "version": cluster.engine_version},
            "version": cluster.engine_version,
            "backupExpectedStartTime": None,
            "backupKeepDay": None,
            "backupPeriod": None,
        }
        return {**entry, "backupFrequency": self.frequency} if self.is_automatic else entry


@dataclass(frozen=True)
class PolicyEntry:
    """
    The policy for automatic snapshots.

    :param enabled: Whether it is on.
    :param period: When they are due, for example ``16:00 GMT+08:00``.
    :param frequency: ``HOUR``, ``DAY`` or a day of the week such as ``SUN``.
    :param keep: How many are kept, 1 to 90.
    :param prefix: What their names begin with.
    :param indices: The index list.
    :param bucket: The bucket of all snapshots.
    """

    enabled: bool = False
    period: str = "00:00 GMT+08:00"
    frequency: str = "DAY"
    keep: int = 7
    prefix: str = "snapshot"
    indices: str = "*"
    bucket: str = BUCKET

    def shown(self) -> dict[str, Any]:
        """Return the answer of the policy call: its fields are camelCase although those of the setter are not."""
        return {
            "keepday": self.keep,
            "period": self.period,
            "frequency": self.frequency,
            "prefix": self.prefix,
            "bucket": self.bucket,
            "basePath": "css_repository/emulator",
            "agency": "css_obs_agency",
            "enable": "true" if self.enabled else "false",
            "indices": self.indices,
            "snapshotCmkId": None,
            "maxSnapshotBytesPerSeconds": "40MB",
            "maxRestoreBytesPerSeconds": "0MB",
        }

    def rules(self) -> SnapshotPolicy:
        """Return what the policy means: the model knows when the next snapshot is due."""
        return parse_policy(self.shown())


@dataclass
class ClusterEntry:
    """
    One cluster.

    :param id: Its id.
    :param name: Its name.
    :param created_at: When it was made.
    :param settled_until: Up to when everything that time brings was carried out.
    :param indices: Number of shards by index.
    :param status: ``200`` available, ``300``/``303`` unavailable, ``100`` at work with something else than a snapshot.
    :param actions: What else than a snapshot runs on it, for example ``GROWING``.
    :param frozen: Whether it is frozen for unpaid bills.
    :param snapshot_function: Whether snapshots are enabled.
    :param quota: How many snapshots it may have; ``None`` for no limit, since CSS publishes no number.
    :param engine: ``elasticsearch`` or ``opensearch``.
    :param engine_version: The engine's version.
    :param policy: The policy for automatic snapshots.
    :param snapshots: What was made, oldest first.
    :param cancelled: How many automatic snapshots fell due while something else ran.
    """

    id: str
    name: str
    created_at: datetime
    settled_until: datetime
    indices: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_INDICES))
    status: str = "200"
    actions: tuple[str, ...] = ()
    frozen: bool = False
    snapshot_function: bool = True
    quota: int | None = None
    engine: str = "elasticsearch"
    engine_version: str = "7.10.2"
    policy: PolicyEntry = PolicyEntry()
    snapshots: list[SnapshotEntry] = field(default_factory=list)
    cancelled: int = 0

    @property
    def building(self) -> SnapshotEntry | None:
        """The snapshot that is being made."""
        return next((entry for entry in self.snapshots if entry.is_building), None)

    @property
    def is_available(self) -> bool:
        """Whether it is up."""
        return self.status not in {"300", "303"}

    @property
    def is_busy(self) -> bool:
        """Whether an operation runs on it."""
        return self.building is not None or bool(self.actions) or self.status == "100"

    def listed_snapshots(self) -> list[dict[str, Any]]:
        """
        Return the snapshot list, newest first.

        Assumed: the order; it is that of the documented example.
        """
        # Turned around after sorting, so that among equals the one that was made later comes first.
        oldest_first = sorted(self.snapshots, key=lambda entry: entry.started_at)
        return [entry.listed(self) for entry in reversed(oldest_first)]

    def shown(self, *, status_while_snapshotting: str) -> dict[str, Any]:
        """
        Return the cluster as the detail call and the list call show it.

        :param status_while_snapshotting: ``200`` or ``100``: the documentation does not say which.
        """
        building = self.building is not None
        status = status_while_snapshotting if building and self.status == "200" else self.status
        shown = {
            "id": self.id,
            "name": self.name,
            "status": status,
            "actions": [*self.actions, *(["SNAPSHOTTING"] if building else [])],
            "actionProgress": {"SNAPSHOTTING": "50%"} if building else {},
            "backupAvailable": self.snapshot_function,
            "created": _zoneless(self.created_at),
            "updated": _zoneless(self.created_at),
            "endpoint": "192.168.0.10:9200",
            "datastore": {"type": self.engine, "version": self.engine_version},
            "instances": [_instance(self, number) for number in (1, 2, 3)],
            "snapshotPolicy": {
                "backupEnable": self.policy.enabled,
                "bakPeriod": self.policy.period,
                "bakFrequency": self.policy.frequency,
                "bakKeepDay": self.policy.keep,
            },
        }
        if self.is_available:
            return shown
        return {**shown, "failedReason": {"errorCode": "CSS.6000", "errorMsg": "The cluster is unavailable"}}


def _instance(cluster: ClusterEntry, number: int) -> dict[str, str]:
    return {
        "id": f"{cluster.id[:-1]}{number}",
        "name": f"{cluster.name}-ess-esn-{number}-1",
        "type": "ess",
        "status": "200" if cluster.is_available else "303",
    }


def _zoneless(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
