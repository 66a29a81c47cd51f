"""
What a create task tells the assets among its outlets: which backup there is now.

Airflow makes an event for each outlet of a task that succeeds, whatever the task did. So an outlet that would say more
than the task proves is refused before anything is sent.
"""

from __future__ import annotations

from typing import Any

from airflow_css.assets.uri import BackupUri, event_extra, read_uri
from airflow_css.operators.create_task import CreateTask
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Snapshot

__all__ = ["refuse_untrue_outlets", "tell_outlets"]


def refuse_untrue_outlets(task: CreateTask, cluster_id: str, name: str, *, waits: bool) -> None:
    """
    Return when each asset of ours among the outlets is one that the task's success stands for.

    :param task: The operator.
    :param cluster_id: The cluster that it makes a snapshot of.
    :param name: The name of the snapshot.
    :param waits: Whether the task waits for the end.
    :raises CssUsageError: if one speaks of another cluster or other names, or the end is not waited for.
    """
    for outlet in task.outlets or ():
        uri = read_uri(outlet)
        if uri is not None:
            _refuse_untrue(uri, cluster_id, name, waits=waits)


def _refuse_untrue(uri: BackupUri, cluster_id: str, name: str, *, waits: bool) -> None:
    if uri.cluster_id != cluster_id:
        rule = f"its event would tell of a backup of that cluster, and this task makes one of {cluster_id}"
        raise CssUsageError("outlet", str(uri), rule, str(BackupUri(cluster_id, uri.name_prefix)))
    if not name.startswith(uri.name_prefix):
        rule = (
            f"its event would tell of a name that begins with {uri.name_prefix!r}, and this one is {name!r}; "
            f"let snapshot_name begin with {uri.name_prefix!r}, or let the outlet stand for any name"
        )
        raise CssUsageError("outlet", str(uri), rule, str(BackupUri(cluster_id, "")))
    if not waits:
        rule = (
            "its event says that a good backup exists, which a task with wait_for_completion=False does not know; "
            "let the task wait, with deferrable=True without a worker"
        )
        raise CssUsageError("outlet", str(uri), rule, "wait_for_completion=True")


def tell_outlets(task: CreateTask, context: Any, cluster_id: str, snapshot: Snapshot) -> None:
    """
    Write the backup into the events of our assets, which Airflow makes when the task has succeeded.

    :param task: The operator.
    :param context: Airflow's context.
    :param cluster_id: The cluster that it made a snapshot of.
    :param snapshot: The snapshot, which ended well.
    """
    for outlet in task.outlets or ():
        uri = read_uri(outlet)
        if uri is not None and uri.cluster_id == cluster_id:
            context["outlet_events"][outlet].extra.update(event_extra(cluster_id, snapshot))
