"""
What time brings: works end, statuses change, automatic snapshots fall due, surplus ones go.

Theory of operation. Clusters are *settled* together: what fell due since the last time happens in its order. What
falls into the same moment happens in the order of ``_next_events``: an end comes before what falls due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_css.emulator.clusters import ClusterEntry
from airflow_css.emulator.entries import Fate, SnapshotEntry
from airflow_css.emulator.orders import CreationOrder
from airflow_css.emulator.rules import ServiceRules
from airflow_css.emulator.works import begin_snapshot

__all__ = ["linked", "settle"]

HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class _Event:
    """Something that time brings."""

    moment: datetime
    happen: Callable[[datetime], None]


def linked(cluster: ClusterEntry, clusters: Sequence[ClusterEntry]) -> list[ClusterEntry]:
    """
    Return a cluster and those that a running restore ties to it: what ends there shows here, and the other way round.

    :param cluster: The cluster.
    :param clusters: All clusters.
    """
    ties = [{other.id, other.restoring.source_id} for other in clusters if other.restoring is not None]
    found = {cluster.id}
    while more := [tie for tie in ties if tie & found and not tie <= found]:
        found.update(*more)
    return [other for other in clusters if other.id in found]


def settle(clusters: Sequence[ClusterEntry], rules: ServiceRules, now: datetime) -> None:
    """
    Let everything happen that fell due up to now.

    :param clusters: All that are linked.
    :param rules: The rules of the service.
    :param now: Up to when.
    """
    while (events := _next_events(clusters, rules)) and events[0].moment <= now:
        _pass_time(clusters, events[0].moment)
        for event in events:
            event.happen(event.moment)
    _pass_time(clusters, now)


def _pass_time(clusters: Sequence[ClusterEntry], moment: datetime) -> None:
    for cluster in clusters:
        cluster.settled_until = max(cluster.settled_until, moment)


def _next_events(clusters: Sequence[ClusterEntry], rules: ServiceRules) -> list[_Event]:
    """Return what happens next, all in one moment."""
    events = [event for cluster in clusters for event in _ends(cluster, rules)]
    events += [event for cluster in clusters for event in _begins(cluster, rules)]
    first = min((event.moment for event in events), default=None)
    return [event for event in events if event.moment == first]


def _ends(cluster: ClusterEntry, rules: ServiceRules) -> Iterator[_Event]:
    yield from _end_of_creation(cluster)
    yield from _end_of_restore(cluster, rules)
    yield from _next_word(cluster)
    yield from _end_of_deletion(cluster)


def _begins(cluster: ClusterEntry, rules: ServiceRules) -> Iterator[_Event]:
    yield from _automatic(cluster, rules)
    yield from _clearance(cluster)


def _end_of_creation(cluster: ClusterEntry) -> Iterator[_Event]:
    entry = cluster.building
    if entry is None or entry.ends_at is None:
        return

    def happen(moment: datetime) -> None:
        if entry.fate.ending == "vanish":
            cluster.snapshots.remove(entry)
        else:
            entry.finish(moment)

    yield _Event(entry.ends_at, happen)


def _end_of_restore(cluster: ClusterEntry, rules: ServiceRules) -> Iterator[_Event]:
    restore = cluster.restoring
    if restore is None or restore.ends_at is None:
        return

    def happen(moment: datetime) -> None:
        restore.finish(cluster.indices, rules.existing_index)
        cluster.give({**cluster.indices, **restore.brought}, {**cluster.documents, **restore.brought_documents()})
        restore.snapshot.being_restored = False
        restore.snapshot.coming_words.append((max(moment, restore.shown_at), restore.status))

    yield _Event(restore.ends_at, happen)


def _next_word(cluster: ClusterEntry) -> Iterator[_Event]:
    """Change what a snapshot's restore status says."""
    for entry in cluster.snapshots:
        if entry.coming_words:

            def happen(_moment: datetime, entry: SnapshotEntry = entry) -> None:
                _, entry.restore_status = entry.coming_words.pop(0)

            yield _Event(entry.coming_words[0][0], happen)


def _end_of_deletion(cluster: ClusterEntry) -> Iterator[_Event]:
    for entry in cluster.snapshots:
        if entry.gone_at is not None:

            def happen(_moment: datetime, entry: SnapshotEntry = entry) -> None:
                cluster.snapshots.remove(entry)

            yield _Event(entry.gone_at, happen)


def _automatic(cluster: ClusterEntry, rules: ServiceRules) -> Iterator[_Event]:
    """
    Make the automatic snapshot that falls due next.

    Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: it is
    cancelled when another operation runs. Assumed: the same on a cluster that is unavailable or frozen, and when no
    more snapshots are allowed; and nothing falls due while the snapshot function is off.
    """
    due = cluster.policy.rules().next_due(cluster.settled_until) if cluster.snapshot_function else None
    if due is None:
        return

    def happen(moment: datetime) -> None:
        if cluster.is_busy or cluster.frozen or not cluster.is_available or cluster.is_full:
            cluster.cancelled += 1
            return
        policy = cluster.policy
        order = CreationOrder(f"{policy.prefix}-{int(moment.timestamp() * 1000)}", indices=policy.indices)
        begin_snapshot(cluster, order, Fate(), rules, moment=moment, frequency=policy.frequency)

    yield _Event(due, happen)


def _clearance(cluster: ClusterEntry) -> Iterator[_Event]:
    """
    Remove surplus automatic snapshots.

    Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: every half
    hour, those of the policy's frequency. Assumed: a number of snapshots is kept, not of days, and those in work do
    not count.
    """
    alike = [e for e in cluster.snapshots if e.frequency == cluster.policy.frequency and not e.is_in_work]
    surplus = sorted(alike, key=lambda entry: entry.started_at)[: max(0, len(alike) - cluster.policy.keep)]
    if not surplus or not cluster.policy.enabled:
        return

    def happen(_moment: datetime) -> None:
        cluster.snapshots = [entry for entry in cluster.snapshots if entry not in surplus]

    yield _Event(_next_half_hour(cluster.settled_until), happen)


def _next_half_hour(moment: datetime) -> datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole + HALF_HOUR * ((moment - whole) // HALF_HOUR + 1)
