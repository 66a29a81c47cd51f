"""Never a second restore by mistake: lost answers, killed tries, retries and clears, with and without a memory."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from airflow_css.operators.snapshot import RestoreSnapshotOperator
from airflow_css.protocol.errors import CssStateError, CssTransportError
from airflow_css.version_compat import AIRFLOW_V_3_3_PLUS
from tests.operators.restoring import ANYWHERE, RESTORE, error_of, restore, world_of
from tests.running import Outcome, TaskRun, resume_task, run_task
from tests.task_log import reading_the_log
from tests.virtual_time import run_in_virtual_time
from tests.world import DeferringWorld, World, event_of

IN_PLACE: dict[str, Any] = {"rename_pattern": None, "rename_replacement": None}
REPLACE: dict[str, Any] = {**IN_PLACE, "existing_indices": "replace"}
HARMLESS = pytest.mark.parametrize("how", [{}, REPLACE], ids=["renamed", "replacing"])


class _KilledError(BaseException):
    """Ends a process: nothing that the task does may catch it."""


def _kill(world: World, after: float) -> None:
    def die() -> None:
        raise _KilledError

    world.clock.at(after, die)


def _retry(run: TaskRun, number: int = 2, max_tries: int | None = None) -> TaskRun:
    return TaskRun(try_number=number, max_tries=max_tries, store=run.store)


def _killed_first_try(world: World, after: float, **parameters: Any) -> TaskRun:
    """Play a first try whose process is killed while it waits, and return it."""
    run = TaskRun()
    _kill(world, after)
    with suppress(_KilledError):
        restore(world, run, retries=3, **parameters)
    assert world.emulator.count(RESTORE) == 1
    return run


@ANYWHERE
@HARMLESS
@pytest.mark.parametrize("fault", ["drop", "truncate", "html", "not_json"])
def test_an_answer_lost_after_the_effect_leaves_one_restore(kind: type[World], how: Any, fault: str) -> None:
    """The running restore is found by looking, joined, and waited for."""
    with world_of(kind) as world:
        getattr(world.emulator.faults, fault)(call=RESTORE, when="after")
        outcome = restore(world, **how)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 1


@ANYWHERE
@pytest.mark.parametrize("fault", ["drop", "html"])
def test_an_answer_lost_before_the_effect_leaves_one_restore(kind: type[World], fault: str) -> None:
    """No sign of it for 40 seconds, and no restore of it ever ended well: it is sent once more."""
    with world_of(kind) as world:
        getattr(world.emulator.faults, fault)(call=RESTORE, when="before")
        outcome = restore(world, **IN_PLACE)
        assert outcome.state == "success", outcome.error
        assert (len(world.emulator.restores()), world.emulator.count(RESTORE)) == (1, 2)


@ANYWHERE
@pytest.mark.parametrize(("how", "sent"), [({}, 2), (REPLACE, 2), (IN_PLACE, 1)], ids=["renamed", "replacing", "keep"])
def test_a_fate_that_nothing_tells_is_repeated_only_where_harmless(kind: type[World], how: Any, sent: int) -> None:
    """An instant restore, its answer lost, behind an old ``success``: once more where harmless, otherwise a failure."""
    with world_of(kind) as world, reading_the_log() as log:
        world.emulator.add_snapshot("orders-2", indices="orders-*", restore_status="success")
        world.emulator.faults.restore_fate("success", takes=0)
        world.emulator.faults.drop(call=RESTORE, when="after")
        outcome = restore(world, snapshot_name="orders-2", retries=1, **how)
        assert world.emulator.count(RESTORE) == sent
        if sent == 2:
            assert outcome.state == "success", outcome.error
            assert log.having("The restore is sent once more", "warning")
        else:
            assert outcome.state == "failed"
            assert isinstance(error_of(outcome), CssStateError)
            assert "Look at the indices of the target" in str(outcome.error)


def test_two_lost_answers_leave_it_to_the_next_try() -> None:
    """Within one try the restore is sent twice at the most."""
    with world_of(World) as world:
        world.emulator.faults.drop(call=RESTORE, when="before", times=None)
        outcome = restore(world, retries=1)
        assert isinstance(error_of(outcome), CssTransportError)
        assert outcome.state == "up_for_retry"
        assert world.emulator.count(RESTORE) == 2
        assert world.emulator.restores() == ()


@pytest.mark.parametrize("retried", [World, DeferringWorld], ids=["in the worker", "deferred"])
@pytest.mark.parametrize("how", [{}, REPLACE, IN_PLACE], ids=["renamed", "replacing", "keep"])
def test_a_killed_try_is_joined_while_its_restore_runs(retried: type[World], how: Any) -> None:
    """The next try waits for the same restore, on every Airflow."""
    with world_of(World) as world:
        run = _killed_first_try(world, 100, **how)
        waiting = retried(world.emulator, world.clock)
        outcome = restore(waiting, _retry(run), retries=3, **how)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 1


def _retry_after_the_end(world: World, **parameters: Any) -> Outcome:
    run = _killed_first_try(world, 100, **parameters)
    world.clock.sleep(1_000)
    return restore(world, _retry(run), retries=3, **parameters)


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="Airflow keeps nothing for a task over its tries before 3.3")
@pytest.mark.parametrize("how", [{}, REPLACE, IN_PLACE], ids=["renamed", "replacing", "keep"])
def test_a_restore_that_ended_meanwhile_is_recognised(how: Any) -> None:
    """Killed while waiting, retried after the end: the restore is not sent again."""
    with world_of(World) as world:
        outcome = _retry_after_the_end(world, **how)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 1


@pytest.mark.skipif(AIRFLOW_V_3_3_PLUS, reason="Airflow 3.3 remembers")
@HARMLESS
def test_without_a_memory_a_harmless_one_is_repeated_once(how: Any) -> None:
    """On earlier versions a second try repeats with a warning, a third one never does."""
    with world_of(World) as world, reading_the_log() as log:
        assert _retry_after_the_end(world, **how).state == "success"
        assert len(world.emulator.restores()) == 2
        assert log.having("The restore is sent once more", "warning")
        third = restore(world, TaskRun(try_number=3), retries=3, **how)
        assert isinstance(error_of(third), CssStateError)
        assert len(world.emulator.restores()) == 2


@pytest.mark.skipif(AIRFLOW_V_3_3_PLUS, reason="Airflow 3.3 remembers")
def test_without_a_memory_a_harmful_one_is_not_repeated() -> None:
    """On earlier versions a second try fails where another restore could do harm."""
    with world_of(World) as world:
        outcome = _retry_after_the_end(world, **IN_PLACE)
        assert isinstance(error_of(outcome), CssStateError)
        assert len(world.emulator.restores()) == 1


@pytest.mark.parametrize("how", [{}, REPLACE, IN_PLACE], ids=["renamed", "replacing", "keep"])
def test_a_cleared_task_restores_again(how: Any) -> None:
    """A clear is a new order: what an earlier life restored does not count."""
    with world_of(World) as world:
        first = TaskRun()
        assert restore(world, first, **how).state == "success"
        assert restore(world, _retry(first, max_tries=1), **how).state == "success"
        assert len(world.emulator.restores()) == 2


def test_a_try_that_never_sent_anything_leaves_no_suspicion() -> None:
    """A first try that ended before the call, behind an old ``success``: the second one sends, where it can know."""
    with world_of(World) as world:
        world.emulator.add_snapshot("orders-2", restore_status="success")
        run = TaskRun()
        world.emulator.faults.busy(call=RESTORE, times=None)
        assert restore(world, run, snapshot_name="orders-2", turn_timeout=0, retries=3, **IN_PLACE).error
        world.emulator.faults.clear()
        outcome = restore(world, _retry(run), snapshot_name="orders-2", retries=3, **IN_PLACE)
        assert (outcome.state == "success") is AIRFLOW_V_3_3_PLUS
        assert len(world.emulator.restores()) == (1 if AIRFLOW_V_3_3_PLUS else 0)


def test_another_s_restore_of_the_snapshot_is_not_taken_for_ours() -> None:
    """On a first try a restore that runs already is a stranger's: it is waited out, then ours is sent."""
    with world_of(World) as world:
        (snapshot,) = world.emulator.snapshots()
        cluster_id = world.emulator.cluster_id
        world.client.restore_snapshot(
            cluster_id, snapshot.id, target_cluster_id=cluster_id, rename_pattern="(.+)", rename_replacement="other-$1"
        )
        outcome = restore(world)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 2
        assert outcome.xcom["return_value"]["duration_seconds"] >= 300


