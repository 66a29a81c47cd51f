"""
Runs one operator as Airflow runs it, in milliseconds and without a database.

On Airflow 3 this is the real task runner with somebody standing in for the supervisor process. On Airflow 2 the
templates are rendered and ``execute`` is called as its task instance would; whole runs on both are played in
``tests/examples`` and ``tests/system``. What a task hands to a trigger, and what a trigger sends back, passes through
JSON as it does through Airflow's database.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

__all__ = ["Deferral", "Outcome", "TaskRun", "resume_task", "run_task"]

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
    :param store: What Airflow 3.3 keeps for the task instance from one try to the next; older versions have none.
    """

    run_id: str = "manual__2026-11-23"
    logical_date: datetime | None = LOGICAL_DATE
    run_type: str = "manual"
    map_index: int = -1
    try_number: int = 1
    max_tries: int | None = None
    store: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Deferral:
    """
    What a task hands to the triggerer.

    :param classpath: The trigger's class.
    :param arguments: What it is built with.
    :param method: Where the task goes on.
    :param timeout: After how many seconds Airflow fails the task; ``None`` for never.
    """

    classpath: str
    arguments: dict[str, Any]
    method: str
    timeout: float | None


@dataclass
class Outcome:
    """
    What came of a try.

    :param state: ``success``, ``failed``, ``skipped``, ``up_for_retry``, ``up_for_reschedule`` or ``deferred``.
    :param error: What the task raised; ``None`` when nothing.
    :param xcom: What it pushed, by key.
    :param deferral: What waits for it; ``None`` unless it is deferred.
    :param events: What Airflow would write into the events of its assets, by URI.
    """

    state: str
    error: BaseException | None = None
    xcom: dict[str, Any] = field(default_factory=dict)
    deferral: Deferral | None = None
    events: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Resumption:
    """Where a task goes on, with what, and what it had pushed before."""

    method: str
    event: Any
    xcom: dict[str, Any]


def run_task(task: Any, run: TaskRun | None = None) -> Outcome:
    """
    Play one try of a task, up to its end or its first deferral.

    :param task: An operator that belongs to a DAG.
    :param run: Which try; default the first of a manual run.
    """
    return _run(task, run or TaskRun(), None)


def resume_task(task: Any, run: TaskRun | None, deferred: Outcome, event: Any) -> Outcome:
    """
    Go on with a deferred try, in what counts as another process: give a task of its own.

    :param task: An operator that belongs to a DAG.
    :param run: Which try; default the first of a manual run.
    :param deferred: What came of it so far.
    :param event: What the trigger sent.
    """
    if deferred.deferral is None:
        raise ValueError(f"a task that is {deferred.state} waits for nothing")
    event = json.loads(json.dumps(event))
    return _run(task, run or TaskRun(), _Resumption(deferred.deferral.method, event, deferred.xcom))


def _run(task: Any, run: TaskRun, resumption: _Resumption | None) -> Outcome:
    max_tries = task.retries if run.max_tries is None else run.max_tries
    play = _run_3 if AIRFLOW_V_3_0_PLUS else _run_2
    return play(task, run, max_tries, resumption)


def _context_2(task: Any, run: TaskRun, max_tries: int, outcome: Outcome) -> Any:
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
    from airflow.utils.context import OutletEventAccessors

    dag_run = SimpleNamespace(run_id=run.run_id, logical_date=run.logical_date, run_after=RUN_AFTER)
    context: Any = {
        "outlet_events": OutletEventAccessors(),
        "ti": ti,
        "task": task,
        "dag_run": dag_run,
        "run_id": run.run_id,
        "params": {},
        "dag": task.dag,
    }
    if run.logical_date is not None:
        context["ts_nodash"] = f"{run.logical_date:%Y%m%dT%H%M%S}"
    return context


