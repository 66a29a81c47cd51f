"""A create task that defers: from its first step through its triggers to its end, on both Airflows."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow_css.protocol import errors
from airflow_css.protocol.errors import (
    CssBusyError,
    CssError,
    CssReplyError,
    CssServerError,
    CssSnapshotFailedError,
    CssStateError,
    CssWaitTimeoutError,
    ErrorReply,
)
from airflow_css.protocol.events import FAILED, write_error
from tests.running import Deferral, Outcome, TaskRun, resume_task, run_task
from tests.task_log import reading_the_log
from tests.virtual_time import run_in_virtual_time
from tests.world import World, event_of, new_world

CREATE = "create_snapshot"
IDLE = "airflow_css.triggers.css.ClusterIdleTrigger"
END = "airflow_css.triggers.css.SnapshotTrigger"


def _busy_for(world: World, seconds: float) -> None:
    world.emulator.add_snapshot("strangers", status="BUILDING", takes=seconds)


def _deferral(outcome: Outcome) -> Deferral:
    assert outcome.deferral is not None, outcome
    return outcome.deferral


def _event(world: World, outcome: Outcome) -> Any:
    """Return what the trigger of a deferred task sends."""
    return run_in_virtual_time(world.clock, lambda: event_of(world.trigger(_deferral(outcome))))


def _step(world: World, outcome: Outcome, run: TaskRun | None = None, **parameters: Any) -> Outcome:
    """Let the trigger wait and the task go on, up to its end or its next deferral."""
    event = _event(world, outcome)
    return resume_task(world.operator(deferrable=True, **parameters), run, outcome, event)


def test_a_try_defers_for_its_turn_and_for_its_end(world: World) -> None:
    """On a busy cluster one try defers twice and succeeds with the same XComs as in a worker."""
    _busy_for(world, 500)
    first = world.run(deferrable=True)
    assert (first.state, _deferral(first).classpath, _deferral(first).method) == ("deferred", IDLE, "resume_at_turn")
    assert first.xcom == {}
    second = _step(world, first)
    assert (second.state, _deferral(second).classpath, _deferral(second).method) == (
        "deferred",
        END,
        "execute_complete",
    )
    assert set(second.xcom) == {"backup_id", "snapshot_name", "cluster_id"}
    last = _step(world, second)
    (snapshot, _stranger) = world.emulator.snapshots()
    assert last.state == "success"
    assert last.xcom["return_value"] == last.xcom["backup_id"] == snapshot.id
    assert last.xcom["snapshot"]["status"] == "COMPLETED"
    assert last.xcom["snapshot_name"] == snapshot.name
    assert world.emulator.count(CREATE) == 2


def test_worker_and_triggerer_come_to_the_same() -> None:
    """What a task pushes does not depend on where it waited."""
    pushed = []
    for is_deferrable in (False, True):
        with new_world() as world:
            outcome = world.play(deferrable=is_deferrable, indices="orders-*", description="before the load")
            pushed.append(
                {key: value for key, value in outcome.xcom.items() if key not in {"return_value", "backup_id"}}
            )
            facts = pushed[-1]["snapshot"]
            assert facts.pop("id") == outcome.xcom["return_value"]
            assert facts.pop("started_at") < facts.pop("ended_at")
    assert pushed[0] == pushed[1]


class _Poison:
    """Whatever is done with it fails."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None or not getattr(instance, "is_poisoned", False):
            return getattr(instance, "__dict__", {}).get(self._name)
        raise AssertionError(f"the template field {self._name} was read after a resume")

    def __set__(self, instance: object, value: Any) -> None:
        instance.__dict__[self._name] = value


def _poisoned(world: World, **parameters: Any) -> Any:
    """Return a task none of whose template fields may be read."""
    task = world.operator(deferrable=True, **parameters)
    fields = {name: _Poison() for name in CreateSnapshotOperator.template_fields}
    for name, poison in fields.items():
        poison.__set_name__(type(task), name)
    kind = type("Poisoned", (type(task),), {**fields, "template_fields": (), "is_poisoned": True})
    task.__class__ = kind
    return task


