"""How the tasks of a run stand, as a task of that run can read it on each Airflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airflow_css.checkpoints.plan import Checkpoint, TaskState, Work
from airflow_css.checkpoints.told import Kept
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

__all__ = ["TOLD", "read_ends", "read_indices", "read_kept", "read_told", "read_work"]

TOLD = "rollback"


def read_work(context: Any, work: Work) -> tuple[TaskState, ...]:
    """
    Return how the work of a checkpoint stands, in its order.

    :param context: Airflow's context.
    :param work: The work.
    """
    order = {task_id: place for place, task_id in enumerate((*work.plain, *work.mapped))}
    read = _read_3 if AIRFLOW_V_3_0_PLUS else _read_2
    return tuple(sorted(read(context, work), key=lambda task: (order[task.task_id], task.map_index)))


def read_ends(context: Any, checkpoint: Checkpoint, *labels: str) -> dict[str, str]:
    """
    Return the states of a checkpoint's own tasks, by their labels.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    :param labels: Which tasks.
    """
    by_id = {checkpoint.task(label): label for label in labels}
    return {by_id[task.task_id]: task.state for task in read_work(context, Work(tuple(by_id)))}


def read_told(context: Any, checkpoint: Checkpoint) -> str:
    """
    Return what the restore task said of what it did; empty when it said nothing.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    """
    return str(context["ti"].xcom_pull(task_ids=checkpoint.task("restore"), key=TOLD) or "")


def read_indices(context: Any, checkpoint: Checkpoint, label: str) -> tuple[str, ...]:
    """
    Return the indices in a snapshot that a task of a checkpoint made; nothing when they are not known.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    :param label: ``snapshot`` or ``safety``.
    """
    facts = context["ti"].xcom_pull(task_ids=checkpoint.task(label), key="snapshot") or {}
    return tuple(facts.get("indices") or ())


def read_kept(context: Any, checkpoint: Checkpoint) -> Kept:
    """
    Return which good snapshots a checkpoint made.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    """
    ti, task = context["ti"], checkpoint.task("snapshot")
    # The facts are there only when a snapshot ended well.
    before = ti.xcom_pull(task_ids=task, key="snapshot") or {}
    cluster_id = ti.xcom_pull(task_ids=task, key="cluster_id") or ""
    damage: dict[str, str] = {}
    if checkpoint.has_safety:
        damage = ti.xcom_pull(task_ids=checkpoint.task("safety"), key="snapshot") or {}
    label = f"{damage['name']} ({damage['id']})" if damage else ""
    return Kept(str(before.get("id") or ""), str(before.get("name") or ""), str(cluster_id), label)


def _read_2(context: Any, work: Work) -> Iterator[TaskState]:
    wanted = {*work.plain, *work.mapped}
    for ti in context["dag_run"].get_task_instances():
        if ti.task_id in wanted:
            yield TaskState(ti.task_id, _word(ti.state), ti.map_index)


def _read_3(context: Any, work: Work) -> Iterator[TaskState]:
    if work.plain:
        for key, state in _ask(context, work.plain):
            yield TaskState(key, _word(state))
    # One by one: the answer writes a map index behind the name, where a plain task's name may end likewise.
    for task_id in work.mapped:
        for key, state in _ask(context, [task_id]):
            index = key.removeprefix(task_id).removeprefix("_")
            yield TaskState(task_id, _word(state), int(index) if index else -1)


def _ask(context: Any, task_ids: Sequence[str]) -> Iterable[tuple[str, Any]]:
    ti = context["ti"]
    answer = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(task_ids), run_ids=[ti.run_id])
    return dict(answer.get(ti.run_id) or {}).items()


def _word(state: Any) -> str:
    return "" if state is None else str(getattr(state, "value", state))
