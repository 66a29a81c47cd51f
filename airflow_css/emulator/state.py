"""
The service's state and the rules by which calls and time change it.

Theory of operation. Nothing happens in the background. Before a cluster is looked at or changed it is *settled*:
everything that fell due since the last time happens in its order. A snapshot ends, an automatic one is made or
cancelled, surplus ones are removed. So the state is a function of the calls and of the clock.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.entries import ClusterEntry, Fate, PolicyEntry, SnapshotEntry
from airflow_css.emulator.exchange import Refusal, css_refusal
from airflow_css.emulator.orders import CreationOrder, select_indices

__all__ = ["ServiceRules", "ServiceState"]

HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class ServiceRules:
    """
    What differs between deployments of the service, or what its documentation leaves open.

    :param creation_takes: How long making a snapshot takes, in seconds.
    :param busy_status: The HTTP status of CSS.0011: 409 was seen, 202 is documented.
    :param first_check: Which of two refusals comes first when a creation breaks both rules: ``busy`` or ``name``.
    :param status_while_snapshotting: The cluster's status meanwhile: ``200`` or ``100``.
    """

    creation_takes: float = 2.0
    busy_status: int = 409
    first_check: Literal["busy", "name"] = "busy"
    status_while_snapshotting: Literal["200", "100"] = "200"


@dataclass(frozen=True)
class _Event:
    """Something that time brings."""

    moment: datetime
    happen: Callable[[datetime], None]


@dataclass
class ServiceState:
    """
    All clusters of one project. May be used from several threads.

    :param clock: The time.
    :param rules: What is left open.
    """

    clock: TurnableClock
    rules: ServiceRules = ServiceRules()
    _clusters: dict[str, ClusterEntry] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def add_cluster(self, cluster_id: str, name: str, **fields: Any) -> None:
        """
        Add a cluster.

        :param cluster_id: Its id.
        :param name: Its name.
        :param fields: Further fields of ``ClusterEntry``.
        """
        now = self.clock.now()
        with self._lock:
            self._clusters[cluster_id] = ClusterEntry(cluster_id, name, now, now, **fields)

    def change_cluster(self, cluster_id: str, **fields: Any) -> None:
        """
        Change fields of a cluster, after what time brought up to now.

        :param cluster_id: The cluster.
        :param fields: Fields of ``ClusterEntry``.
        :raises TypeError: if there is no such field.
        """
        with self._lock:
            self._clusters[cluster_id] = replace(self.find(cluster_id), **fields)

    def find(self, cluster_id: str) -> ClusterEntry:
        """
        Return a cluster as it is now.

        Source: what a missing cluster really answers is recorded by the Terraform provider of the cloud, read
        2026-11-23.

        :param cluster_id: The cluster.
        :raises Refusal: if there is none; CSS does not tell whether it is missing or hidden.
        """
        with self._lock:
            cluster = self._clusters.get(cluster_id)
            if cluster is None:
                message = f"The cluster {cluster_id} does not exist or you do not have the permission to access it."
                raise Refusal(403, "CSS.0015", message)
            self._settle(cluster)
            return cluster

    def clusters(self) -> list[ClusterEntry]:
        """Return all clusters as they are now, newest first."""
        with self._lock:
            found = [self.find(cluster_id) for cluster_id in self._clusters]
            # Turned around after sorting, so that among equals the one that was added later comes first.
            return sorted(found, key=lambda cluster: cluster.created_at)[::-1]

    def show_cluster(self, cluster_id: str) -> dict[str, Any]:
        """
        Return a cluster as its detail call shows it.

        :param cluster_id: The cluster.
        :raises Refusal: if there is none.
        """
        with self._lock:
            return self.find(cluster_id).shown(status_while_snapshotting=self.rules.status_while_snapshotting)

    def list_snapshots(self, cluster_id: str) -> list[dict[str, Any]]:
        """
        Return the snapshots of a cluster as they are listed, newest first.

        :param cluster_id: The cluster.
        :raises Refusal: if there is none.
        """
        with self._lock:
            return self.find(cluster_id).listed_snapshots()

    def create(self, cluster_id: str, order: CreationOrder, next_fate: Callable[[], Fate]) -> SnapshotEntry:
        """
        Begin a snapshot.

        :param cluster_id: The cluster.
        :param order: What is asked for.
        :param next_fate: Says how it will end; asked only when it begins.
        :raises Refusal: if a rule forbids it.
        """
        with self._lock:
            cluster = self.find(cluster_id)
            _refuse_unless_operable(cluster)
            checks = [self._refuse_while_busy, _refuse_taken_name]
            for check in checks if self.rules.first_check == "busy" else reversed(checks):
                check(cluster, order)
            if cluster.quota is not None and len(cluster.snapshots) >= cluster.quota:
                raise css_refusal("CSS.0030", f"{cluster.quota} snapshots are allowed")
            return self._begin(cluster, order, self.clock.now(), next_fate())

    def add_snapshot(self, cluster_id: str, entry: SnapshotEntry) -> None:
        """
        Put a snapshot into the list, whatever the rules say.

        :param cluster_id: The cluster.
        :param entry: The snapshot.
        :raises Refusal: if there is no such cluster.
        """
        with self._lock:
            self.find(cluster_id).snapshots.append(entry)

    def delete(self, cluster_id: str, snapshot_id: str) -> None:
        """
        Remove a snapshot.

        Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01, for what
        is forbidden. Assumed: the codes, and that the entry is gone at once.

        :param cluster_id: The cluster.
        :param snapshot_id: The snapshot.
        :raises Refusal: if there is none, it is being made, or it is automatic while the policy is on.
        """
        with self._lock:
            cluster = self.find(cluster_id)
            _refuse_frozen(cluster)
            entry = next((entry for entry in cluster.snapshots if entry.id == snapshot_id), None)
            if entry is None:
                raise css_refusal("CSS.0016", f"snapshot {snapshot_id} not found")
            if entry.is_building:
                raise css_refusal("CSS.0029", f"snapshot {entry.name} is being created")
            if entry.is_automatic and cluster.policy.enabled:
                raise css_refusal("CSS.0004", "automatic snapshots cannot be deleted while automatic creation is on")
            cluster.snapshots.remove(entry)

    def set_policy(self, cluster_id: str, policy: PolicyEntry) -> None:
        """
        Set the policy for automatic snapshots.

        :param cluster_id: The cluster.
        :param policy: The policy.
        :raises Refusal: if there is no such cluster.
        """
        self.change_cluster(cluster_id, policy=policy)

    def _refuse_while_busy(self, cluster: ClusterEntry, _order: CreationOrder) -> None:
        """
        Refuse a creation while another operation runs.

        Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01.
        """
        if cluster.is_busy:
            working = f"snapshot {cluster.building.name} is being created" if cluster.building else "at work"
            raise css_refusal("CSS.0011", working, status=self.rules.busy_status)

    def _begin(
        self, cluster: ClusterEntry, order: CreationOrder, moment: datetime, fate: Fate, frequency: str | None = None
    ) -> SnapshotEntry:
        takes = self.rules.creation_takes if fate.takes is None else fate.takes
        entry = SnapshotEntry(
            id=str(uuid.uuid4()),
            name=order.name,
            started_at=moment,
            ends_at=None if fate.ending == "stuck" else moment + timedelta(seconds=takes),
            description=order.description,
            indices=select_indices(order.indices, cluster.indices),
            fate=fate,
            frequency=frequency,
        )
        cluster.snapshots.append(entry)
        return entry

    def _settle(self, cluster: ClusterEntry) -> None:
        now = self.clock.now()
        while (events := self._next_events(cluster)) and events[0].moment <= now:
            cluster.settled_until = max(cluster.settled_until, events[0].moment)
            for event in events:
                event.happen(event.moment)
        cluster.settled_until = max(cluster.settled_until, now)

    def _next_events(self, cluster: ClusterEntry) -> list[_Event]:
        """Return what happens next, all in one moment; an end comes before what falls due in the same moment."""
        known = [_end_of_work(cluster), self._automatic(cluster), _clearance(cluster)]
        events = [event for event in known if event is not None]
        first = min((event.moment for event in events), default=None)
        return [event for event in events if event.moment == first]

    def _automatic(self, cluster: ClusterEntry) -> _Event | None:
        """
        Return the automatic snapshot that falls due next.

        Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: it is
        cancelled when another operation runs. Assumed: the same on a cluster that is unavailable or frozen, and
        nothing falls due while the snapshot function is off.
        """
        due = cluster.policy.rules().next_due(cluster.settled_until) if cluster.snapshot_function else None

        def happen(moment: datetime) -> None:
            if cluster.is_busy or cluster.frozen or not cluster.is_available:
                cluster.cancelled += 1
                return
            policy = cluster.policy
            name = f"{policy.prefix}-{int(moment.timestamp() * 1000)}"
            self._begin(cluster, CreationOrder(name, indices=policy.indices), moment, Fate(), policy.frequency)

        return None if due is None else _Event(due, happen)


def _end_of_work(cluster: ClusterEntry) -> _Event | None:
    entry = cluster.building
    if entry is None or entry.ends_at is None:
        return None

    def happen(moment: datetime) -> None:
        if entry.fate.ending == "vanish":
            cluster.snapshots.remove(entry)
        else:
            entry.finish(moment)

    return _Event(entry.ends_at, happen)


def _clearance(cluster: ClusterEntry) -> _Event | None:
    """
    Return the next removal of surplus automatic snapshots.

    Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: every half
    hour, those of the policy's frequency. Assumed: a number of snapshots is kept, not of days, and those that are
    being made do not count.
    """
    alike = [e for e in cluster.snapshots if e.frequency == cluster.policy.frequency and not e.is_building]
    surplus = sorted(alike, key=lambda entry: entry.started_at)[: max(0, len(alike) - cluster.policy.keep)]
    if not surplus or not cluster.policy.enabled:
        return None

    def happen(_moment: datetime) -> None:
        cluster.snapshots = [entry for entry in cluster.snapshots if entry not in surplus]

    return _Event(_next_half_hour(cluster.settled_until), happen)


def _next_half_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole + HALF_HOUR * ((moment - whole) // HALF_HOUR + 1)


def _refuse_unless_operable(cluster: ClusterEntry) -> None:
    """
    Refuse a creation that the cluster's own state forbids.

    Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: the function
    must be on and the cluster available. Assumed: the codes for both, and the order of the checks.
    """
    _refuse_frozen(cluster)
    if not cluster.snapshot_function:
        raise css_refusal("CSS.0004", "the snapshot function is off")
    if not cluster.is_available:
        raise css_refusal("CSS.5140", f"status {cluster.status}")


def _refuse_frozen(cluster: ClusterEntry) -> None:
    if cluster.frozen:
        raise css_refusal("CSS.5301", f"cluster {cluster.id}")


def _refuse_taken_name(cluster: ClusterEntry, order: CreationOrder) -> None:
    if any(entry.name == order.name for entry in cluster.snapshots):
        raise css_refusal("CSS.0043", f"name {order.name}")
