"""Clears a run that ``dag.test()`` played, by what Airflow's own pages call, and plays on from there."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

__all__ = ["clear", "play_on"]

# A run of the table needs eight rounds; one that needs more stands still.
MOST_ROUNDS = 40


def clear(dag: Any, run: Any, task_id: str, *, downstream: bool, session: Any) -> None:
    """
    Clear a task of a run that has ended, with what Airflow itself clears along with it.

    :param dag: The DAG as it was written.
    :param run: The run, which goes on as a scheduler would let it.
    :param task_id: The task.
    :param downstream: Whether everything after it is cleared too.
    :param session: A session of Airflow's database, in which the run was read.
    """
    from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

    (_clear_3 if AIRFLOW_V_3_0_PLUS else _clear_2)(dag, run, task_id, downstream=downstream, session=session)
    session.commit()
    # What a scheduler does to a run that waits.
    run.set_state("running")
    session.commit()


def _clear_3(dag: Any, run: Any, task_id: str, *, downstream: bool, session: Any) -> None:
    """Do what the route behind the button of Airflow 3 does."""
    from airflow.models.taskinstance import clear_task_instances, find_relevant_relatives

    scheduled = _scheduled(dag)
    chosen: set[Any] = {task_id}
    if downstream:
        relatives = {"dag": scheduled, "run_id": run.run_id, "direction": "downstream", "session": session}
        chosen |= set(find_relevant_relatives({task_id}, set(), **relatives))
    found = scheduled.clear(dry_run=True, task_ids=list(chosen), run_id=run.run_id, session=session)
    clear_task_instances(found, session)


def _clear_2(dag: Any, run: Any, task_id: str, *, downstream: bool, session: Any) -> None:
    """Do what the page behind the button of Airflow 2 does."""
    date = run.execution_date
    subset = dag.partial_subset(task_ids_or_regex=[task_id], include_downstream=downstream, include_upstream=False)
    subset.clear(start_date=date, end_date=date, session=session)


def _scheduled(dag: Any) -> Any:
    """Return the DAG as the scheduler of Airflow 3 knows it."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def play_on(dag: Any, run: Any, session: Any) -> None:
    """
    Play a run to its end, as ``dag.test()`` does, which itself can only begin one.

    :param dag: The DAG as it was written.
    :param run: The run.
    :param session: A session of Airflow's database, in which the run was read.
    :raises RuntimeError: if it comes to no end.
    """
    from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

    run.dag = _scheduled(dag) if AIRFLOW_V_3_0_PLUS else dag
    for _ in range(MOST_ROUNDS):
        session.expire_all()
        ready, _callback = run.update_state(session=session)
        if run.state != "running":
            return
        for ti in ready:
            ti.try_number += 1
            ti.state = "scheduled"
            if AIRFLOW_V_3_0_PLUS:
                ti.scheduled_dttm = datetime.now(UTC)
        session.commit()
        for ti in run.get_task_instances(session=session):
            if ti.state == "scheduled":
                _run(dag.task_dict[ti.task_id], ti, session)
    raise RuntimeError(f"{run} comes to no end")


def _run(task: Any, ti: Any, session: Any) -> None:
    from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

    if AIRFLOW_V_3_0_PLUS:
        from airflow.sdk.definitions.dag import _run_task

        _run_task(ti=ti, task=task, run_triggerer=True)
        return
    from airflow.models.dag import _run_task as run_task_2

    ti.task = task
    # Airflow has written it down, and tells it once more.
    with contextlib.suppress(Exception):
        run_task_2(ti=ti, session=session)
