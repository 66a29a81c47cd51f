"""The world of a test: an emulated CSS over HTTP, a clock that waiting turns, and tasks that live in both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_css.client.clock import Clock
from airflow_css.client.css import Credentials, CssClient
from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import CreateSnapshotOperator
from tests.running import Outcome, TaskRun, run_task
from tests.turned_clock import TurnedClock

__all__ = ["World", "new_world"]


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
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = self.emulator.connection_json(**extra)

    def operator(self, *, is_native: bool = False, **parameters: Any) -> CreateSnapshotOperator:
        """
        Return a create task on the turned clock, in a DAG of its own.

        :param is_native: Whether the DAG's templates render to Python's own types instead of text.
        :param parameters: The operator's; ``task_id`` defaults to ``backup``, ``dag_id`` to ``orders_etl``.
        """
        clock: Clock = self.clock

        class HookOnTurnedClock(CssHook):
            pass

        class CreateOnTurnedClock(CreateSnapshotOperator):
            hook_class = HookOnTurnedClock

        HookOnTurnedClock.clock = clock
        dag_id = parameters.pop("dag_id", "orders_etl")
        begin = pendulum.datetime(2026, 1, 1, tz="UTC")
        with DAG(dag_id, schedule=None, start_date=begin, render_template_as_native_obj=is_native):
            return CreateOnTurnedClock(**{"task_id": "backup", **parameters})

    def run(self, run: TaskRun | None = None, **parameters: Any) -> Outcome:
        """
        Play one try of a create task and return what came of it.

        :param run: Which try; default the first of a manual run.
        :param parameters: The operator's.
        """
        return run_task(self.operator(**parameters), run)


@contextmanager
def new_world(**options: Any) -> Iterator[World]:
    """
    Yield a world in which ``css_default`` leads to its emulator.

    :param options: The emulator's.
    """
    clock = TurnableClock(frozen=True)
    with CssEmulator(clock=clock, client_time=clock.now, **{"creation_takes": 300.0, **options}) as emulator:
        world = World(emulator, TurnedClock(clock))
        world.connect()
        yield world
