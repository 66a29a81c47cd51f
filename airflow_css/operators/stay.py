"""
What the tasks that delete share: one stay in a worker, which tells its failures, and waits here or in the triggerer.

The method that Airflow resumes reads no template field: whatever it needs comes back in the event.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.conditions import Wait
from airflow_css.protocol.errors import CssError, CssWaitTimeoutError
from airflow_css.protocol.events import MET, read_event
from airflow_css.tasks.awaiting import await_in_worker
from airflow_css.tasks.fields import CssTask
from airflow_css.tasks.metrics import Metrics
from airflow_css.tasks.night import raise_for_airflow, tell_the_night_reader
from airflow_css.tasks.run_context import identify
from airflow_css.triggers.condition import ConditionTrigger

__all__ = ["Stay", "WaitingTask"]

T = TypeVar("T")

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


class Stay(ABC, Generic[T]):
    """
    One stay of a task in a worker.

    :param operator: The operator.
    :param context: Airflow's context.
    """

    def __init__(self, operator: WaitingTask, context: Any) -> None:
        self._waiting = operator
        self._context = context

    def start(self) -> T:
        """Return the result, or defer: what a task does first on each try."""
        return self._told(self._start)

    def resume(self, event: Any) -> T:
        """
        Return the result, or defer again: what a task does when a wait has ended.

        :param event: What the trigger sent.
        """
        return self._told(lambda: self._resume(event))

    @abstractmethod
    def _start(self) -> T:
        """Plan and begin."""

    @abstractmethod
    def _go_on(self) -> T:
        """Go on after a wait."""

    @abstractmethod
    def _read_journey(self, carried: Any) -> None:
        """Take up what the event brought back."""

    @abstractmethod
    def _carry(self) -> Mapping[str, Any]:
        """Return what must survive a deferral, as plain JSON."""

    @abstractmethod
    def _place(self) -> Place | None:
        """Return where the task works; ``None`` as long as that is not known."""

    @abstractmethod
    def _label(self) -> str:
        """Return the snapshot, for people."""

    @abstractmethod
    def _too_late(self) -> CssWaitTimeoutError:
        """Return the error of a wait that took too long, in the words of this task."""

    @cached_property
    def _hook(self) -> CssHook:
        """The hook of a resumed task: for the connection of its first step, whatever the templates render to now."""
        return self._waiting.hook_class(self._known_place().css_conn_id)

    @cached_property
    def _metrics(self) -> Metrics:
        return Metrics(self._context, self._known_place().cluster_id, self._waiting.log)

    def _known_place(self) -> Place:
        place = self._place()
        if place is None:
            raise AssertionError("a task knows its cluster from the first step on")
        return place

    def _told(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except CssError as error:
            place = self._place()
            tell_the_night_reader(
                self._waiting.log,
                self._hook if place else None,
                cluster_id=place.cluster_id if place else "",
                snapshot=self._label(),
                run=place.run if place else str(identify(self._context, "")),
                error=error,
            )
            raise_for_airflow(error)

    def _resume(self, event: Any) -> T:
        # Before the outcome is looked at: a failure must be told with its cluster and snapshot, too.
        self._read_journey(event.get("carry") if isinstance(event, Mapping) else None)
        self._met(lambda: read_event(event, good=MET))
        return self._go_on()

    def _met(self, wait: Callable[[], object]) -> None:
        try:
            wait()
        except CssWaitTimeoutError as error:
            raise self._too_late() from error

    def _await(self, wait: Wait) -> None:
        """Return when the condition is met; a task that is deferrable goes on in a resumed method instead."""
        place = self._known_place()
        if not self._waiting.deferrable:
            return self._met(lambda: await_in_worker(self._hook, place.cluster_id, wait, self._waiting.log))
        trigger = ConditionTrigger(
            css_conn_id=place.css_conn_id,
            cluster_id=place.cluster_id,
            condition=wait.condition.as_json(),
            asked_at=wait.asked_at,
            deadline=wait.deadline,
            poll_interval=wait.poll_interval,
            carry=self._carry(),
        )
        seconds = max(0.0, wait.seconds_left(self._hook.clock.now())) + BACKSTOP_SECONDS
        self._waiting.defer(trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=seconds))
        raise AssertionError("defer() always raises")
