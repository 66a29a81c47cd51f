"""What the tasks of a restore drill left behind, as its report reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_css.checkpoints.drill_report import CheckEnd, DrillFacts
from airflow_css.checkpoints.plan import Work
from airflow_css.checkpoints.states import read_work
from airflow_css.hooks.options import deployment_of_this_airflow
from airflow_css.tasks.run_context import identify

if TYPE_CHECKING:
    from airflow_css.checkpoints.drill_tasks import DrillReport

__all__ = ["names_of", "read_facts"]

_KEYS = ("snapshot_id", "snapshot_name", "taken_at", "cluster_id", "target_cluster_id", "indices", "return_value")


def names_of(indices: Sequence[Mapping[str, str]] | None, prefix: str) -> list[str]:
    """
    Return the restored names, or one pattern for all of them when they could not be foreseen.

    :param indices: Pairs of ``source`` and ``target`` names; ``None`` when they could not.
    :param prefix: What each of them begins with.
    """
    return [f"{prefix}*"] if indices is None else [pair["target"] for pair in indices]


def read_facts(context: Any, report: DrillReport) -> DrillFacts:
    """
    Return what the tasks left behind.

    :param context: Airflow's context.
    :param report: The task that reports.
    """
    ti, drill = context["ti"], report.drill
    began = ti.xcom_pull(task_ids=drill.begin) or {}
    restored = {key: ti.xcom_pull(task_ids=drill.restore, key=key) for key in _KEYS}
    own = {task.task_id: task.state for task in read_work(context, Work((drill.restore,)))}
    cleaned = read_work(context, Work((report.clean_up,))) if report.clean_up else ()
    return DrillFacts(
        run=_run(context),
        began_at=_moment(began.get("began_at")),
        checked_at=_moment(ti.xcom_pull(task_ids=report.checked)),
        ended_at=report.hook_class.clock.now(),
        restored=restored,
        restore_state=own.get(drill.restore, ""),
        checks=tuple(_checks(context, report.checks, report.last)),
        clean_up_state=(cleaned[0].state if cleaned else "") if report.clean_up else None,
        reason=str(ti.xcom_pull(task_ids=drill.restore, key="why") or ""),
    )


def _checks(context: Any, work: Work, last: Sequence[str]) -> Iterable[CheckEnd]:
    for task in read_work(context, work):
        result = None if task.task_id in work.mapped else context["ti"].xcom_pull(task_ids=task.task_id)
        # What a user's task returns may be anything that Airflow can keep; the report is plain JSON.
        plain = json.loads(json.dumps(result, default=str), parse_constant=str)
        yield CheckEnd(task.task_id, task.state, task.map_index, plain, is_last=task.task_id in last)


def _run(context: Any) -> dict[str, str | None]:
    identity, moment = identify(context, ""), context["dag_run"].logical_date
    return {
        "deployment": deployment_of_this_airflow() or None,
        "dag_id": identity.dag_id,
        "run_id": identity.run_id,
        "logical_date": moment.isoformat() if moment else None,
    }


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
