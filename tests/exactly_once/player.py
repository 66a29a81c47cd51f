"""
Plays one try of a task in a process of its own, with the clock of this machine.

The processes are forked from a server that has loaded Airflow already, so that a test can afford many of them. Each can
be ended by SIGKILL like any other process.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Self

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_css.client.css import CssClient
from airflow_css.client.ensure import EnsuredSnapshot
from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow_css.protocol.adoption import SnapshotOrder
from tests.running import TaskRun, run_task

__all__ = ["Play", "Player"]

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Play:
    """
    What a process is to play.

    :param try_number: The number of the try.
    :param connection: The Airflow connection, as JSON.
    :param parameters: The operator's.
    :param operator_class: The operator; default the one that makes snapshots.
    :param is_blind: Whether to play the control instead: it never looks, and each creation has a name of its own.
    """

    try_number: int
    connection: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_blind: bool = False
    operator_class: type[Any] = CreateSnapshotOperator


class _BlindClient(CssClient):
    """Creates without looking, as code does that knows nothing of lost answers."""

    numbers = itertools.count(1)

    def fulfil(self, order: SnapshotOrder, *, look_first: bool = True) -> EnsuredSnapshot:  # noqa: ARG002 - it never looks
        created = self.create_snapshot(
            order.cluster_id, f"{order.name}-{os.getpid()}-{next(self.numbers)}", description=order.description
        )
        return EnsuredSnapshot(created.id, created.name, made_at=self.clock.now())


class _BlindHook(CssHook):
    def get_conn(self) -> CssClient:
        settings = self.settings
        return _BlindClient(settings.endpoint, settings.credentials, settings.project_id, clock=self.clock)


class _BlindOperator(CreateSnapshotOperator):
    hook_class = _BlindHook


def _play(play: Play, answer: Connection) -> None:
    # What Airflow prints belongs to no reader here.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = play.connection
    operator = _BlindOperator if play.is_blind else play.operator_class
    with DAG("orders_etl", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
        task = operator(**{"task_id": "backup", "retries": 5, **play.parameters})
    outcome = run_task(task, TaskRun(try_number=play.try_number))
    answer.send_bytes(json.dumps({"state": outcome.state, "error": str(outcome.error), **outcome.xcom}).encode())


class Player:
    """
    A process that plays one try.

    :param play: What it plays.
    """

    def __init__(self, play: Play) -> None:
        self._play = play

    def __enter__(self) -> Self:
        self._answer, theirs = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_play, args=(self._play, theirs), daemon=True)
        self._process.start()
        theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._answer.close()
        self._process.close()

    def kill(self) -> None:
        """End the process by SIGKILL, and return when it is gone."""
        self._process.kill()
        self._process.join()

    def result(self, timeout: float = 30.0) -> dict[str, Any]:
        """
        Return state, error and XComs; empty when the process ended without.

        :param timeout: How long to wait, in seconds.
        :raises TimeoutError: if it still plays then.
        """
        if not self._answer.poll(timeout):
            raise TimeoutError(f"the try still plays after {timeout} s")
        try:
            answer: dict[str, Any] = json.loads(self._answer.recv_bytes())
        except EOFError:
            return {}
        return answer
