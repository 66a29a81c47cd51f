"""Sensors on the turned clock, in all three modes."""

from __future__ import annotations

import itertools
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS
from tests.running import Outcome, TaskRun, resume_task, run_task
from tests.virtual_time import run_in_virtual_time
from tests.world import World, event_of

__all__ = ["MODES", "finish", "play", "sensor_of"]

MODES = ("poke", "reschedule", "deferred")
MOST_POKES = 2_000


def sensor_of(world: World, kind: Any, /, **parameters: Any) -> Any:
    """
    Return a sensor whose pauses turn the world's clock, in a DAG of its own.

    :param world: Where.
    :param kind: Its class.
    :param parameters: The sensor's; ``task_id`` defaults to ``wait``, ``dag_id`` to ``orders_etl``. ``way`` is one of
        ``MODES``.
    """
    way = parameters.pop("way", "poke")
    parameters |= {"deferrable": True} if way == "deferred" else {"mode": way}

    class OnTurnedClock(kind):  # type: ignore[misc] # the class is a value here
        hook_class = world.hook_class

        def _get_next_poke_interval(self, *args: Any) -> float:
            # Airflow's own sensor sleeps in real time.
            world.clock.sleep(super()._get_next_poke_interval(*args))
            return 0.0

    dag_id = parameters.pop("dag_id", "orders_etl")
    is_native = parameters.pop("is_native", False)
    begin = pendulum.datetime(2026, 1, 1, tz="UTC")
    with DAG(dag_id, schedule=None, start_date=begin, render_template_as_native_obj=is_native):
        return OnTurnedClock(**{"task_id": "wait", **parameters})


def play(world: World, kind: Any, run: TaskRun | None = None, /, **parameters: Any) -> Outcome:
    """
    Play one try of a sensor through all its pokes or its deferral and return what came of it.

    :param world: Where.
    :param kind: Its class.
    :param run: Which try; default the first of a manual run.
    :param parameters: As for ``sensor_of``.
    """
    if parameters.get("way") == "reschedule" and not AIRFLOW_V_3_0_PLUS:
        return _reschedule_2(world, kind, run, **parameters)
    for _ in range(MOST_POKES):
        # Another process each time: nothing stays with the object.
        outcome = run_task(sensor_of(world, kind, **parameters), run)
        if outcome.state != "up_for_reschedule":
            return finish(world, outcome, kind, run, **parameters)
    raise AssertionError("it never ends")


def finish(world: World, outcome: Outcome, kind: Any, run: TaskRun | None = None, /, **parameters: Any) -> Outcome:
    """
    Return what came of a sensor that may be deferred.

    :param world: Where.
    :param outcome: What came of it so far.
    :param kind: Its class.
    :param run: Which try.
    :param parameters: As for ``sensor_of``.
    """
    deferral = outcome.deferral
    if deferral is None:
        return outcome
    event = run_in_virtual_time(world.clock, lambda: event_of(world.trigger(deferral), deferral.timeout))
    return resume_task(sensor_of(world, kind, **parameters), run, outcome, event)


def _reschedule_2(world: World, kind: Any, run: TaskRun | None, /, **parameters: Any) -> Outcome:
    """On Airflow 2 the mode asks the database when it began, so the pokes are made here, each by another object."""
    from airflow.exceptions import AirflowRescheduleException

    class Poking(kind):  # type: ignore[misc] # as above
        def poke(self, context: Any) -> Any:
            done = super().poke(context)
            # Without time left, Airflow's own sensor is to say so.
            if not done and self.timeout:
                raise AirflowRescheduleException(pendulum.now("UTC"))  # type: ignore[no-untyped-call] # Airflow 3 has none
            return done

    pause = parameters.get("poke_interval") or 60.0
    for count in itertools.count():
        outcome = run_task(sensor_of(world, Poking, **{**parameters, "way": "poke"}), run)
        if outcome.state != "up_for_reschedule":
            return outcome
        assert count < MOST_POKES
        world.clock.sleep(pause)
    raise AssertionError("count() never ends")
