"""
The client: every call of the snapshot API as a method, for hooks and for plain scripts.

It checks what it is given before anything is sent, translates every failure into the tree of ``protocol.errors``, and
can be shared by threads.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_css.client.clock import Clock, SystemClock
from airflow_css.client.credentials import Credentials
from airflow_css.client.endpoints import check_endpoint
from airflow_css.client.ensure import EnsuredSnapshot, ensure
from airflow_css.client.key_ring import KeyRing
from airflow_css.client.rules import SendingRules
from airflow_css.client.sender import Sender
from airflow_css.protocol import wire
from airflow_css.protocol.adoption import SnapshotOrder
from airflow_css.protocol.errors import CssNotFoundError, CssUsageError, ErrorReply
from airflow_css.protocol.models import Cluster, CreatedSnapshot, Snapshot, SnapshotPolicy
from airflow_css.protocol.names import (
    LONGEST_DESCRIPTION,
    check_cluster_id,
    check_description,
    check_name,
    join_indices,
)
from airflow_css.protocol.renaming import check_renaming
from airflow_css.protocol.waiting import Expectations

__all__ = ["Credentials", "CssClient", "EnsuredSnapshot", "SendingRules"]

_PAGE_SIZE = 100


class CssClient:
    """
    A client of one CSS endpoint, in one project.

    :param endpoint: Address of the service, for example ``https://css.cn-north-4.myhuaweicloud.com``.
    :param credentials: The keys to sign with, or a ring that renews them.
    :param project_id: The project that the clusters belong to, 32 lower-case letters and digits.
    :param rules: Time-outs and retries; the defaults suit most.
    :param allow_http_hosts: Hosts besides this machine that may be talked to without encryption. Default none.
    :param clock: Where the time comes from; default the clock of this machine.
    :raises CssConfigError: if the endpoint cannot be used.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials | KeyRing,
        project_id: str,
        *,
        rules: SendingRules | None = None,
        allow_http_hosts: Sequence[str] = (),
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        address = check_endpoint(endpoint, allow_http_hosts=allow_http_hosts)
        self._sender = Sender(address, credentials, project_id, rules=rules or SendingRules(), clock=self.clock)

    def __repr__(self) -> str:
        """Return endpoint and project, without any key."""
        return f"CssClient({self._sender.endpoint}, project_id={self._sender.project_id})"

    def create_snapshot(
        self,
        cluster_id: str,
        name: str,
        *,
        indices: str | Sequence[str] | None = None,
        description: str | None = None,
    ) -> CreatedSnapshot:
        """
        Return id and name of a snapshot that CSS began to make.

        Not repeated after a lost answer: ``ensure_snapshot`` does that safely.

        :param cluster_id: The cluster's id.
        :param name: 4 to 64 characters, starting with a lower-case letter.
        :param indices: Index names and patterns, as a list or a text with commas; ``None`` backs up all.
        :param description: At most 256 characters, none of ``!<>=&"'`` and no backslash.
        :raises CssUsageError: if a value breaks a rule; nothing was sent.
        :raises CssBusyError: if another operation runs on the cluster.
        :raises CssConflictError: if the name is taken.
        :raises CssTransportError: if no answer came.

        Source: CSS API reference, "Manually Creating a Snapshot", 2025-08-15.
        """
        body = wire.build_create_body(
            check_name(name),
            indices=None if indices is None else join_indices(indices),
            description=check_description(description, longest=LONGEST_DESCRIPTION) if description else None,
        )
        return self._sender.send(wire.CREATE_SNAPSHOT, body=body, cluster_id=cluster_id)

    def ensure_snapshot(
        self,
        cluster_id: str,
        name: str,
        *,
        indices: str | Sequence[str] | None = None,
        description: str | None = None,
        allow_partial: bool = False,
        fail_if_empty: bool = True,
    ) -> EnsuredSnapshot:
        """
        Return the one snapshot of that name: found if it is there and good or being made, otherwise made now.

        It does not wait for the end. What a task of an Airflow run made under the name is another's: refused.

        :param cluster_id: The cluster's id.
        :param name: 4 to 64 characters, starting with a lower-case letter.
        :param indices: Index names and patterns, as a list or a text with commas; ``None`` backs up all.
        :param description: At most 256 characters, none of ``!<>=&"'`` and no backslash.
        :param allow_partial: Take a found one in which shards failed. Default no.
        :param fail_if_empty: Refuse a found one in which nothing was backed up. Default yes.
        :raises CssUsageError: if a value breaks a rule; nothing was sent.
        :raises CssBusyError: if another operation runs on the cluster.
        :raises CssConflictError: if another's snapshot has the name, or a bad one.
        """
        expected = Expectations(
            None if indices is None else join_indices(indices), allow_partial=allow_partial, fail_if_empty=fail_if_empty
        )
        return self.fulfil(SnapshotOrder(cluster_id, check_name(name), description, expected=expected))

    def fulfil(self, order: SnapshotOrder, *, look_first: bool = True) -> EnsuredSnapshot:
        """
        Return the one snapshot of an order, made now or found. What operators use.

        :param order: What was asked for.
        :param look_first: ``False`` only for the very first creation of a task instance.
        :raises CssBusyError: if another operation is in the way.
        :raises CssConflictError: if another's snapshot has the name, or ``on_existing`` forbids an earlier one.
        """
        return ensure(
            order,
            create=lambda o: self.create_snapshot(
                o.cluster_id, o.name, indices=o.expected.indices, description=o.description
            ),
            look=lambda: self.list_snapshots(order.cluster_id),
            clock=self.clock,
            look_first=look_first,
        )

    def list_snapshots(self, cluster_id: str, *, once: bool = False) -> tuple[Snapshot, ...]:
        """
        Return all snapshots of a cluster, in the order that CSS gives them.

        :param cluster_id: The cluster's id.
        :param once: Ask once and for at most 15 seconds, as whoever looks again anyway. Default no.
        :raises CssNotFoundError: if the cluster is missing or not visible.
        """
        return self._sender.send(wire.LIST_SNAPSHOTS, once=once, cluster_id=cluster_id)

    def find_snapshot(
        self, cluster_id: str, *, snapshot_id: str | None = None, name: str | None = None
    ) -> Snapshot | None:
        """
        Return the snapshot with that id or that name, or ``None``.

        :param cluster_id: The cluster's id.
        :param snapshot_id: The snapshot's id.
        :param name: The exact name. Give one of the two.
        :raises CssUsageError: if neither or both are given.
        """
        if (snapshot_id is None) == (name is None):
            rule = "either snapshot_id or name is needed, not both"
            raise CssUsageError("snapshot to find", snapshot_id or name, rule, "9dc4f5c9-33c0-45c7-9378-ae35ae350682")
        listed = self.list_snapshots(cluster_id)
        return next((s for s in listed if snapshot_id in (s.id, None) and name in (s.name, None)), None)

    def get_snapshot(self, cluster_id: str, snapshot_id: str) -> Snapshot:
        """
        Return the snapshot with that id.

        CSS has no call for one snapshot, so this reads the list.

        :param cluster_id: The cluster's id.
        :param snapshot_id: The snapshot's id.
        :raises CssNotFoundError: if the cluster has none.
        """
        found = self.find_snapshot(cluster_id, snapshot_id=snapshot_id)
        if found is None:
            message = f"The cluster {cluster_id} has no snapshot {snapshot_id}."
            raise CssNotFoundError(
                ErrorReply(0, message=message, call="get_snapshot"), "List its snapshots to see what it has."
            )
        return found

    def delete_snapshot(self, cluster_id: str, snapshot_id: str) -> None:
        """
        Delete a snapshot for good; returns when CSS has accepted it.

        :param cluster_id: The cluster's id.
        :param snapshot_id: The snapshot's id.
        :raises CssUsageError: if the id is empty or no id; nothing was sent.
        :raises CssBusyError: if an operation on it is in the way.
        :raises CssNotFoundError: if it is missing.

        Source: CSS API reference, "Deleting a Snapshot", 2025-12-01.
        """
        self._sender.send(wire.DELETE_SNAPSHOT, cluster_id=cluster_id, snapshot_id=snapshot_id)

    def restore_snapshot(
        self,
        cluster_id: str,
        snapshot_id: str,
        *,
        target_cluster_id: str,
        indices: str | Sequence[str] | None = None,
        rename_pattern: str | None = None,
        rename_replacement: str | None = None,
        replace_existing: bool = False,
    ) -> None:
        """
        Begin to restore a snapshot; returns when CSS has accepted it.

        How it goes on is told by the snapshot's ``restore_status`` and by the target's ``actions``. Not repeated after
        a lost answer: then only these tell whether it began.

        :param cluster_id: The cluster that has the snapshot.
        :param snapshot_id: The snapshot's id.
        :param target_cluster_id: The cluster to restore to, of the same or a later version; the same id restores in
            place.
        :param indices: Index names and patterns, as a list or a text with commas; ``None`` restores all.
        :param rename_pattern: The regular expression that finds the part of an index name to replace, 1 to 1,024
            characters: no capitals, no blanks, none of ``"<|>/?,``, no backslash. Default no renaming.
        :param rename_replacement: What comes in its place, by the same rule; ``$1`` is what the first group found.
        :param replace_existing: Overwrite indices of the same name. Default no.
        :raises CssUsageError: if a value breaks a rule; nothing was sent.
        :raises CssBusyError: if another operation is in the way.
        :raises CssNotFoundError: if the snapshot or a cluster is missing or not visible.
        :raises CssTransportError: if no answer came.

        Source: CSS API reference, "Restoring a Snapshot", 2025-12-01.
        """
        check_renaming(rename_pattern, rename_replacement)
        body = wire.build_restore_body(
            check_cluster_id(target_cluster_id),
            indices=None if indices is None else join_indices(indices),
            rename_pattern=rename_pattern,
            rename_replacement=rename_replacement,
            replace_existing=replace_existing,
        )
        self._sender.send(wire.RESTORE_SNAPSHOT, body=body, cluster_id=cluster_id, snapshot_id=snapshot_id)

    def get_cluster(self, cluster_id: str, *, once: bool = False) -> Cluster:
        """
        Return a cluster: its state and what runs on it.

        :param cluster_id: The cluster's id.
        :param once: Ask once and for at most 15 seconds, as whoever looks again anyway. Default no.
        :raises CssNotFoundError: if it is missing or not visible.
        """
        return self._sender.send(wire.GET_CLUSTER, once=once, cluster_id=cluster_id)

    def list_clusters(self) -> tuple[Cluster, ...]:
        """Return all clusters of the project, over all pages."""
        found: dict[str, Cluster] = {}
        while True:
            # CSS counts from 1. Clusters may come and go between pages, so the ids decide what is new.
            query = {"offset": len(found) + 1, "limit": _PAGE_SIZE}
            page = self._sender.send(wire.LIST_CLUSTERS, query=query)
            new = [cluster for cluster in page.clusters if cluster.id not in found]
            found.update((cluster.id, cluster) for cluster in new)
            if not new or len(found) >= page.total:
                return tuple(found.values())

    def find_cluster(self, name: str) -> Cluster | None:
        """
        Return the cluster with exactly that name, or ``None``.

        :param name: The cluster's name.
        :raises CssUsageError: if several clusters have it: then only an id tells which.
        """
        named = [cluster for cluster in self.list_clusters() if cluster.name == name]
        if len(named) > 1:
            ids = ", ".join(cluster.id for cluster in named)
            raise CssUsageError(
                "cluster name", name, f"several clusters have it ({ids}); give a cluster_id", named[0].id
            )
        return named[0] if named else None

    def get_snapshot_policy(self, cluster_id: str, *, once: bool = False) -> SnapshotPolicy:
        """
        Return the cluster's policy for automatic snapshots.

        :param cluster_id: The cluster's id.
        :param once: Ask once and for at most 15 seconds, as whoever can do without. Default no.
        :raises CssNotFoundError: if the cluster is missing or not visible.
        """
        return self._sender.send(wire.GET_SNAPSHOT_POLICY, once=once, cluster_id=cluster_id)

    def close(self) -> None:
        """Close this thread's connections."""
        self._sender.close()
