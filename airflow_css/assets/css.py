"""
A backup as an asset of Airflow: ``css://<cluster id>/<beginning of the snapshot's name>``.

An event of it says that a good snapshot exists whose name begins so; the event's extra says which. Airflow 2 calls an
asset a dataset, and the same names serve there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import Asset

from airflow_css.assets.uri import BackupUri
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.names import check_cluster_id, fold_prefix

__all__ = ["css_asset", "triggering_backup"]


def css_asset(cluster_id: str, name_prefix: str = "", *, extra: dict[str, Any] | None = None) -> Asset:
    """
    Return the asset that stands for the good backups of a cluster.

    Give it as an outlet to the task that makes the backup, and as the schedule to the DAG that waits for one. On
    Airflow 2 it is a dataset.

    :param cluster_id: The cluster's id. An asset has no templates, so the id is known when the DAG is parsed.
    :param name_prefix: What the snapshot's name begins with, folded as names are. Default: any name.
    :param extra: More about the asset itself, as Airflow takes it; the backup's facts are in its events.
    :raises CssUsageError: if the id is none, or no legal name can begin so.
    """
    prefix = fold_prefix(name_prefix) if name_prefix else ""
    return Asset(uri=str(BackupUri(check_cluster_id(cluster_id), prefix)), extra=extra)


def triggering_backup(context: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the newest backup among the events that started this run.

    It is the extra of the event: ``backup_id``, ``snapshot_name``, ``cluster_id``, and ``snapshot`` with the facts.

    :param context: Airflow's context.
    :raises CssUsageError: if no backup started the run, for example because somebody started it by hand.
    """
    told = [event for event in _events(context) if (event.extra or {}).get("backup_id")]
    if not told:
        raise CssUsageError(
            "run",
            str(context.get("run_id", "")),
            "no event of a backup started it; trigger the producer, whose task has css_asset(...) as an outlet, "
            "or choose the backup yourself, as the example verify_when_a_backup_exists.py does",
            "a run that css_asset(...) started",
        )
    return dict(max(told, key=lambda event: event.timestamp).extra)


def _events(context: Mapping[str, Any]) -> Iterable[Any]:
    # Asked for one by one: the context of Airflow 3 warns of names that only Airflow 2 has.
    name = next((n for n in ("triggering_asset_events", "triggering_dataset_events") if n in context), None)
    events = context[name] if name else {}
    return [event for of_one in events.values() for event in of_one]
