"""What the tasks that delete share: nothing is read anew after a resume, and an odd event is understood as one."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import DeleteSnapshotOperator
from airflow_css.protocol.errors import CssReplyError
from tests.marked import add_history
from tests.running import Outcome, resume_task, run_task
from tests.virtual_time import run_in_virtual_time
from tests.world import World, event_of

TASKS: dict[str, dict[str, Any]] = {
    "delete": {"operator_class": DeleteSnapshotOperator, "snapshot_name": "orders-3"},
    "prune": {
        "operator_class": PruneSnapshotsOperator,
        "keep_last": 1,
        "keep_within": "1d",
        "name_prefix": "orders-",
        "name_regex": "orders-.*",
        "hold_names": ["orders-2"],
    },
}
EACH = pytest.mark.parametrize("which", TASKS)


def _prepare(world: World) -> None:
    """Make a scene in which each of the tasks defers for its turn and for the end."""
    add_history(world, 3)
    world.emulator.faults.busy(call="delete_snapshot")
    world.emulator.faults.slow_deletion(500)


def _event(world: World, outcome: Outcome) -> Any:
    deferral = outcome.deferral
    assert deferral is not None, outcome
    return run_in_virtual_time(world.clock, lambda: event_of(world.trigger(deferral)))


class _Poison:
    """Whatever reads it fails."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None or not getattr(instance, "is_poisoned", False):
            return getattr(instance, "__dict__", {}).get(self._name)
        raise AssertionError(f"the template field {self._name} was read after a resume")

    def __set__(self, instance: object, value: Any) -> None:
        instance.__dict__[self._name] = value


def _poisoned(task: Any) -> Any:
    """Return the task, none of whose template fields may be read."""
    fields: dict[str, Any] = {name: _Poison(name) for name in task.template_fields}
    task.__class__ = type("Poisoned", (type(task),), {**fields, "template_fields": (), "is_poisoned": True})
    return task


@EACH
def test_the_poison_works(world: World, which: str) -> None:
    """A first step that reads its fields is noticed, so that a resumed one would be, too."""
    outcome = run_task(_poisoned(world.operator(deferrable=True, **TASKS[which])))
    assert "was read after a resume" in str(outcome.error)


@EACH
@pytest.mark.parametrize("is_late", [False, True], ids=["good end", "bad end"])
def test_no_template_field_is_read_after_a_resume(world: World, which: str, *, is_late: bool) -> None:
    """Turn, deletion, end and the line for the night reader need nothing that was rendered anew."""
    _prepare(world)
    timeout = 100 if is_late else 3_600
    outcome, resumed = world.run(deferrable=True, timeout=timeout, **TASKS[which]), 0
    while outcome.deferral is not None:
        task = _poisoned(world.operator(deferrable=True, timeout=timeout, **TASKS[which]))
        outcome, resumed = resume_task(task, None, outcome, _event(world, outcome)), resumed + 1
    assert resumed == 2
    assert not isinstance(outcome.error, AssertionError), outcome.error
    assert outcome.state == ("failed" if is_late else "success")
    names = {snapshot.name for snapshot in world.emulator.snapshots()}
    assert names == ({"orders-1", "orders-2", "orders-3"} if is_late else {"orders-1", "orders-2"})


@EACH
def test_the_connection_of_the_first_step_is_kept(world: World, which: str) -> None:
    """A connection that renders to another one after a resume changes nothing."""
    _prepare(world)
    outcome = world.run(deferrable=True, **TASKS[which])
    while outcome.deferral is not None:
        task = world.operator(deferrable=True, css_conn_id="another", **TASKS[which])
        outcome = resume_task(task, None, outcome, _event(world, outcome))
    assert outcome.state == "success"


@EACH
@pytest.mark.parametrize(
    "event",
    [None, {}, [], {"outcome": "met"}, {"outcome": "met", "carry": {}}, {"outcome": "met", "carry": {"plan": 1}}],
    ids=str,
)
def test_an_event_that_says_nothing_is_no_success(world: World, which: str, event: Any) -> None:
    """What cannot be understood leaves the task to its retry, with the way out."""
    _prepare(world)
    outcome = world.run(deferrable=True, retries=1, **TASKS[which])
    outcome = resume_task(world.operator(deferrable=True, retries=1, **TASKS[which]), None, outcome, event)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssReplyError)
    assert "restart the triggerer" in str(outcome.error)


@EACH
def test_an_event_of_another_outcome_is_no_success(world: World, which: str) -> None:
    """Only the expected word counts, whatever else the event brings."""
    _prepare(world)
    outcome = world.run(deferrable=True, retries=1, **TASKS[which])
    event = {**_event(world, outcome), "outcome": "ended"}
    outcome = resume_task(world.operator(deferrable=True, retries=1, **TASKS[which]), None, outcome, event)
    assert isinstance(outcome.error, CssReplyError)


@EACH
def test_what_is_carried_grows_with_what_goes_only(world: World, which: str) -> None:
    """What travels through the triggerer is small: a few kilobytes for a usual cluster."""
    _prepare(world)
    outcome = world.run(deferrable=True, **TASKS[which])
    assert outcome.deferral is not None
    assert len(str(outcome.deferral.arguments)) < 4_000