def test_the_poison_works(world: World) -> None:
    """A first step that reads its fields is noticed, so that a resumed one would be, too."""
    outcome = run_task(_poisoned(world))
    assert "was read after a resume" in str(outcome.error)


@pytest.mark.parametrize("fails", [False, True], ids=["good end", "bad end"])
def test_no_template_field_is_read_after_a_resume(world: World, fails: bool) -> None:  # noqa: FBT001 - a table's column
    """Turn, creation, second deferral, end and the line for the night reader need nothing that was rendered anew."""
    _busy_for(world, 100)
    world.emulator.faults.fate("failed" if fails else "completed", takes=100)
    outcome = world.run(deferrable=True, indices="orders-*", description="before the load", on_existing="new")
    resumed = 0
    while outcome.deferral is not None:
        outcome = resume_task(_poisoned(world), None, outcome, _event(world, outcome))
        resumed += 1
    assert resumed == 2
    assert not isinstance(outcome.error, AssertionError), outcome.error
    assert outcome.state == ("failed" if fails else "success")
    made = world.emulator.snapshots()[0]
    assert made.description.startswith("before the load ")
    assert all(name.startswith("orders-") for name in made.indices)


def test_the_connection_of_the_first_step_is_kept(world: World) -> None:
    """A connection that renders to another one after a resume, or to none at all, changes nothing."""
    _busy_for(world, 100)
    outcome = world.run(deferrable=True)
    while outcome.deferral is not None:
        outcome = resume_task(
            world.operator(deferrable=True, css_conn_id="another"), None, outcome, _event(world, outcome)
        )
    assert outcome.state == "success"


def test_without_waiting_for_the_end_only_the_turn_is_deferred() -> None:
    """``wait_for_completion=False`` never defers on a free cluster, and once on a busy one."""
    for busy, deferrals in ((False, 0), (True, 1)):
        with new_world() as world:
            if busy:
                _busy_for(world, 100)
            outcome, seen = world.run(deferrable=True, wait_for_completion=False), 0
            while outcome.deferral is not None:
                outcome, seen = _step(world, outcome, wait_for_completion=False), seen + 1
        assert (outcome.state, seen) == ("success", deferrals)
        assert outcome.xcom["snapshot"]["status"] == "BUILDING"


def test_what_is_there_and_good_is_adopted_without_deferring(world: World) -> None:
    """A retry that finds its snapshot completed ends in its first step; while it is building it defers for its end."""
    first = world.run(deferrable=True, retries=1)
    again = world.run(TaskRun(try_number=2), deferrable=True, retries=1)
    assert _deferral(again).classpath == END
    assert again.xcom["backup_id"] == first.xcom["backup_id"]
    world.clock.sleep(1_000)
    last = world.run(TaskRun(try_number=2), deferrable=True, retries=1)
    assert (last.state, last.xcom["return_value"]) == ("success", first.xcom["backup_id"])
    assert world.emulator.count(CREATE) == 1


def test_a_lost_turn_is_waited_for_again_with_the_same_place(world: World) -> None:
    """When another is faster the task defers again: the same time of asking, the same deadline, no second creation."""
    _busy_for(world, 100)
    first = world.run(deferrable=True)
    event = _event(world, first)
    _busy_for(world, 100)
    second = resume_task(world.operator(deferrable=True), None, first, event)
    assert _deferral(second).classpath == IDLE
    for name in ("asked_at", "deadline", "name"):
        assert _deferral(second).arguments[name] == _deferral(first).arguments[name]
    assert run_in_virtual_time(world.clock, lambda: world.go_on(second)).state == "success"
    assert len(world.emulator.snapshots()) == 3


def test_with_no_time_for_the_turn_busy_fails_at_once(world: World) -> None:
    """``turn_timeout=0`` leaves busy to Airflow's retry, without deferring."""
    _busy_for(world, 100)
    outcome = world.run(deferrable=True, turn_timeout=0, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssBusyError)


