"""
What tasks that act and wait share: one stay in a worker, which tells its failures, and waits here or in the triggerer.

The method that Airflow resumes reads no template field: whatever it needs comes back in the event.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar, Generic, NoReturn, Protocol, TypeVar

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.conditions import Wait
from airflow_css.protocol.errors import CssError, CssSnapshotFailedError, CssWaitTimeoutError
from airflow_css.protocol.events import MET, read_event
from airflow_css.tasks.awaiting import await_in_worker
from airflow_css.tasks.fields import CssTask
from airflow_css.tasks.metrics import Count, Metrics
from airflow_css.tasks.night import raise_for_airflow, tell_the_night_reader
from airflow_css.tasks.run_context import identify
from airflow_css.triggers.condition import ConditionTrigger

__all__ = ["ConditionStay", "Stay", "WaitingTask"]

# The trigger owns the deadline and reports it with the last state; Airflow's own time-out comes only if it is silent.
BACKSTOP_SECONDS = 300.0


class WaitingTask(CssTask, Protocol):
    """An operator that waits for a condition, seen from its parts."""

    wait_for_completion: bool
    deferrable: bool
    poll_interval: float | None
    timeout: float
    turn_timeout: float
    hook_class: ClassVar[type[CssHook]]

    def defer(self, *args: Any, **kwargs: Any) -> Any:
        """Hand the wait to a trigger."""


class Place(Protocol):
    """Where a task works, as its plan says."""

    @property
    def cluster_id(self) -> str:
        """The cluster."""

    @property
    def css_conn_id(self) -> str:
        """The connection."""

    @property
    def run(self) -> str:
        """The task instance, for people."""


class Carried(Protocol):
    """What must survive a deferral."""

    @property
    def plan(self) -> Place:
        """Where the task works."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""


T = TypeVar("T")
J = TypeVar("J", bound=Carried)


class Stay(ABC, Generic[T, J]):
    """
    One stay of a task in a worker.

    :param operator: The operator.
    :param context: Airflow's context.
    """

    # What is counted when the work at CSS ended badly.
    counts_bad_end: ClassVar[Count | None] = None

    def __init__(self, operator: WaitingTask, context: Any) -> None:
        self._waiting = operator
        self._context = context
        self._journey: J | None = None

    def start(self) -> T:
        """Return the result, or defer: what a task does first on each try."""
        return self._told(self._start)

    @abstractmethod
    def _start(self) -> T:
        """Plan and begin."""

    @abstractmethod
    def _label(self) -> str:
        """Return the snapshot, for people."""

    @cached_property
    def _hook(self) -> CssHook:
        """The hook of a resumed task: for the connection of its first step, whatever the templates render to now."""
        return self._waiting.hook_class(self._known().plan.css_conn_id)

    @cached_property
    def _metrics(self) -> Metrics:
        return Metrics(self._context, self._known().plan.cluster_id, self._waiting.log)

    def _known(self) -> J:
        if self._journey is None:
            raise AssertionError("a task knows its journey from the first step on")
        return self._journey

    def _told(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except CssError as error:
            plan = self._journey.plan if self._journey else None
            if plan and self.counts_bad_end and isinstance(error, CssSnapshotFailedError):
                self._metrics.count(self.counts_bad_end)
            tell_the_night_reader(
                self._waiting.log,
                self._hook if plan else None,
                cluster_id=plan.cluster_id if plan else "",
                snapshot=self._label(),
                run=plan.run if plan else str(identify(self._context, "")),
                error=error,
            )
            raise_for_airflow(error)

    def _defer(self, trigger: Any, method_name: str, seconds: float) -> NoReturn:
        timeout = timedelta(seconds=seconds + BACKSTOP_SECONDS)
        self._waiting.defer(trigger=trigger, method_name=method_name, timeout=timeout)
        raise AssertionError("defer() always raises")

    def _defer_until(self, wait: Wait, method_name: str) -> NoReturn:
        """Let the triggerer wait for a condition."""
        place = self._known().plan
        trigger = ConditionTrigger(
            css_conn_id=place.css_conn_id,
            cluster_id=place.cluster_id,
            condition=wait.condition.as_json(),
            asked_at=wait.asked_at,
            deadline=wait.deadline,
            poll_interval=wait.poll_interval,
            carry=self._known().as_json(),
        )
        self._defer(trigger, method_name, max(0.0, wait.seconds_left(self._hook.clock.now())))


class ConditionStay(Stay[T, J]):
    """One stay of a task that waits for nothing but conditions, and then goes on where it was."""

    def resume(self, event: Any) -> T:
        """
        Return the result, or defer again: what a task does when a wait has ended.

        :param event: What the trigger sent.
        """
        return self._told(lambda: self._resume(event))

    @abstractmethod
    def _go_on(self) -> T:
        """Go on after a wait."""

    @abstractmethod
    def _read_journey(self, carried: Any) -> None:
        """Take up what the event brought back."""

    @abstractmethod
    def _too_late(self, last_seen: str) -> CssWaitTimeoutError:
        """Return the error of a wait that took too long, in the words of this task; what was seen last is a clause."""

    def _resume(self, event: Any) -> T:
        # Before the outcome is looked at: a failure must be told with its cluster and snapshot, too.
        self._read_journey(event.get("carry") if isinstance(event, Mapping) else None)
        self._met(lambda: read_event(event, good=MET))
        return self._go_on()

    def _met(self, wait: Callable[[], object]) -> None:
        try:
            wait()
        except CssWaitTimeoutError as error:
            raise self._too_late(error.last_seen) from error

    def _await(self, wait: Wait) -> None:
        """Return when the condition is met; a task that is deferrable goes on in a resumed method instead."""
        if self._waiting.deferrable:
            self._defer_until(wait, "execute_complete")
        cluster_id = self._known().plan.cluster_id
        self._met(lambda: await_in_worker(self._hook, cluster_id, wait, self._waiting.log))
