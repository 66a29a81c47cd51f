"""Snapshots on the emulator that bear the marks of tasks, as if these had made them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from tests.world import World

__all__ = ["add_history", "add_marked", "mark_of"]


def mark_of(
    dag_id: str = "orders_etl", *, deployment: str = "", hold: bool = False, damaged: bool = False, **who: Any
) -> str:
    """
    Return the end of a description that bears a mark.

    :param dag_id: Whose; the tests' tasks belong to ``orders_etl``.
    :param deployment: Of which Airflow.
    :param hold: Whether it is held.
    :param damaged: Whether it holds a damaged state, as a checkpoint keeps one.
    :param who: ``task_id``, ``run_id``, ``map_index``, ``indices``.
    """
    identity = RunIdentity(
        deployment, dag_id, who.get("task_id", "backup"), who.get("run_id", "run"), who.get("map_index", -1)
    )
    return f"made by a test {write_mark(make_mark(identity, who.get('indices'), hold=hold, damaged=damaged))}"


def add_marked(world: World, name: str, days_old: float, *, status: str = "COMPLETED", **who: Any) -> str:
    """
    Put a snapshot into the list and return its id.

    :param world: The world.
    :param name: Its name.
    :param days_old: How long ago it began.
    :param status: Its state.
    :param who: As for ``mark_of``.
    """
    began = world.clock.now() - timedelta(days=days_old)
    return world.emulator.add_snapshot(name, description=mark_of(**who), started_at=began, status=status, takes=60)


def add_history(world: World, count: int, prefix: str = "orders", **who: Any) -> list[str]:
    """
    Put one snapshot a day into the list and return their ids, newest first.

    :param world: The world.
    :param count: How many.
    :param prefix: What their names begin with.
    :param who: As for ``mark_of``.
    """
    return [add_marked(world, f"{prefix}-{day}", day, run_id=f"run-{day}", **who) for day in range(1, count + 1)]