def test_a_failed_restore_is_begun_anew_by_a_retry() -> None:
    """What failed is over: the second try sends another one, also where Airflow remembers the first."""
    with world_of(World) as world:
        run = TaskRun()
        world.emulator.faults.restore_fate("failed")
        assert restore(world, run, retries=1).state == "up_for_retry"
        assert restore(world, _retry(run), retries=1).state == "success"
        assert len(world.emulator.restores()) == 2


@ANYWHERE
@pytest.mark.parametrize("fault", ["throttle", "html", "drop", "truncate", "not_json"])
@pytest.mark.parametrize("call", ["list_snapshots", "get_cluster"])
def test_a_bad_moment_while_waiting_is_forgiven(kind: type[World], fault: str, call: str) -> None:
    """Three looks in a row without an answer change nothing, whichever look it is."""
    with world_of(kind) as world:
        world.clock.at(60, lambda: getattr(world.emulator.faults, fault)(call=call, times=3))
        outcome = restore(world)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 1


@ANYWHERE
@pytest.mark.parametrize("call", ["list_snapshots", "get_cluster"])
def test_an_endless_bad_moment_ends_the_wait(kind: type[World], call: str) -> None:
    """A look that never answers again ends the wait with its error, although the other one goes on answering."""
    with world_of(kind) as world:
        world.emulator.faults.restore_fate("stuck")
        world.clock.at(60, lambda: world.emulator.faults.html(call=call, times=None))
        began = world.clock.now()
        outcome = restore(world, retries=1)
        assert outcome.state == "up_for_retry"
        assert "HTTP 502" in str(outcome.error)
        assert (world.clock.now() - began).total_seconds() <= 60 + 1_200


