"""
The clusters and their policies: what the service keeps of them and how it shows it.

Field names and types are those of the API.

Source: CSS API reference, "Querying Cluster Details" and the call ShowAutoCreatePolicy, 2025-12-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_css.emulator.entries import BUCKET, Documents, SnapshotEntry, zoneless
from airflow_css.emulator.restores import RestoreEntry
from airflow_css.protocol.models import SnapshotPolicy
from airflow_css.protocol.parsing import parse_policy

__all__ = ["DEFAULT_INDICES", "ClusterEntry", "PolicyEntry"]

DEFAULT_INDICES: Mapping[str, int] = {"orders-2026-11": 3, "orders-2026-10": 3, "customers": 1, ".kibana": 1}


@dataclass(frozen=True)
class PolicyEntry:
    """
    The policy for automatic snapshots, and the settings of all snapshots.

    :param enabled: Whether it is on.
    :param period: When they are due, for example ``16:00 GMT+08:00``.
    :param frequency: ``HOUR``, ``DAY`` or a day of the week such as ``SUN``.
    :param keep: How many are kept, 1 to 90.
    :param prefix: What their names begin with.
    :param indices: The index list.
    :param bucket: The bucket of new snapshots.
    :param base_path: Where in the bucket.
    :param agency: In whose name the service uses the bucket.
    :param snapshot_speed: The highest rate of making snapshots, per node and second.
    :param restore_speed: The highest rate of restoring, per node and second.
    """

    enabled: bool = False
    period: str = "00:00 GMT+08:00"
    frequency: str = "DAY"
    keep: int = 7
    prefix: str = "snapshot"
    indices: str = "*"
    bucket: str = BUCKET
    base_path: str = "css_repository/emulator"
    agency: str = "css_obs_agency"
    snapshot_speed: str = "40MB"
    restore_speed: str = "0MB"

    def shown(self) -> dict[str, Any]:
        """Return the answer of the policy call: its fields are camelCase although those of the setter are not."""
        return {
            "keepday": self.keep,
            "period": self.period,
            "frequency": self.frequency,
            "prefix": self.prefix,
            "bucket": self.bucket,
            "basePath": self.base_path,
            "agency": self.agency,
            "enable": "true" if self.enabled else "false",
            "indices": self.indices,
            "snapshotCmkId": None,
            "maxSnapshotBytesPerSeconds": self.snapshot_speed,
            "maxRestoreBytesPerSeconds": self.restore_speed,
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
    :param documents: The documents of these, as JSON text by id; an index without any may be missing.
    :param status: ``200`` available, ``300``/``303`` unavailable, ``100`` at work with something else than a snapshot.
    :param actions: What else than a snapshot runs on it, for example ``GROWING``.
    :param frozen: Whether it is frozen for unpaid bills.
    :param snapshot_function: Whether snapshots are enabled.
    :param quota: How many snapshots it may have; ``None`` for no limit, since CSS publishes no number.
    :param engine: ``elasticsearch`` or ``opensearch``.
    :param engine_version: The engine's version.
    :param policy: The policy for automatic snapshots.
    :param snapshots: What was made, oldest first.
    :param restores: What was restored to it, oldest first.
    :param cancelled: How many automatic snapshots fell due while something else ran.
    """

    id: str
    name: str
    created_at: datetime
    settled_until: datetime
    indices: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_INDICES))
    documents: Documents = field(default_factory=dict)
    status: str = "200"
    actions: tuple[str, ...] = ()
    frozen: bool = False
    snapshot_function: bool = True
    quota: int | None = None
    engine: str = "elasticsearch"
    engine_version: str = "7.10.2"
    policy: PolicyEntry = PolicyEntry()
    snapshots: list[SnapshotEntry] = field(default_factory=list)
    restores: list[RestoreEntry] = field(default_factory=list)
    cancelled: int = 0

    @property
    def building(self) -> SnapshotEntry | None:
        """The snapshot that is being made."""
        return next((entry for entry in self.snapshots if entry.is_building), None)

    @property
    def restoring(self) -> RestoreEntry | None:
        """What is being restored to it."""
        # One operation at a time: only the last one can still be at work.
        return self.restores[-1] if self.restores and self.restores[-1].is_running else None

    @property
    def is_available(self) -> bool:
        """Whether it is up."""
        return self.status not in {"300", "303"}

    @property
    def work(self) -> str:
        """What is done about snapshots on it, in words; empty for nothing."""
        if self.building:
            return f"snapshot {self.building.name} is being created"
        return f"snapshot {self.restoring.snapshot.name} is being restored" if self.restoring else ""

    @property
    def is_busy(self) -> bool:
        """Whether an operation runs on it."""
        return bool(self.work or self.actions) or self.status == "100"

    @property
    def is_full(self) -> bool:
        """Whether no more snapshots are allowed."""
        return self.quota is not None and len(self.snapshots) >= self.quota

    def give(self, indices: dict[str, int], documents: Documents | None = None) -> None:
        """
        Let it hold these indices from now on.

        :param indices: Number of shards by index.
        :param documents: Their documents; default those of before, without those of an index that is gone.
        """
        kept = self.documents if documents is None else documents
        self.indices = indices
        self.documents = {name: held for name, held in kept.items() if name in indices}

    def listed_snapshots(self) -> list[dict[str, Any]]:
        """
        Return the snapshot list, newest first.

        Assumed: the order; it is that of the documented example.
        """
        # Turned around after sorting, so that among equals the one that was made later comes first.
        oldest_first = sorted(self.snapshots, key=lambda entry: entry.started_at)
        owner = {
            "clusterId": self.id,
            "clusterName": self.name,
            "datastore": {"type": self.engine, "version": self.engine_version},
            "version": self.engine_version,
        }
        return [{**entry.listed(), **owner} for entry in reversed(oldest_first)]

    def shown(self, *, status_while_snapshotting: str) -> dict[str, Any]:
        """
        Return the cluster as the detail call and the list call show it.

        :param status_while_snapshotting: ``200`` or ``100``: the documentation does not say which.
        """
        ours = ["SNAPSHOTTING"] if self.building else ["RESTORING"] if self.restoring else []
        shown = {
            "id": self.id,
            "name": self.name,
            "status": status_while_snapshotting if ours and self.status == "200" else self.status,
            "actions": [*self.actions, *ours],
            "actionProgress": dict.fromkeys(ours, "50%"),
            "backupAvailable": self.snapshot_function,
            "created": zoneless(self.created_at),
            "updated": zoneless(self.created_at),
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
