"""Who is asking: what Airflow's context says about the task instance."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.provenance import RunIdentity

__all__ = ["identify", "is_first_try", "moment_of", "number_in_life"]


def identify(context: Any, deployment: str) -> RunIdentity:
    """
    Return the task instance that runs, in the life it is in.

    A life ends when the task instance is cleared: Airflow then raises ``max_tries`` by the tries used. Retries and
    deferrals stay in a life. Neither the number of the try nor the run's count of clears can tell the two apart.

    :param context: Airflow's context.
    :param deployment: What tells this Airflow from others.
    """
    ti = context["ti"]
    return RunIdentity(
        deployment=deployment,
        dag_id=ti.dag_id,
        task_id=ti.task_id,
        run_id=ti.run_id,
        map_index=ti.map_index if ti.map_index is not None else -1,
        life=max(0, (ti.max_tries or 0) - (context["task"].retries or 0)),
    )


def is_first_try(context: Any, identity: RunIdentity) -> bool:
    """
    Return whether this task instance cannot have created anything yet.

    :param context: Airflow's context.
    :param identity: The task instance.
    """
    return identity.life == 0 and context["ti"].try_number <= 1


def number_in_life(context: Any, identity: RunIdentity) -> int:
    """
    Return the number of the try in the life that it belongs to, from 1.

    :param context: Airflow's context.
    :param identity: The task instance.
    """
    return max(1, int(context["ti"].try_number) - identity.life)


def moment_of(context: Any) -> datetime:
    """
    Return what the run stands for: its logical date, else when it was due.

    :param context: Airflow's context.
    """
    dag_run = context["dag_run"]
    moment = dag_run.logical_date or getattr(dag_run, "run_after", None)
    if not isinstance(moment, datetime):
        raise CssUsageError("run", dag_run.run_id, "it has no date to name a snapshot after", "orders-{{ run_id }}")
    return moment
