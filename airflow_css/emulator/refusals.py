"""
What the state of a cluster or of a snapshot forbids.

Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01, for what is
forbidden. Assumed: most of the codes, and the order of the checks.
"""

from __future__ import annotations

import re

from airflow_css.emulator.clusters import ClusterEntry
from airflow_css.emulator.entries import SnapshotEntry
from airflow_css.emulator.exchange import css_refusal
from airflow_css.emulator.rules import ServiceRules

__all__ = [
    "find_snapshot",
    "refuse_frozen",
    "refuse_in_work",
    "refuse_older_engine",
    "refuse_protected",
    "refuse_taken_name",
    "refuse_unavailable",
    "refuse_unless_on",
    "refuse_unless_restorable",
    "refuse_while_busy",
]


def find_snapshot(cluster: ClusterEntry, snapshot_id: str, rules: ServiceRules) -> SnapshotEntry:
    """
    Return the snapshot with that id.

    :param cluster: Whose it is.
    :param snapshot_id: Its id.
    :param rules: Say what an unknown id is answered.
    :raises Refusal: if there is none.
    """
    for entry in cluster.snapshots:
        if entry.id == snapshot_id:
            return entry
    raise css_refusal(rules.missing_snapshot, f"snapshot {snapshot_id} not found")


def refuse_frozen(cluster: ClusterEntry) -> None:
    """
    Refuse what changes a frozen cluster.

    :param cluster: The cluster.
    :raises Refusal: if it is frozen.
    """
    if cluster.frozen:
        raise css_refusal("CSS.5301", f"cluster {cluster.id}")


def refuse_unless_on(cluster: ClusterEntry) -> None:
    """
    Refuse what needs the snapshot function.

    :param cluster: The cluster.
    :raises Refusal: if the function is off.
    """
    if not cluster.snapshot_function:
        raise css_refusal("CSS.0004", "the snapshot function is off")


def refuse_unavailable(cluster: ClusterEntry) -> None:
    """
    Refuse what needs a cluster that is up.

    :param cluster: The cluster.
    :raises Refusal: if it is unavailable.
    """
    if not cluster.is_available:
        raise css_refusal("CSS.5140", f"status {cluster.status}")


def refuse_while_busy(cluster: ClusterEntry, rules: ServiceRules) -> None:
    """
    Refuse an operation while another one runs.

    :param cluster: The cluster.
    :param rules: Say under which status.
    :raises Refusal: if it is at work.
    """
    if cluster.is_busy:
        raise css_refusal("CSS.0011", cluster.work or "at work", status=rules.busy_status)


def refuse_taken_name(cluster: ClusterEntry, name: str) -> None:
    """
    Refuse a name that a listed snapshot has.

    :param cluster: The cluster.
    :param name: The new snapshot's name.
    :raises Refusal: if it is taken.
    """
    if any(entry.name == name for entry in cluster.snapshots):
        raise css_refusal("CSS.0043", f"name {name}")


def refuse_in_work(entry: SnapshotEntry) -> None:
    """
    Refuse what would disturb a snapshot in work.

    :param entry: The snapshot.
    :raises Refusal: if it is being made, restored or deleted.
    """
    if entry.is_building:
        raise css_refusal("CSS.0029", f"snapshot {entry.name} is being created")
    if entry.gone_at is not None:
        raise css_refusal("CSS.3016", f"snapshot {entry.name}")
    if entry.being_restored:
        raise css_refusal("CSS.5090", f"snapshot {entry.name} is being restored")


def refuse_protected(cluster: ClusterEntry, entry: SnapshotEntry) -> None:
    """
    Refuse the deletion by hand of what the policy made and looks after.

    :param cluster: The cluster.
    :param entry: The snapshot.
    :raises Refusal: if it is automatic while the policy is on.
    """
    if entry.is_automatic and cluster.policy.enabled:
        raise css_refusal("CSS.0004", "automatic snapshots cannot be deleted while automatic creation is on")


def refuse_unless_restorable(entry: SnapshotEntry, rules: ServiceRules) -> None:
    """
    Refuse to restore a snapshot that is not available.

    Assumed: one in which shards failed is not available either, unless the rules say so.

    :param entry: The snapshot.
    :param rules: Say what is restorable.
    :raises Refusal: if it is in work, or has not ended well enough.
    """
    refuse_in_work(entry)
    restorable = {"COMPLETED", "PART_FAILED"} if rules.partial_restorable else {"COMPLETED"}
    if entry.status not in restorable:
        raise css_refusal("CSS.5090", f"snapshot {entry.name} is {entry.status}")


def refuse_older_engine(source: ClusterEntry, target: ClusterEntry) -> None:
    """
    Refuse a target whose engine cannot read the snapshot.

    Source: as above: the same version or a later one; Elasticsearch 7 also goes to OpenSearch.

    :param source: Whose snapshot it is.
    :param target: Where to restore it.
    :raises Refusal: if the target's engine is older or another.
    """
    one, other = source.engine.lower(), target.engine.lower()
    if one == other:
        fits = _numbers(source.engine_version) <= _numbers(target.engine_version)
    else:
        fits = (one, other) == ("elasticsearch", "opensearch") and _numbers(source.engine_version)[:1] == [7]
    if not fits:
        words = f"{source.engine} {source.engine_version} cannot be restored to {target.engine} {target.engine_version}"
        raise css_refusal("CSS.5108", words)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
