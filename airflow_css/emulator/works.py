"""What begins on a cluster: the making of a snapshot, or a restore. Whether it may was asked before."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from airflow_css.emulator.clusters import ClusterEntry
from airflow_css.emulator.entries import Fate, SnapshotEntry
from airflow_css.emulator.index_lists import select_indices
from airflow_css.emulator.orders import CreationOrder
from airflow_css.emulator.restores import RestoreEntry, RestoreFate, RestoreOrder
from airflow_css.emulator.rules import ServiceRules

__all__ = ["begin_restore", "begin_snapshot"]


def begin_snapshot(
    cluster: ClusterEntry,
    order: CreationOrder,
    fate: Fate,
    rules: ServiceRules,
    *,
    moment: datetime,
    frequency: str | None = None,
) -> SnapshotEntry:
    """
    Begin a snapshot and return it. Assumed: it holds what there is at this moment, as a snapshot of the engine does.

    :param cluster: Of which cluster.
    :param order: What is asked for.
    :param fate: How it will end.
    :param rules: Say how long it usually takes.
    :param moment: When it begins.
    :param frequency: The policy's frequency if it is automatic; ``None`` if a user asked for it.
    """
    takes = rules.creation_takes if fate.takes is None else fate.takes
    entry = SnapshotEntry(
        id=str(uuid.uuid4()),
        name=order.name,
        started_at=moment,
        ends_at=None if fate.ending == "stuck" else moment + timedelta(seconds=takes),
        description=order.description,
        indices=select_indices(order.indices, cluster.indices),
        documents=cluster.documents,
        fate=fate,
        frequency=frequency,
        bucket=cluster.policy.bucket,
    )
    cluster.snapshots.append(entry)
    return entry


def begin_restore(
    snapshot: SnapshotEntry,
    clusters: tuple[ClusterEntry, ClusterEntry],
    order: RestoreOrder,
    fate: RestoreFate,
    rules: ServiceRules,
    *,
    moment: datetime,
) -> RestoreEntry:
    """
    Begin a restore and return it.

    Source: CSS user guide, 2021-10: the restore status, in the list of the cluster that has the snapshot, is that of
    the latest restore. So it may say how an earlier one ended until this one shows.

    :param snapshot: What to restore.
    :param clusters: Whose it is, and where it goes; twice the same in place.
    :param order: What is asked for.
    :param fate: How it will end.
    :param rules: Say how long it usually takes.
    :param moment: When it begins.
    """
    source, target = clusters
    takes = rules.restore_takes if fate.takes is None else fate.takes
    ends_at = None if fate.ending == "stuck" else moment + timedelta(seconds=takes)
    shown_at = moment + timedelta(seconds=fate.stale)
    entry = RestoreEntry(snapshot, source.id, order, fate, moment, ends_at, shown_at)
    snapshot.being_restored = True
    snapshot.coming_words = [(shown_at, "restoring")]
    target.restores.append(entry)
    return entry
