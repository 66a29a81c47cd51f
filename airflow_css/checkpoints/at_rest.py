"""The work of a checkpoint once nothing of it can write any more, and what a human said of rolling it back."""

from __future__ import annotations

from typing import Any

from airflow_css.checkpoints.plan import Checkpoint, TaskState, still_at_work
from airflow_css.checkpoints.states import read_ends, read_work
from airflow_css.protocol.errors import CssStateError, ErrorReply
from airflow_css.tasks.night import raise_for_airflow

__all__ = ["read_answer", "read_work_at_rest"]


def read_work_at_rest(context: Any, checkpoint: Checkpoint) -> tuple[TaskState, ...]:
    """
    Return how the work stands, all of which has ended.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    :raises CssStateError: if a task of it has not ended; Airflow runs this before that only when a user makes it.
    """
    work = read_work(context, checkpoint.work)
    running = still_at_work(work)
    if running:
        message = f"{running[0].label} is {running[0].state or 'still to run'} and may still write."
        remedy = "Nothing is restored before every task of the work has ended; clear this task then."
        raise_for_airflow(CssStateError(ErrorReply(0, message=message), remedy, curable=True))
    return work


def read_answer(context: Any, checkpoint: Checkpoint) -> tuple[str, str] | None:
    """
    Return the state of the task that asked a human, and the answer; ``None`` where none is asked.

    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    """
    if checkpoint.mode != "confirm":
        return None
    state = read_ends(context, checkpoint, "confirm").get("confirm", "")
    answer = context["ti"].xcom_pull(task_ids=checkpoint.task("confirm")) if state == "success" else None
    chosen = (answer or {}).get("chosen_options") or [""]
    return state, str(chosen[0])
