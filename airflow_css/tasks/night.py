"""
For the reader at night: the line that says where a failed task stands, and how an error becomes Airflow's.

The line names the cluster, the snapshot, the run and the newest backup that can be relied on. Looking these up must
never hide the failure behind a second one, and never asks with keys that were refused.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssAuthError, CssConfigError, CssError, CssUsageError
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.waiting import newest_good
from airflow_css.tasks.run_context import identify
from airflow_css.triggers.log import Log

__all__ = ["raise_for_airflow", "run_for_people", "tell_the_night_reader"]

MOST_INDICES_TOLD = 5


def raise_for_airflow(error: CssError) -> NoReturn:
    """
    Raise the error: as it is when a retry may cure it, otherwise so that Airflow does not retry.

    :param error: What went wrong.
    :raises AirflowFailException: if no retry can cure it.
    """
    if error.curable:
        raise error
    raise AirflowFailException(str(error)) from error


def run_for_people(context: Any, hook: CssHook | None) -> str:
    """
    Return the task instance as the line names it, with the deployment if it can be read.

    :param context: Airflow's context.
    :param hook: Knows the deployment; ``None`` when there is no hook yet.
    """
    deployment = ""
    # The failure that brought us here is the one to be told; the connection may be what is wrong.
    with suppress(Exception):
        deployment = hook.deployment if hook else ""
    return str(identify(context, deployment))


def tell_the_night_reader(
    log: Log, hook: CssHook | None, *, cluster_id: str, snapshot: str, run: str, error: CssError
) -> None:
    """
    Log where everything stands, in one line.

    :param log: Where to tell it.
    :param hook: Asks CSS, unless the error says that asking is pointless; ``None`` when there is no hook yet.
    :param cluster_id: The cluster; empty when it is not known.
    :param snapshot: The snapshot, for people.
    :param run: The run, for people.
    :param error: What went wrong.
    """
    cluster, newest = cluster_id or "not known", "not looked up"
    if hook is not None and cluster_id and not _is_asking_pointless(error):
        cluster, newest = _look(hook, cluster_id)
    # A deployment without a name leaves nothing before the first stroke.
    run = run.removeprefix("/")
    log.error("Cluster: %s. Snapshot: %s. Run: %s. Newest good backup: %s.", cluster, snapshot, run, newest)


def _is_asking_pointless(error: CssError) -> bool:
    # Refused keys must not be sent again; a missing permission says nothing about what may be read.
    refused_keys = isinstance(error, CssAuthError) and error.reply.status != 403
    return refused_keys or isinstance(error, CssConfigError | CssUsageError)


def _look(hook: CssHook, cluster_id: str) -> tuple[str, str]:
    cluster, newest = cluster_id, "could not be looked up"
    try:
        client = hook.get_conn()
        cluster = client.get_cluster(cluster_id, once=True).label
        found = newest_good(client.list_snapshots(cluster_id, once=True))
        newest = _describe(found, hook.clock.now())
    except Exception:  # noqa: BLE001 - the failure that brought us here is the one to be told, whatever fails now
        return cluster, newest
    return cluster, newest


def _describe(snapshot: Snapshot | None, now: datetime) -> str:
    if snapshot is None:
        return "none"
    when = snapshot.began_at
    age = f"{when:%Y-%m-%d %H:%M:%S} UTC, {in_words((now - when).total_seconds())} old" if when else "of unknown age"
    inside = ", ".join(snapshot.indices[:MOST_INDICES_TOLD]) or "indices not listed"
    more = ", ..." if len(snapshot.indices) > MOST_INDICES_TOLD else ""
    return f"{snapshot.name}, {age}, id {snapshot.id}, holds {inside}{more}"