def _run_2(task: Any, run: TaskRun, max_tries: int, resumption: _Resumption | None) -> Outcome:
    from airflow.exceptions import (
        AirflowFailException,
        AirflowRescheduleException,
        AirflowSensorTimeout,
        AirflowSkipException,
        TaskDeferred,
    )

    outcome = Outcome("success", xcom=dict(resumption.xcom) if resumption else {})
    context = _context_2(task, run, max_tries, outcome)
    try:
        task.render_template_fields(context)
        if resumption is None:
            outcome.xcom["return_value"] = task.execute(context)
        else:
            arguments = {"event": resumption.event}
            outcome.xcom["return_value"] = task.resume_execution(resumption.method, arguments, context)
        outcome.events = _events_2(context["outlet_events"])
    except TaskDeferred as deferred:
        classpath, arguments = deferred.trigger.serialize()
        seconds = deferred.timeout.total_seconds() if deferred.timeout else None
        outcome.state = "deferred"
        outcome.deferral = Deferral(classpath, json.loads(json.dumps(arguments)), deferred.method_name, seconds)
    except AirflowSkipException as skip:
        outcome.state, outcome.error = "skipped", skip
    except AirflowRescheduleException as later:
        outcome.state, outcome.error = "up_for_reschedule", later
    except Exception as error:  # noqa: BLE001 - whatever the task raises is what is looked at
        outcome.error = error
        is_final = isinstance(error, AirflowFailException | AirflowSensorTimeout)
        can_retry = run.try_number <= max_tries and not is_final
        outcome.state = "up_for_retry" if can_retry else "failed"
    return outcome


def _events_2(told: Any) -> dict[str, dict[str, Any]]:
    from airflow.providers.common.compat.sdk import Asset

    return {uri: told[Asset(uri)].extra for uri in told}


def _run_3(task: Any, run: TaskRun, max_tries: int, resumption: _Resumption | None) -> Outcome:
    from unittest import mock

    import structlog
    from airflow.sdk.execution_time import task_runner

    supervisor = _StandInForSupervisor(dict(resumption.xcom) if resumption else {}, run.store)
    ti = _task_instance(task, run, max_tries, resumption)
    with mock.patch.object(task_runner, "SUPERVISOR_COMMS", supervisor, create=True):
        state, message, error = task_runner.run(ti, ti.get_template_context(), structlog.get_logger())
    word = str(getattr(state, "value", state))
    events = {event["dest_asset_key"]["uri"]: event["extra"] for event in getattr(message, "outlet_events", None) or ()}
    return Outcome(word, error, supervisor.xcom, _deferral_3(message) if word == "deferred" else None, events)


def _deferral_3(message: Any) -> Deferral:
    from airflow.sdk.serde import deserialize

    arguments: Any = deserialize(json.loads(json.dumps(message.trigger_kwargs)))
    seconds = message.trigger_timeout.total_seconds() if message.trigger_timeout else None
    return Deferral(message.classpath, arguments, message.next_method, seconds)


class _StandInForSupervisor:
    """Stands where the supervisor process would: keeps what is pushed and stored, and knows nothing else to answer."""

    def __init__(self, xcom: dict[str, Any], store: dict[str, Any]) -> None:
        self.xcom = xcom
        self._store = store

    def send(self, msg: Any) -> Any:
        answer = getattr(self, f"_{type(msg).__name__}", None)
        return answer(msg) if answer else None

    def _SetXCom(self, msg: Any) -> None:  # noqa: N802 - the name of the message
        self.xcom[msg.key] = msg.value

    def _GetConnection(self, _msg: Any) -> Any:  # noqa: N802 - as above
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)

    def _ValidateInletsAndOutlets(self, _msg: Any) -> Any:  # noqa: N802 - as above
        from airflow.sdk.execution_time.comms import InactiveAssetsResult

        return InactiveAssetsResult(inactive_assets=[])

    def _GetTaskStateStore(self, msg: Any) -> Any:  # noqa: N802 - as above
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse, TaskStateStoreResult

        if msg.key in self._store:
            return TaskStateStoreResult(value=self._store[msg.key])
        return ErrorResponse(error=ErrorType.TASK_STORE_NOT_FOUND)

    def _SetTaskStateStore(self, msg: Any) -> None:  # noqa: N802 - as above
        self._store[msg.key] = json.loads(json.dumps(msg.value))

    def _DeleteTaskStateStore(self, msg: Any) -> None:  # noqa: N802 - as above
        self._store.pop(msg.key, None)

    async def asend(self, msg: Any) -> Any:
        return self.send(msg)


def _task_instance(task: Any, run: TaskRun, max_tries: int, resumption: _Resumption | None) -> Any:
    from unittest import mock

    import uuid6
    from airflow.sdk.api.datamodels._generated import TIRunContext
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    from airflow.sdk.serde import serialize

    now = datetime.now(UTC)
    dag_run = _dag_run(task, run)
    from_server = TIRunContext.model_construct(
        dag_run=dag_run,
        task_reschedule_count=0,
        max_tries=max_tries,
        variables=[],
        connections=[],
        next_method=resumption.method if resumption else None,
        next_kwargs=serialize({"event": resumption.event}) if resumption else None,
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
