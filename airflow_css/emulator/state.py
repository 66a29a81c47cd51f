"""
The service's state and the rules by which calls change it.

Theory of operation. Nothing happens in the background. Before a cluster is looked at or changed it is *settled*
(``timeline``): everything that fell due since the last time happens in its order. So the state is a function of the
calls and of the clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from airflow_css.emulator import refusals
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.clusters import ClusterEntry, PolicyEntry
from airflow_css.emulator.entries import Fate, SnapshotEntry
from airflow_css.emulator.exchange import Refusal, css_refusal
from airflow_css.emulator.orders import CreationOrder
from airflow_css.emulator.restores import RestoreEntry, RestoreFate, RestoreOrder
from airflow_css.emulator.rules import ServiceRules
from airflow_css.emulator.settings import PolicyOrder, SettingOrder
from airflow_css.emulator.timeline import linked, settle
from airflow_css.emulator.works import begin_restore, begin_snapshot

__all__ = ["ServiceState"]

CHANGEABLE = frozenset(entry.name for entry in fields(ClusterEntry)) - {
    "id",
    "created_at",
    "settled_until",
    "documents",
}


@dataclass
class ServiceState:
    """
    All clusters of one project. May be used from several threads.

    :param clock: The time.
    :param rules: What is left open.
    """

    clock: TurnableClock
    rules: ServiceRules = field(default_factory=ServiceRules)
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
        if unknown := sorted(set(fields) - CHANGEABLE):
            raise TypeError(f"a cluster has no {', '.join(unknown)} to change; it has {', '.join(sorted(CHANGEABLE))}")
        with self._lock:
            # Changed in place: a restore that runs knows its clusters.
            cluster = self.find(cluster_id)
            vars(cluster).update(fields)
            cluster.give(cluster.indices)

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
            settle(linked(cluster, list(self._clusters.values())), self.rules, self.clock.now())
            return cluster

    @contextmanager
    def holding(self, cluster_id: str) -> Iterator[ClusterEntry]:
        """
        Yield a cluster as it is now, which nobody else changes meanwhile.

        :param cluster_id: The cluster.
        :raises Refusal: if there is none.
        """
        with self._lock:
            yield self.find(cluster_id)

    def closed_indices(self, cluster: ClusterEntry) -> frozenset[str]:
        """
        Return the names that a running restore brings: until it ends, nobody can use these indices.

        :param cluster: The cluster, as it is now.
        """
        restore = cluster.restoring
        return frozenset() if restore is None else restore.closes(cluster.indices, self.rules.existing_index)

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
            refusals.refuse_frozen(cluster)
            refusals.refuse_unless_on(cluster)
            refusals.refuse_unavailable(cluster)
            if self.rules.first_check == "name":
                refusals.refuse_taken_name(cluster, order.name)
            refusals.refuse_while_busy(cluster, self.rules)
            refusals.refuse_taken_name(cluster, order.name)
            if cluster.is_full:
                raise css_refusal("CSS.0030", f"{cluster.quota} snapshots are allowed")
            return begin_snapshot(cluster, order, next_fate(), self.rules, moment=self.clock.now())

    def restore(
        self, cluster_id: str, snapshot_id: str, order: RestoreOrder, next_fate: Callable[[], RestoreFate]
    ) -> RestoreEntry:
        """
        Begin a restore.

        Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: an
        unavailable cluster's snapshots can be restored to another one; what is restored to must be up and idle.
        Assumed: the cluster that has the snapshot may be at work, but its snapshot function must be on.

        :param cluster_id: The cluster that has the snapshot.
        :param snapshot_id: The snapshot.
        :param order: What is asked for.
        :param next_fate: Says how it will end; asked only when it begins.
        :raises Refusal: if a rule forbids it.
        """
        with self._lock:
            source, target = self.find(cluster_id), self.find(order.target_cluster)
            snapshot = refusals.find_snapshot(source, snapshot_id, self.rules)
            refusals.refuse_frozen(source)
            refusals.refuse_unless_on(source)
            refusals.refuse_unless_restorable(snapshot, self.rules)
            refusals.refuse_frozen(target)
            refusals.refuse_unavailable(target)
            refusals.refuse_older_engine(source, target)
            refusals.refuse_while_busy(target, self.rules)
            return begin_restore(snapshot, (source, target), order, next_fate(), self.rules, moment=self.clock.now())

    def add_snapshot(self, cluster_id: str, entry: SnapshotEntry) -> None:
        """
        Put a snapshot into the list, whatever the rules say.

        :param cluster_id: The cluster.
        :param entry: The snapshot.
        :raises Refusal: if there is no such cluster.
        """
        with self._lock:
            self.find(cluster_id).snapshots.append(entry)

    def delete(self, cluster_id: str, snapshot_id: str, next_duration: Callable[[], float] = lambda: 0.0) -> None:
        """
        Remove a snapshot.

        Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01, for what
        is forbidden. Assumed: the codes, and that the entry is gone at once unless a script says otherwise.

        :param cluster_id: The cluster.
        :param snapshot_id: The snapshot.
        :param next_duration: Says how long it takes, in seconds; asked only when it begins.
        :raises Refusal: if there is none, it is in work, or it is automatic while the policy is on.
        """
        with self._lock:
            cluster = self.find(cluster_id)
            refusals.refuse_frozen(cluster)
            entry = refusals.find_snapshot(cluster, snapshot_id, self.rules)
            refusals.refuse_in_work(entry)
            refusals.refuse_protected(cluster, entry)
            entry.gone_at = self.clock.now() + timedelta(seconds=next_duration())

    def set_policy(self, cluster_id: str, policy: PolicyEntry) -> None:
        """
        Set the policy for automatic snapshots, whatever the rules say.

        :param cluster_id: The cluster.
        :param policy: The policy.
        :raises Refusal: if there is no such cluster.
        """
        self.change_cluster(cluster_id, policy=policy)

    def order_policy(self, cluster_id: str, order: PolicyOrder) -> None:
        """
        Change the policy for automatic snapshots.

        Source: CSS API reference, "Configuring the Automatic Snapshot Creation Policy", 2025-12-01. Assumed: it may
        change while the cluster is at work; the snapshot function must be on.

        :param cluster_id: The cluster.
        :param order: What is asked for.
        :raises Refusal: if a rule forbids it.
        """
        with self._lock:
            cluster = self.find(cluster_id)
            refusals.refuse_frozen(cluster)
            refusals.refuse_unless_on(cluster)
            cluster.policy = order.applied_to(cluster.policy)
            _remove_automatic(cluster, order)

    def close_policy(self, cluster_id: str) -> None:
        """
        Turn automatic snapshots off and keep those that there are. Assumed: also when they are off already.

        :param cluster_id: The cluster.
        :raises Refusal: if a rule forbids it.
        """
        self.order_policy(cluster_id, PolicyOrder(enabled=False))

    def order_settings(self, cluster_id: str, order: SettingOrder | None) -> None:
        """
        Change where snapshots go, and turn the snapshot function on.

        Source: CSS API reference, "Modifying Basic Configurations of a Cluster Snapshot", 2025-12-01; CSS user guide,
        same date: no changes of the configuration while a snapshot is made or restored. Assumed: the code for that.

        :param cluster_id: The cluster.
        :param order: What is asked for; ``None`` leaves everything to the service.
        :raises Refusal: if a rule forbids it.
        """
        with self._lock:
            cluster = self.find(cluster_id)
            refusals.refuse_frozen(cluster)
            refusals.refuse_while_busy(cluster, self.rules)
            cluster.snapshot_function = True
            if order is not None:
                cluster.policy = order.applied_to(cluster.policy)
                _remove_automatic(cluster, order.policy)

    def stop(self, cluster_id: str) -> None:
        """
        Turn the snapshot function off.

        Source: CSS API reference, "Disabling the Snapshot Function", 2025-12-01; that the second time is 415 CSS.0004
        is recorded by the Terraform provider of the cloud, read 2026-11-23. Assumed: what there is stays listed.

        :param cluster_id: The cluster.
        :raises Refusal: if it is off already, or a rule forbids it.
        """
        with self._lock:
            cluster = self.find(cluster_id)
            refusals.refuse_frozen(cluster)
            if not cluster.snapshot_function:
                raise css_refusal("CSS.0004", "Illegal operation")
            refusals.refuse_while_busy(cluster, self.rules)
            cluster.snapshot_function = False


def _remove_automatic(cluster: ClusterEntry, order: PolicyOrder) -> None:
    """Source: as for ``order_policy``: all that the policy has made, but not the one in work."""
    if order.delete_automatic:
        cluster.snapshots = [entry for entry in cluster.snapshots if not entry.is_automatic or entry.is_in_work]