def test_a_late_turn_names_what_is_in_the_way(world: World) -> None:
    """The deadline of the turn counts from the first asking, over all deferrals, and a retry begins anew."""
    _busy_for(world, 90_000)
    outcome = world.play(deferrable=True, turn_timeout=1_800, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssWaitTimeoutError)
    assert "within 30 min; in the way: strangers" in str(outcome.error)


def test_contradictions_are_counted_over_deferrals(world: World) -> None:
    """Busy of an idle cluster is put off ever longer over many deferrals, and given up after ten contradictions."""
    world.emulator.faults.busy(times=None)
    outcome = world.play(deferrable=True, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssBusyError)
    assert "more than 10 times in a row" in str(outcome.error)
    sent = [seen.at for seen in world.emulator.requests if seen.call == CREATE]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(sent)]
    assert len(sent) == 12
    expected = [0, 5, 10, 20, 40, *[60] * 6]
    assert all(wanted <= gap <= wanted + 5 for wanted, gap in zip(expected, gaps, strict=True)), gaps


def test_airflow_s_own_deadline_comes_five_minutes_after_ours(world: World) -> None:
    """The trigger tells of a time-out first, with the last state; Airflow's own comes only if it is silent."""
    _busy_for(world, 500)
    first = world.run(deferrable=True, timeout=1_000, turn_timeout=2_000)
    assert _deferral(first).timeout == pytest.approx(2_300, abs=1)
    second = _step(world, first, timeout=1_000, turn_timeout=2_000)
    assert _deferral(second).timeout == 1_300


def test_changed_keys_and_a_busy_cluster_meet(world: World) -> None:
    """Keys that are refused at the turn are read anew, and a busy that comes then is waited for, not failed."""
    _busy_for(world, 100)
    first = world.run(deferrable=True)
    event = _event(world, first)
    _busy_for(world, 100)
    right = os.environ["AIRFLOW_CONN_CSS_DEFAULT"]
    old = json.loads(right)
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps({**old, "password": f"old-{uuid4()}"})
    task = world.operator(deferrable=True)
    # The hook reads the old keys, then the connection is changed, then they are used.
    hook_class = task.hook_class

    class HookThatReadEarly(hook_class):  # type: ignore[misc, valid-type] # the world's own
        def get_conn(self) -> Any:
            client = super().get_conn()
            os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = right
            return client

    type(task).hook_class = HookThatReadEarly
    second = resume_task(task, None, first, event)
    assert _deferral(second).classpath == IDLE


@pytest.mark.parametrize("event", [None, "x", 5, [], {}, {"status": "success"}, {"outcome": "ended"}])
@pytest.mark.parametrize("at", ["turn", "end"])
def test_an_event_that_is_none_is_refused_with_a_way_out(world: World, at: str, event: Any) -> None:
    """Whatever else arrives, the task is retried and says what to do; its ids stay in XCom."""
    if at == "turn":
        _busy_for(world, 100)
    deferred = world.run(deferrable=True, retries=1)
    outcome = resume_task(world.operator(deferrable=True, retries=1), None, deferred, event)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssReplyError)
    assert "restart the triggerer; the retry finds the snapshot" in str(outcome.error)
    assert outcome.xcom == deferred.xcom


def test_the_end_of_another_snapshot_is_no_end(world: World) -> None:
    """An event whose snapshot is not the one that was waited for is refused."""
    deferred = world.run(deferrable=True, retries=1)
    event = _event(world, deferred)
    event["snapshot"]["id"] = "another"
    outcome = resume_task(world.operator(deferrable=True, retries=1), None, deferred, event)
    assert isinstance(outcome.error, CssReplyError)


def _examples() -> list[CssError]:
    """Return an error of each class that can be built alike, curable and not."""
    built: list[CssError] = [errors.CssTransportError("no answer"), errors.CssConfigError("no region")]
    built += [CssSnapshotFailedError("bad", None, curable=curable) for curable in (True, False)]
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.CssApiError):
            built += [kind(ErrorReply(400, "CSS.0001", "said"), "do it", curable=curable) for curable in (True, False)]
    return built


