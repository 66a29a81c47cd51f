"""One row for each parameter of an operator: a value, and what it changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow.providers.common.compat.sdk import TaskDeferred

from tests.running import Outcome, TaskRun
from tests.world import World, new_world

__all__ = ["OTHER_CLUSTER", "Row", "Seen", "play_row", "second_connection", "state_of"]

OTHER_CLUSTER = "0f3deec3-efa8-4598-bf91-560aad1377a3"


class Seen(NamedTuple):
    """What came of a try: the world after it, its outcome, and the seconds it took."""

    world: World
    outcome: Outcome
    seconds: float


@dataclass(frozen=True)
class Row:
    """
    One parameter.

    :param value: What it is set to.
    :param look: What is looked at.
    :param without: What is seen without it.
    :param with_it: What is seen with it.
    :param prepare: Makes the scene.
    :param besides: Parameters of both plays; one that is ``None`` is left out where the value is given.
    :param run: Which try is played.
    """

    value: Any
    look: Callable[[Seen], Any]
    without: Any
    with_it: Any
    prepare: Callable[[World], object] = lambda _world: None
    besides: Mapping[str, Any] = field(default_factory=dict)
    run: TaskRun | None = None


def state_of(seen: Seen) -> str:
    """
    Return the state that a try ended in.

    :param seen: What came of it.
    """
    return seen.outcome.state


def second_connection(world: World) -> None:
    """
    Add a connection ``other`` to another deployment's view of the emulator.

    :param world: The world.
    """
    os.environ["AIRFLOW_CONN_OTHER"] = world.emulator.connection_json(deployment="other", cluster_id=OTHER_CLUSTER)


def play_row(row: Row, prepare: Callable[[World], object], **parameters: Any) -> Any:
    """
    Return what a row looks at, after one try in a world of its own.

    :param row: The row.
    :param prepare: Makes the scene that all rows have in common.
    :param parameters: The operator's, ``operator_class`` included.
    """
    with new_world() as world:
        world.emulator.add_cluster("search-prod", OTHER_CLUSTER)
        prepare(world)
        row.prepare(world)
        began = world.clock.now()
        try:
            outcome = world.run(row.run, **{**row.besides, **parameters})
        except TaskDeferred:
            # Airflow 3's runner catches it; on 2 the one who calls execute() does.
            outcome = Outcome("deferred")
        return row.look(Seen(world, outcome, (world.clock.now() - began).total_seconds()))
