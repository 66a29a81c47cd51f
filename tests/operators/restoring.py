"""Restore tasks in a world of their own, in the worker and in the triggerer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.operators.snapshot import RestoreSnapshotOperator
from airflow_css.protocol.errors import CssError
from tests.running import Outcome, TaskRun
from tests.world import DeferringWorld, World, new_world

__all__ = ["ANYWHERE", "RESTORE", "error_of", "restore", "world_of"]

RESTORE = "restore_snapshot"
ANYWHERE = pytest.mark.parametrize("kind", [World, DeferringWorld], ids=["in the worker", "deferred"])


@contextmanager
def world_of(kind: type[World], **options: Any) -> Iterator[World]:
    """
    Yield a world with one good snapshot, and restores that take 300 seconds.

    :param kind: Where its tasks wait.
    :param options: The emulator's.
    """
    with new_world(kind=kind, **{"restore_takes": 300.0, **options}) as world:
        world.emulator.add_snapshot("orders-1", indices="orders-*,customers", takes=60)
        yield world


def restore(world: World, run: TaskRun | None = None, **parameters: Any) -> Outcome:
    """
    Play one try of a restore task to its end.

    :param world: Where.
    :param run: Which try; default the first of a manual run.
    :param parameters: The operator's; default the snapshot ``orders-1``, in place, under new names.
    """
    renamed = {"rename_pattern": "(.+)", "rename_replacement": "restored-$1"}
    which = {} if parameters.keys() & {"snapshot_id", "latest_good"} else {"snapshot_name": "orders-1"}
    usual = {"operator_class": RestoreSnapshotOperator, "task_id": "restore", "target_cluster_id": "same"}
    return world.run(run, **{**usual, **which, **renamed, **parameters})


def error_of(outcome: Outcome) -> CssError:
    """
    Return our error, also when it stands behind Airflow's.

    :param outcome: What came of a try.
    """
    error = outcome.error.__cause__ if isinstance(outcome.error, AirflowFailException) else outcome.error
    assert isinstance(error, CssError), outcome
    return error
