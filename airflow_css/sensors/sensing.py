"""
One wait of a sensor: look, judge, and fail as Airflow's own sensors fail.

In the modes ``poke`` and ``reschedule`` Airflow's sensor asks again and again; deferrable, a trigger does, and the
method that Airflow resumes goes on with what the event carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar, NoReturn, Protocol

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    PokeReturnValue,
)

from airflow_css.hooks.css import CssHook
from airflow_css.links.css import persist_link
from airflow_css.protocol.conditions import Condition, Wait
from airflow_css.protocol.errors import CssError, CssReplyError, CssSnapshotError, CssWaitTimeoutError
from airflow_css.protocol.events import MET, RETRY_FINDS_IT, read_event
from airflow_css.protocol.known_conditions import read_condition
from airflow_css.protocol.sensed import OneSnapshot
from airflow_css.tasks.fields import CssTask, cluster_of
from airflow_css.tasks.looks import PatientLooks, with_other_keys
from airflow_css.tasks.night import raise_for_airflow, run_for_people, tell_the_night_reader
from airflow_css.tasks.rendered import check_flag, check_rendered
from airflow_css.triggers.condition import ConditionTrigger
from airflow_css.triggers.looking import Kind, LookKey
from airflow_css.triggers.progress import tell_news

__all__ = ["SensingTask", "Wish"]

# The trigger owns the deadline and reports it with the last state; Airflow's own time-out comes only if it is silent.
BACKSTOP_SECONDS = 300.0

Found = Mapping[str, Any]


class SensingTask(CssTask, Protocol):
    """A sensor, seen from its parts; the meaning of each attribute stands there."""

    hook_class: ClassVar[type[CssHook]]
    deferrable: bool
    timeout: float
    soft_fail: bool
    never_fail: bool
    shortest_pause: float | timedelta | None

    def defer(self, *args: Any, **kwargs: Any) -> Any:
        """Hand the wait to a trigger."""

    def condition(self, context: Any) -> Condition:
        """Return what is waited for, from the rendered fields."""


class Wish:
    """
    What one sensor waits for, in one stay in a worker.

    :param sensor: The sensor.
    :param context: Airflow's context.
    """

    def __init__(self, sensor: SensingTask, context: Any) -> None:
        self.sensor = sensor
        self.context = context
        self.cluster_id = ""
        self._wait: Wait | None = None
        self._linked = ""

    @cached_property
    def hook(self) -> CssHook:
        """The hook; a resumed sensor keeps the connection of its first step, whatever its templates render to now."""
        check_rendered("css_conn_id", self.sensor.css_conn_id)
        return self.sensor.hook

    @cached_property
    def looks(self) -> PatientLooks:
        """What every look goes through. In the mode ``reschedule`` each poke has its own, and forgives once."""
        return PatientLooks(self.hook, self.sensor.log)

    @property
    def wait(self) -> Wait:
        """The wait, which begins when it is asked for first."""
        if self._wait is None:
            check_flag("deferrable", self.sensor.deferrable)
            now = self.hook.clock.now().timestamp()
            pause = self.sensor.shortest_pause
            pause = pause.total_seconds() if isinstance(pause, timedelta) else pause
            self._wait = Wait(self.sensor.condition(self.context), now, now + self.sensor.timeout, pause)
        return self._wait

    def poke(self) -> PokeReturnValue:
        """Return whether it has come, and what was found: one look."""
        try:
            found = self._first_look(self.looks.ask)
        except CssError as error:
            raise_for_airflow(error)
        return PokeReturnValue(is_done=found is not None, xcom_value=None if found is None else dict(found))

    def start(self) -> Found:
        """Return what was found, or defer: what a deferrable sensor does first on each try."""
        try:
            found = self._first_look(lambda look: with_other_keys(self.hook, lambda: look(self.hook.get_conn())))
        except CssError as error:
            self._fail(error)
        return self._defer() if found is None else dict(found)

    def _first_look(self, name_cluster: Callable[[Callable[[Any], str]], str | None]) -> Found | None:
        # Everything that can be checked without asking CSS comes first: a mistake must not cost a call.
        wait = self.wait
        self.cluster_id = self.cluster_id or name_cluster(lambda _client: cluster_of(self.sensor)) or ""
        return self._look(wait) if self.cluster_id else None

    def _look(self, wait: Wait) -> Found | None:
        seen = self.looks.ask(LookKey(Kind(wait.condition.looks_at), self.hook.css_conn_id, self.cluster_id).ask)
        if seen is None:
            return None
        found = self.judge(wait.condition, seen)
        if found is None:
            tell_news(wait, self.sensor.log)
        return found

    def judge(self, condition: Condition, seen: Any) -> Found | None:
        """
        Return what was found when the condition is met, ``None`` to wait on.

        :param condition: What is waited for.
        :param seen: What a look brought.
        """
        found = condition.see(seen, self.hook.clock.now())
        snapshot = condition.last if isinstance(condition, OneSnapshot) else None
        self.link(snapshot.id if snapshot else str((found or {}).get("id") or ""))
        return found

    def link(self, snapshot_id: str) -> None:
        """
        Let the web interface lead to the snapshot, if it is known and not done yet.

        :param snapshot_id: Its id, or an empty text.
        """
        if snapshot_id and snapshot_id != self._linked:
            persist_link(self.context, self.hook, cluster_id=self.cluster_id, snapshot_id=snapshot_id)
            self._linked = snapshot_id

    def _defer(self) -> NoReturn:
        wait = self.wait
        condition = wait.condition.as_json()
        trigger = ConditionTrigger(
            css_conn_id=self.hook.css_conn_id,
            cluster_id=self.cluster_id,
            condition=condition,
            asked_at=wait.asked_at,
            deadline=wait.deadline,
            poll_interval=wait.poll_interval,
            carry={
                "css_conn_id": self.hook.css_conn_id,
                "cluster_id": self.cluster_id,
                "condition": condition,
                "asked_at": wait.asked_at,
                "deadline": wait.deadline,
            },
        )
        left = max(0.0, wait.seconds_left(self.hook.clock.now()))
        timeout = timedelta(seconds=left + BACKSTOP_SECONDS)
        self.sensor.defer(trigger=trigger, method_name="execute_complete", timeout=timeout)
        raise AssertionError("defer() always raises")

    def resume(self, event: Any) -> Found:
        """
        Return what the trigger found.

        :param event: What the trigger sent.
        """
        try:
            self._read(event)
            found = self._arrived(event)
        except CssError as error:
            self._fail(error)
        self.link(str(found.get("id") or ""))
        return found

    def _arrived(self, event: Any) -> Found:
        try:
            found = read_event(event, good=MET).get("found")
        except CssWaitTimeoutError as late:
            return self.too_late(late)
        if not isinstance(found, dict):
            raise CssReplyError(f"The trigger did not send what it found. {RETRY_FINDS_IT}")
        return found

    def _read(self, event: Any) -> None:
        carry = event.get("carry") if isinstance(event, dict) else None
        try:
            known = dict(carry or {})
            condition = read_condition(known["condition"])
            self._wait = Wait(condition, float(known["asked_at"]), float(known["deadline"]))
            self.cluster_id = str(known["cluster_id"])
            self.hook = self.sensor.hook_class(str(known["css_conn_id"]))
        except (KeyError, TypeError, ValueError) as cause:
            raise CssReplyError(
                f"The trigger sent an event that cannot be read ({cause!r}). {RETRY_FINDS_IT}"
            ) from cause

    def too_late(self, late: CssWaitTimeoutError) -> Found:
        """
        Return what was found after all, or raise.

        :param late: What the trigger reported when the time was up.
        """
        raise late

    def _fail(self, error: CssError) -> NoReturn:
        """Raise what Airflow's own sensors would: a time-out that is not retried, or a skip where the user wants it."""
        failure = _as_failure(error)
        ends_it = isinstance(failure, AirflowFailException | AirflowSensorTimeout)
        if self.sensor.never_fail or (self.sensor.soft_fail and ends_it):
            raise AirflowSkipException(f"Skipped instead of failed: {failure}") from failure
        raise failure

    def told(self, step: Callable[[], Any]) -> Any:
        """
        Return what a step returns; when it fails, log where everything stands.

        :param step: One stay in the worker.
        """
        try:
            return step()
        except AirflowSkipException as skip:
            return self._end_late(skip)
        except AirflowSensorTimeout as timed_out:
            return self._end_late(timed_out)
        except AirflowFailException as failure:
            self._tell(failure.__cause__)
            raise
        except CssError as error:
            self._tell(error)
            raise

    def _end_late(self, end: AirflowSkipException | AirflowSensorTimeout) -> Found:
        """Say why the time was up, in the words of the condition; Airflow's own sensor does not know it."""
        reason = end.__cause__
        try:
            if reason is None:
                return self.too_late(self.wait.late(self.hook.clock.now()))
        except CssError as late:
            reason = late
        if isinstance(end, AirflowSkipException):
            self.sensor.log.warning("Skipped instead of failed: %s", reason)
            raise end
        self._tell(reason)
        raise AirflowSensorTimeout(str(reason)) from reason

    def _tell(self, error: BaseException | None) -> None:
        tell_the_night_reader(
            self.sensor.log,
            self.hook if self.cluster_id else None,
            cluster_id=self.cluster_id,
            snapshot=_label_of(error) or self.label,
            run=run_for_people(self.context, self.hook if self.cluster_id else None),
            error=error if isinstance(error, CssError) else CssWaitTimeoutError(str(error)),
        )

    @property
    def label(self) -> str:
        """The snapshot that is waited for, for people."""
        condition = self._wait.condition if self._wait else None
        return condition.label if isinstance(condition, OneSnapshot) else "none in particular"


def _as_failure(error: CssError) -> Exception:
    if isinstance(error, CssWaitTimeoutError):
        failure: Exception = AirflowSensorTimeout(str(error))
        failure.__cause__ = error
        return failure
    try:
        raise_for_airflow(error)
    except (AirflowFailException, CssError) as raised:
        return raised


def _label_of(error: BaseException | None) -> str:
    """Return the snapshot that an error speaks of; a trigger's look taught this process nothing else."""
    snapshot = error.snapshot if isinstance(error, CssSnapshotError) else None
    return f"{snapshot.name} ({snapshot.id})" if snapshot else ""
