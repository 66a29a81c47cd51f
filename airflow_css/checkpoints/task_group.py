"""A checkpoint around risky work, and a drill that proves backups: each in one line of a DAG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_css.checkpoints.drill import RestoreDrill, css_restore_drill
from airflow_css.checkpoints.groups import ClosingGroup, refuse_dag
from airflow_css.checkpoints.own_parameters import of_cluster
from airflow_css.checkpoints.wiring import wire
from airflow_css.checkpoints.wishes import WayBack, Wishes, check_retention, without_none

__all__ = ["RestoreDrill", "css_checkpoint", "css_restore_drill"]


def css_checkpoint(
    group_id: str,
    *,
    cluster_id: str | None = None,
    cluster_name: str | None = None,
    css_conn_id: str | None = None,
    indices: str | Sequence[str] | None = None,
    snapshot_name: str | None = None,
    mode: str = "rollback",
    in_place: bool = False,
    consent: str | None = None,
    rename_pattern: str | None = None,
    rename_replacement: str | None = None,
    safety_snapshot: bool | str | Sequence[str] = False,
    on_existing: str = "adopt",
    retention: Mapping[str, Any] | None = None,
    confirm_options: Mapping[str, Any] | None = None,
    deferrable: bool | None = None,
    poll_interval: float | None = None,
    timeout: float = 90_000,
    turn_timeout: float = 21_600,
    retries: int | None = None,
) -> AbstractContextManager[TaskGroup]:
    """
    Return a context that protects the tasks defined inside it: a snapshot before, and the way back when they fail.

    The context gives a task group. Before its work a snapshot is made; without a good one nothing of it begins. When a
    task of the work failed, and all of them have ended, the snapshot is restored, and a verdict fails the run: it names
    what failed and what was rolled back. When the work succeeds, nothing is restored and the run goes on.

    In place, the indices are overwritten, and what others wrote to them since the snapshot is lost. Otherwise the old
    state comes back beside, under new names.

    .. seealso:: :doc:`/how-to/checkpoint` and :doc:`/explanation/what-a-checkpoint-promises`

    :param group_id: Name of the task group. It holds the work and the tasks ``snapshot``, ``restore``, ``verdict`` and
        ``seal``.
    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used, unless the DAG's ``default_args`` name one.
    :param css_conn_id: The Airflow connection. Default as the DAG's ``default_args`` say, else ``css_default``.
        (templated)
    :param indices: Index names and patterns, as a list or a text with commas. Default: all. With ``in_place`` names
        alone, and they must be given. (templated)
    :param snapshot_name: Name of the snapshot; it is folded into a legal one. Default: derived from DAG, date and run.
        (templated)
    :param mode: ``rollback`` (default) restores by itself, ``report`` only says that it would, ``confirm`` asks a human
        first (Airflow 3.1 and later).
    :param in_place: Whether the indices are overwritten. Default no.
    :param consent: ``overwrite``, which must be given together with ``in_place=True``, and only then.
    :param rename_pattern: Beside: the regular expression that finds what is replaced in the names. Default: the whole
        name. Goes with ``rename_replacement`` only. (templated)
    :param rename_replacement: What each match becomes; ``$1`` is the first group. Default: the name with
        ``rolled-back-`` and a short fingerprint of the run before it. (templated)
    :param safety_snapshot: In place: whether the damaged state is backed up before it is overwritten; without a good
        backup of it nothing is restored. ``True`` backs up ``indices``; or say what more, names and patterns: both
        snapshots hold that too, and an index of it that the work created is named in the log. Default no. (templated)
    :param on_existing: What to do, after the group was cleared, with the snapshot of before: ``adopt`` (default) uses
        it, since it holds the state before the run's first change; ``new`` makes another one, ``fail`` fails.
    :param retention: Keep rules of ``PruneSnapshotsOperator``, for example ``{"keep_last": 7}``: which of this
        checkpoint's snapshots stay after the work succeeded. Default: all.
    :param confirm_options: With the mode ``confirm``: parameters of Airflow's ``HITLOperator``: ``response_timeout``,
        after which nothing is rolled back (default: never), ``assigned_users`` and ``notifiers``.
    :param deferrable: Whether snapshot and restore wait in the triggerer, without a worker slot. Default as Airflow's
        option ``[operators] default_deferrable`` says.
    :param poll_interval: Lower bound between two looks, in seconds. Default: 2 at first, then growing with the age up
        to 60.
    :param timeout: Seconds that the snapshot, and the restore, may take. Default 90,000 (25 hours).
    :param turn_timeout: Seconds to wait for the cluster to become free; 0 to fail at once. Default 21,600 (6 hours).
    :param retries: How often snapshot and restore are retried. Default as the DAG's ``default_args`` say.
    :raises CssUsageError: when the DAG is parsed, if a parameter breaks a rule, nothing is inside, or the DAG cannot
        have a checkpoint.
    """
    waiting = without_none(deferrable=deferrable, poll_interval=poll_interval, retries=retries, css_conn_id=css_conn_id)
    waiting |= {"timeout": timeout, "turn_timeout": turn_timeout}
    cluster = of_cluster(cluster_id, cluster_name)
    snapshot = {"indices": indices, "snapshot_name": snapshot_name, "on_existing": on_existing}
    way = WayBack(mode, rename_pattern, rename_replacement, safety_snapshot, confirm_options, in_place=in_place)
    way.check(indices, consent)
    return _protected(group_id, Wishes(way, cluster, waiting, snapshot, check_retention(retention)))


@contextmanager
def _protected(group_id: str, wishes: Wishes) -> Iterator[TaskGroup]:
    group = ClosingGroup(group_id, tooltip="protected by a snapshot")
    with group as entered:
        refuse_dag(group, "each of its instances would roll back the others' work")
        yield entered
    wire(group, wishes)
    group.is_closed = True
