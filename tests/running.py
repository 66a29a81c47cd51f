"""
Runs one operator as Airflow runs it, in milliseconds and without a database.

On Airflow 3 this is the real task runner with somebody standing in for the supervisor process. On Airflow 2 the
templates are rendered and ``execute`` is called as its task instance would; whole runs on both are played in
``tests/examples`` and ``tests/system``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

__all__ = ["Outcome", "TaskRun", "run_task"]

LOGICAL_DATE = datetime(2026, 11, 23, tzinfo=UTC)
RUN_AFTER = datetime(2026, 11, 23, 9, 9, 9, tzinfo=UTC)


@dataclass(frozen=True)
class TaskRun:
    """
    Which try of which task instance is played.

    :param run_id: The run.
    :param logical_date: Its logical date; ``None`` as in runs started by an asset.
    :param run_type: Airflow's word for the kind of run.
    :param map_index: Index of a mapped task, -1 when not mapped.
    :param try_number: The number of the try, from 1.
    :param max_tries: What Airflow has as the limit of tries; ``None`` for the task's retries, as before any clear.
    """

    run_id: str = "manual__2026-11-23"
    logical_date: datetime | None = LOGICAL_DATE
    run_type: str = "manual"
    map_index: int = -1
    try_number: int = 1
    max_tries: int | None = None


@dataclass
class Outcome:
    """
    What came of a try.

    :param state: ``success``, ``failed`` or ``up_for_retry``.
    :param error: What the task raised; ``None`` when nothing.
    :param xcom: What it pushed, by key.
    """

    state: str
    error: BaseException | None = None
    xcom: dict[str, Any] = field(default_factory=dict)


def run_task(task: Any, run: TaskRun | None = None) -> Outcome:
    """
    Play one try of a task.

    :param task: An operator that belongs to a DAG.
    :param run: Which try; default the first of a manual run.
    """
    run = run or TaskRun()
    max_tries = task.retries if run.max_tries is None else run.max_tries
    return _run_3(task, run, max_tries) if AIRFLOW_V_3_0_PLUS else _run_2(task, run, max_tries)


def _run_2(task: Any, run: TaskRun, max_tries: int) -> Outcome:
    from airflow.exceptions import AirflowFailException

    outcome = Outcome("success")

    def push(key: str, value: Any) -> None:
        outcome.xcom[key] = value

    ti = SimpleNamespace(
        dag_id=task.dag_id,
        task_id=task.task_id,
        run_id=run.run_id,
        map_index=run.map_index,
        try_number=run.try_number,
        max_tries=max_tries,
        xcom_push=push,
    )
    dag_run = SimpleNamespace(run_id=run.run_id, logical_date=run.logical_date, run_after=RUN_AFTER)
    context: Any = {"ti": ti, "task": task, "dag_run": dag_run, "run_id": run.run_id, "params": {}, "dag": task.dag}
    if run.logical_date is not None:
        context["ts_nodash"] = f"{run.logical_date:%Y%m%dT%H%M%S}"
    try:
        task.render_template_fields(context)
        outcome.xcom["return_value"] = task.execute(context)
    except Exception as error:  # noqa: BLE001 - whatever the task raises is what is looked at
        outcome.error = error
        can_retry = run.try_number <= max_tries and not isinstance(error, AirflowFailException)
        outcome.state = "up_for_retry" if can_retry else "failed"
    return outcome


def _run_3(task: Any, run: TaskRun, max_tries: int) -> Outcome:
    from unittest import mock

    import structlog
    from airflow.sdk.execution_time import task_runner

    supervisor = _StandInForSupervisor()
    ti = _task_instance(task, run, max_tries)
    with mock.patch.object(task_runner, "SUPERVISOR_COMMS", supervisor, create=True):
        state, _, error = task_runner.run(ti, ti.get_template_context(), structlog.get_logger())
    return Outcome(str(getattr(state, "value", state)), error, supervisor.xcom)


class _StandInForSupervisor:
    """Stands where the supervisor process would: keeps what is pushed, and knows nothing to answer."""

    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}

    def send(self, msg: Any) -> Any:
        if type(msg).__name__ == "SetXCom":
            self.xcom[msg.key] = msg.value
        if type(msg).__name__ == "GetConnection":
            from airflow.sdk.exceptions import ErrorType
            from airflow.sdk.execution_time.comms import ErrorResponse

            return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
        return None

    async def asend(self, msg: Any) -> Any:
        return self.send(msg)


def _task_instance(task: Any, run: TaskRun, max_tries: int) -> Any:
    from unittest import mock

    import uuid6
    from airflow.sdk.api.datamodels._generated import TIRunContext
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    now = datetime.now(UTC)
    dag_run = _dag_run(task, run)
    from_server = TIRunContext.model_construct(
        dag_run=dag_run,
        task_reschedule_count=0,
        max_tries=max_tries,
        variables=[],
        connections=[],
        next_method=None,
        next_kwargs=None,
        xcom_keys_to_clear=[],
        should_retry=run.try_number <= max_tries,
    )
    return RuntimeTaskInstance.model_construct(
        id=uuid6.uuid7(),
        task_id=task.task_id,
        dag_id=task.dag_id,
        run_id=run.run_id,
        try_number=run.try_number,
        map_index=run.map_index,
        dag_version_id=uuid6.uuid7(),
        task=task,
        _ti_context_from_server=from_server,
        max_tries=max_tries,
        start_date=now,
        hostname="host",
        bundle_instance=mock.Mock(),
        state=None,
        sentry_integration="",
        queue="default",
    )


def _dag_run(task: Any, run: TaskRun) -> Any:
    from airflow.sdk.api.datamodels._generated import DagRun, DagRunState, DagRunType

    return DagRun.model_construct(
        dag_id=task.dag_id,
        run_id=run.run_id,
        logical_date=run.logical_date,
        data_interval_start=run.logical_date,
        data_interval_end=run.logical_date,
        run_after=RUN_AFTER,
        start_date=datetime.now(UTC),
        end_date=None,
        clear_number=0,
        run_type=DagRunType(run.run_type),
        state=DagRunState.RUNNING,
        conf={},
        consumed_asset_events=[],
        partition_key=None,
        partition_date=None,
    )
