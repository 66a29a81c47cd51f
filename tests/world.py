"""The world of a test: an emulated CSS over HTTP, a clock that waiting turns, and tasks that live in both."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_css.client.clock import Clock
from airflow_css.client.css import Credentials, CssClient
from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import CreateSnapshotOperator
from tests.running import Deferral, Outcome, TaskRun, resume_task, run_task
from tests.turned_clock import TurnedClock
from tests.virtual_time import run_in_virtual_time

__all__ = ["DeferringWorld", "World", "event_of", "new_world"]

_CONNECTION = "AIRFLOW_CONN_CSS_DEFAULT"


@dataclass
class World:
    """
    An emulator, and what talks to it.

    :param emulator: It serves over HTTP; its clock stands still but for ``clock.sleep``.
    :param clock: The client's clock; sleeping turns the emulator's.
    """

    emulator: CssEmulator
    clock: TurnedClock

    @property
    def client(self) -> CssClient:
        """A client with the right keys, on the turned clock."""
        keys = Credentials(self.emulator.access_key, self.emulator.secret_key, self.emulator.security_token)
        return CssClient(self.emulator.url, keys, self.emulator.project_id, clock=self.clock)

    def connect(self, **extra: Any) -> None:
        """
        Write the connection ``css_default`` anew.

        :param extra: More keys for its extra; ``None`` takes one away.
        """
        os.environ[_CONNECTION] = self.emulator.connection_json(**extra)

    @cached_property
    def hook_class(self) -> type[CssHook]:
        """The hook on the turned clock."""
        clock: Clock = self.clock

        class HookOnTurnedClock(CssHook):
            pass

        HookOnTurnedClock.clock = clock
        return HookOnTurnedClock

    def operator(self, *, is_native: bool = False, **parameters: Any) -> Any:
        """
        Return a task on the turned clock, in a DAG of its own.

        :param is_native: Whether the DAG's templates render to Python's own types instead of text.
        :param parameters: The operator's; ``task_id`` defaults to ``backup``, ``dag_id`` to ``orders_etl``,
            ``operator_class`` to the operator that makes snapshots.
        """
        kind: Any = parameters.pop("operator_class", CreateSnapshotOperator)
        on_turned_clock = type(f"{kind.__name__}OnTurnedClock", (kind,), {"hook_class": self.hook_class})
        dag_id = parameters.pop("dag_id", "orders_etl")
        begin = pendulum.datetime(2026, 1, 1, tz="UTC")
        with DAG(dag_id, schedule=None, start_date=begin, render_template_as_native_obj=is_native):
            return on_turned_clock(**{"task_id": "backup", **parameters})

    def run(self, run: TaskRun | None = None, **parameters: Any) -> Outcome:
        """
        Play one try of a task, up to its first deferral, and return what came of it.

        :param run: Which try; default the first of a manual run.
        :param parameters: The operator's.
        """
        return run_task(self.operator(**parameters), run)

    def play(self, run: TaskRun | None = None, **parameters: Any) -> Outcome:
        """
        Play one try of a task through all its deferrals and return what came of it.

        :param run: Which try; default the first of a manual run.
        :param parameters: The operator's.
        """
        outcome = run_task(self.operator(**parameters), run)
        if outcome.deferral is None:
            return outcome
        return run_in_virtual_time(self.clock, lambda: self.go_on(outcome, run, **parameters))

    async def go_on(self, outcome: Outcome, run: TaskRun | None = None, **parameters: Any) -> Outcome:
        """
        Return what came of a try in the end.

        :param outcome: What came of it so far.
        :param run: Which try; default the first of a manual run.
        :param parameters: The operator's.
        """
        while outcome.deferral is not None:
            event = await event_of(self.trigger(outcome.deferral), outcome.deferral.timeout)
            outcome = resume_task(self.operator(**parameters), run, outcome, event)
        return outcome

    def trigger(self, deferral: Deferral) -> Any:
        """
        Return the trigger that a deferral names, on the turned clock.

        :param deferral: What the task handed over.
        """
        module, _, name = deferral.classpath.rpartition(".")
        real = getattr(import_module(module), name)
        return type(f"{name}OnTurnedClock", (real,), {"hook_class": self.hook_class})(**deferral.arguments)


async def event_of(trigger: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - it is Airflow's, and must not happen
    """
    Return the one event of a trigger, which ends right after it.

    :param trigger: The trigger.
    :param timeout: After how many seconds Airflow would fail the task; ``None`` for never.
    """
    async with asyncio.timeout(timeout):
        events = [event.payload async for event in trigger.run()]
    assert len(events) == 1, events
    return json.loads(json.dumps(events[0]))


class DeferringWorld(World):
    """A world whose tasks wait in the triggerer."""

    def run(self, run: TaskRun | None = None, **parameters: Any) -> Outcome:
        """
        Play one try of a deferrable task through all its deferrals and return what came of it.

        :param run: Which try; default the first of a manual run.
        :param parameters: The operator's.
        """
        return self.play(run, **{"deferrable": True, **parameters})


@contextmanager
def new_world(*, kind: type[World] = World, **options: Any) -> Iterator[World]:
    """
    Yield a world in which ``css_default`` leads to its emulator.

    :param kind: Its class: ``DeferringWorld`` for tasks that wait in the triggerer.
    :param options: The emulator's.
    """
    clock = TurnableClock(frozen=True)
    with CssEmulator(clock=clock, client_time=clock.now, **{"creation_takes": 300.0, **options}) as emulator:
        world = kind(emulator, TurnedClock(clock))
        before = os.environ.get(_CONNECTION)
        world.connect()
        try:
            yield world
        finally:
            # A world made for a whole file outlives the tests, and whoever puts the environment back after each.
            os.environ.pop(_CONNECTION, None)
            if before is not None:
                os.environ[_CONNECTION] = before