@pytest.mark.parametrize("error", _examples(), ids=lambda error: f"{type(error).__name__}-{error.curable}")
def test_an_error_of_the_trigger_fails_like_one_of_the_worker(world: World, error: CssError) -> None:
    """The same class and text arrive; what a retry cures is retried, the rest fails for good, with the night's line."""
    deferred = world.run(deferrable=True, retries=1)
    event = {"outcome": FAILED, "error": write_error(error), "carry": _deferral(deferred).arguments["carry"]}
    with reading_the_log() as log:
        outcome = resume_task(world.operator(deferrable=True, retries=1), None, deferred, event)
    arrived = outcome.error if error.curable else getattr(outcome.error, "__cause__", None)
    assert outcome.state == ("up_for_retry" if error.curable else "failed")
    assert isinstance(outcome.error, AirflowFailException) is not error.curable
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    (line,) = log.having("Newest good backup:", "error")
    assert f"({deferred.xcom['backup_id']})" in line.text


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (lambda world: world.emulator.faults.fate("failed"), CssSnapshotFailedError),
        (lambda world: world.emulator.faults.fate("vanish"), CssSnapshotFailedError),
        (lambda world: world.emulator.faults.fate("empty"), CssSnapshotFailedError),
        (lambda world: world.emulator.faults.fate("stuck"), CssWaitTimeoutError),
        (lambda world: world.emulator.faults.answer(500, call="list_snapshots", times=None), CssServerError),
        (lambda world: world.emulator.change_cluster(status="303", actions=("REBOOTING",)), CssStateError),
    ],
    ids=["failed", "vanish", "empty", "stuck", "500", "down"],
)
def test_worker_and_triggerer_fail_alike(script: Callable[[World], Any], error: type[CssError]) -> None:
    """The same trouble ends in the same state with the same class of error, wherever one waits."""
    seen = []
    for is_deferrable in (False, True):
        with new_world() as world:
            script(world)
            outcome = world.play(deferrable=is_deferrable, timeout=900, retries=1)
        cause = outcome.error if isinstance(outcome.error, CssError) else getattr(outcome.error, "__cause__", None)
        assert isinstance(cause, error), outcome.error
        seen.append((outcome.state, type(cause), cause.curable))
    assert seen[0] == seen[1]


def test_many_tasks_in_one_loop_take_their_turns_in_order() -> None:
    """Tasks that meet at a busy cluster go one by one as they came, with two POSTs and three worker starts each."""
    play_many(number=30)


@pytest.mark.heavy
def test_three_hundred_tasks_on_one_busy_cluster() -> None:
    """Three hundred tasks: at most two POSTs per turn, three worker starts per task, and the order of arrival."""
    play_many(number=300)


def play_many(number: int) -> None:
    """Play many tasks on one cluster in one loop, and hold the run against the bounds."""
    starts = 0
    ended: list[int] = []
    with new_world(creation_takes=20.0) as world:
        _busy_for(world, 60)

        async def one(place: int) -> None:
            nonlocal starts
            await asyncio.sleep(place / 10)
            run = TaskRun(run_id=f"run-{place:03}")
            outcome, starts = run_task(world.operator(deferrable=True, turn_timeout=90_000), run), starts + 1
            while outcome.deferral is not None:
                event = await event_of(world.trigger(outcome.deferral), outcome.deferral.timeout)
                task = world.operator(deferrable=True, turn_timeout=90_000)
                outcome, starts = resume_task(task, run, outcome, event), starts + 1
            assert outcome.state == "success", outcome.error
            ended.append(place)

        async def main() -> None:
            await asyncio.gather(*(one(place) for place in range(number)))

        run_in_virtual_time(world.clock, main)
        posts, made = world.emulator.count(CREATE), len(world.emulator.snapshots()) - 1
    per_turn, per_task = posts / number, starts / number
    print(f"tasks {number}: POSTs per turn {per_turn:.2f}, worker starts per task {per_task:.2f}")  # noqa: T201 - to be read
    assert made == number
    assert per_turn <= 2
    assert per_task <= 3
    assert ended == sorted(ended)
