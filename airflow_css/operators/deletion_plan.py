"""What one deletion is about: checked in full at the start, before anything is sent, and read by every later step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from airflow_css.operators.carried import CarriedPlan, check_waiting
from airflow_css.operators.stay import WaitingTask
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.names import check_snapshot_id
from airflow_css.tasks.fields import cluster_of, folded, given
from airflow_css.tasks.rendered import check_flag, check_rendered
from airflow_css.tasks.run_context import identify, number_in_life

__all__ = ["DeleteTask", "DeletionPlan", "make_deletion_plan"]


class DeleteTask(WaitingTask, Protocol):
    """A delete operator, seen from its parts; the meaning of each attribute stands there."""

    snapshot_id: Any
    snapshot_name: Any
    ignore_missing: bool
    allow_automatic: bool


@dataclass(frozen=True)
class DeletionPlan(CarriedPlan):
    """
    One deletion.

    :param cluster_id: The cluster.
    :param css_conn_id: The connection.
    :param run: The task instance, for people.
    :param is_retry: Whether an earlier try of the same life may have deleted it.
    :param snapshot_id: The snapshot; ``None`` when it is given by name.
    :param snapshot_name: Its name; ``None`` when it is given by id.
    :param ignore_missing: Whether a snapshot that is not there is a success.
    :param allow_automatic: Whether an automatic one may go.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param timeout: Seconds from the deletion until the snapshot must be gone.
    :param turn_timeout: Seconds to wait while something works on the snapshot or the cluster; 0 for not at all.
    :param waits: Whether the end is waited for.
    """

    cluster_id: str
    css_conn_id: str
    run: str
    is_retry: bool
    snapshot_id: str | None
    snapshot_name: str | None
    ignore_missing: bool
    allow_automatic: bool
    poll_interval: float | None
    timeout: float
    turn_timeout: float
    waits: bool


def make_deletion_plan(task: DeleteTask, context: Any) -> DeletionPlan:
    """
    Return the plan of an operator's deletion.

    :param task: The operator, with its templates rendered.
    :param context: Airflow's context.
    :raises CssUsageError: if a parameter breaks a rule.
    :raises CssConfigError: if the connection cannot be used, or names no cluster where one is needed.
    """
    check_rendered("css_conn_id", task.css_conn_id)
    waiting = check_waiting(task)
    snapshot_id, name = _which(task)
    identity = identify(context, task.hook.deployment)
    return DeletionPlan(
        cluster_id=cluster_of(task),
        css_conn_id=str(task.css_conn_id),
        run=str(identity),
        is_retry=number_in_life(context, identity) > 1,
        snapshot_id=snapshot_id,
        snapshot_name=name,
        ignore_missing=check_flag("ignore_missing", task.ignore_missing),
        allow_automatic=check_flag("allow_automatic", task.allow_automatic),
        **waiting,
    )


def _which(task: DeleteTask) -> tuple[str | None, str | None]:
    snapshot_id, name = given(task, "snapshot_id"), given(task, "snapshot_name")
    if (snapshot_id is None) == (name is None):
        rule = "exactly one of snapshot_id and snapshot_name says which snapshot goes"
        raise CssUsageError(
            "snapshot to delete", snapshot_id or name, rule, "snapshot_id='9dc4f5c9-33c0-45c7-9378-ae35ae350682'"
        )
    if snapshot_id is not None:
        return check_snapshot_id(str(snapshot_id)), None
    return None, folded(task, "snapshot_name", str(name))
