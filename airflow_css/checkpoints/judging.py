"""How a checkpoint's verdict is found and told."""

from __future__ import annotations

from typing import Any, NoReturn

from airflow_css.checkpoints.plan import Checkpoint, Step, judge
from airflow_css.checkpoints.states import read_ends, read_kept, read_told, read_work
from airflow_css.checkpoints.told import say_ways_out
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssStateError, ErrorReply
from airflow_css.tasks.night import raise_for_airflow, run_for_people, tell_the_night_reader
from airflow_css.triggers.log import Log

__all__ = ["read_verdict", "tell_verdict"]


def read_verdict(context: Any, checkpoint: Checkpoint) -> Step:
    """
    Return how the run goes on after the checkpoint.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    """
    ends = read_ends(context, checkpoint, "snapshot", "restore")
    told, kept = read_told(context, checkpoint), read_kept(context, checkpoint)
    return judge(checkpoint, read_work(context, checkpoint.work), ends, told, say_ways_out(kept))


def tell_verdict(context: Any, checkpoint: Checkpoint, step: Step, *, css_conn_id: str, log: Log) -> NoReturn:
    """
    Log where everything stands, and fail without a retry.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    :param step: The verdict.
    :param css_conn_id: The connection.
    :param log: Where to tell it.
    :raises AirflowFailException: always.
    """
    ti, snapshot_task = context["ti"], checkpoint.task("snapshot")
    snapshot_id, name, cluster_id = (
        ti.xcom_pull(task_ids=snapshot_task, key=key) for key in ("backup_id", "snapshot_name", "cluster_id")
    )
    label = f"{name} ({snapshot_id})" if snapshot_id else "none"
    if damage := read_kept(context, checkpoint).damage:
        label += f", the state before the work; the damaged state is kept in {damage}"
    error = CssStateError(ErrorReply(0, message=step.reason))
    hook = CssHook(css_conn_id)
    tell_the_night_reader(
        log,
        hook,
        cluster_id=str(cluster_id or ""),
        snapshot=label,
        run=run_for_people(context, hook),
        error=error,
    )
    raise_for_airflow(error)