@ANYWHERE
def test_keys_that_change_while_it_waits_are_picked_up(kind: type[World]) -> None:
    """The connection is read again after a 401; with the new keys the wait goes on."""
    # Keys of its own: the process remembers refused ones, for the other tests as well.
    with world_of(kind, access_key=f"restore-ak-{kind.__name__}") as world:

        def rotate() -> None:
            world.emulator.change_keys("other-ak", "another-planted-secret")
            world.connect()

        world.clock.at(60, rotate)
        outcome = restore(world)
        assert outcome.state == "success", outcome.error
        assert len(world.emulator.restores()) == 1


class _PoisonedError(AssertionError):
    """A template field was read after a resume."""


def _poisoned(task: Any) -> Any:
    """Return the task, none of whose template fields may be read any more."""

    def refuse(_self: object) -> Any:
        raise _PoisonedError

    fields = {name: property(refuse, lambda _self, _value: None) for name in type(task).template_fields}
    task.__class__ = type("Poisoned", (type(task),), {**fields, "template_fields": ()})
    return task


@pytest.mark.parametrize("ending", ["success", "failed"])
def test_no_template_field_is_read_after_a_resume(ending: Any) -> None:
    """Turn, restore, end and the line for the night reader need nothing that was rendered anew."""
    parameters: dict[str, Any] = {
        "operator_class": RestoreSnapshotOperator,
        "task_id": "restore",
        "target_cluster_id": "same",
        "snapshot_name": "orders-1",
        "rename_pattern": "(.+)",
        "rename_replacement": "restored-$1",
        "deferrable": True,
    }
    with world_of(World) as world:
        world.emulator.add_snapshot("strangers", status="BUILDING", takes=500)
        world.emulator.faults.restore_fate(ending)
        outcome = run_task(world.operator(**parameters))
        resumed = 0
        while outcome.deferral is not None:
            waits: Any = outcome.deferral
            event = run_in_virtual_time(world.clock, partial(event_of, world.trigger(waits)))
            outcome = resume_task(_poisoned(world.operator(**parameters)), None, outcome, event)
            resumed += 1
        assert resumed == 2
        assert not isinstance(outcome.error, _PoisonedError)
        assert outcome.state == ("success" if ending == "success" else "failed"), outcome.error
        assert len(world.emulator.restores()) == 1


def test_the_poison_works() -> None:
    """A first step that reads its fields is noticed, so that a resumed one would be, too."""
    with world_of(World) as world:
        task = world.operator(operator_class=RestoreSnapshotOperator, task_id="restore", target_cluster_id="same")
        assert isinstance(run_task(_poisoned(task)).error, _PoisonedError)
