"""Waiting in the worker for a cluster to become free, over HTTP and on a clock that waiting turns."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.protocol.errors import CssBusyError, CssStateError, CssWaitTimeoutError
from tests.running import TaskRun, run_task
from tests.task_log import reading_the_log
from tests.world import World, new_world


def _posts(world: World) -> list[float]:
    """Return when creations were sent, in seconds since the first."""
    moments = [seen.at for seen in world.emulator.requests if seen.call == "create_snapshot"]
    return [(moment - moments[0]).total_seconds() for moment in moments]


def _let_a_stranger_begin(world: World, takes: float = 300) -> str:
    return world.emulator.add_snapshot("strangers", status="BUILDING", takes=takes, description="of the other team")


@pytest.mark.parametrize("status", ["200", "100"])
def test_a_stranger_s_snapshot_is_waited_out(status: str) -> None:
    """While a stranger's snapshot is made the task waits, then sends one creation more and succeeds."""
    with new_world(status_while_snapshotting=status) as world:
        _let_a_stranger_begin(world)
        with reading_the_log() as log:
            assert world.run().state == "success"
        posts = _posts(world)
    assert len(posts) == 2
    assert 300 <= posts[1] <= 360
    (line,) = log.having("Waiting for the turn on cluster search-dev")
    assert "in the way: strangers (of the other team)" in line.text


@pytest.mark.parametrize("status", [202, 409])
def test_busy_is_believed_with_either_status(status: int) -> None:
    """A busy cluster is waited for whether it says so with 409, as was seen, or with 202, as is documented."""
    with new_world(busy_status=status) as world:
        _let_a_stranger_begin(world)
        assert world.run().state == "success"
        assert len(world.emulator.snapshots()) == 2


@pytest.mark.parametrize("change", [{"actions": ("GROWING",)}, {"status": "100"}], ids=["action", "status 100"])
def test_another_operation_is_waited_out(world: World, change: dict[str, Any]) -> None:
    """Whatever else runs on the cluster is waited for as well, and named in the log."""
    world.emulator.change_cluster(**change)
    world.clock.at(500, lambda: world.emulator.change_cluster(actions=(), status="200"))
    with reading_the_log() as log:
        assert world.run().state == "success"
    assert _posts(world)[1] >= 500
    assert len(_posts(world)) == 2
    assert log.having("no snapshot is in the way, so it is another operation", "info")


def test_without_waiting_busy_leaves_the_task_to_its_retry(world: World) -> None:
    """With ``turn_timeout=0`` one creation is sent, and the retry is Airflow's."""
    _let_a_stranger_begin(world)
    outcome = world.run(turn_timeout=0, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssBusyError)
    assert len(_posts(world)) == 1
    assert world.clock.slept == []


def test_when_the_time_is_up_the_text_names_what_is_in_the_way(world: World) -> None:
    """At the end of ``turn_timeout`` the message names the snapshot in the way and what to do."""
    _let_a_stranger_begin(world, takes=100_000)
    outcome = world.run(turn_timeout=1800, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssWaitTimeoutError)
    text = str(outcome.error)
    assert "did not become free within 30 min; in the way: strangers (of the other team)." in text
    assert "Raise turn_timeout, or start the tasks of this cluster at different times" in text
    assert len(_posts(world)) == 1
    assert sum(world.clock.slept) == pytest.approx(1800)


def test_when_the_time_is_up_another_operation_is_named_too(world: World) -> None:
    """Where no snapshot is in the way, the message says so."""
    world.emulator.change_cluster(actions=("GROWING",))
    outcome = world.run(turn_timeout=60, retries=1)
    assert "no snapshot is in the way, so it is another operation" in str(outcome.error)


def test_what_is_in_the_way_need_not_be_readable(world: World) -> None:
    """A list that cannot be read does not hide that the time is up."""
    world.emulator.change_cluster(actions=("GROWING",))
    world.emulator.faults.answer(500, call="list_snapshots", skip=1, times=None)
    outcome = world.run(turn_timeout=60, retries=1)
    assert isinstance(outcome.error, CssWaitTimeoutError)
    assert "what is in the way could not be read" in str(outcome.error)


UNFIT = {"status 300": {"status": "300"}, "status 303": {"status": "303"}, "off": {"snapshot_function": False}}
UNFIT_FROM_THE_START = {**UNFIT, "frozen": {"frozen": True}}


@pytest.mark.parametrize("change", UNFIT_FROM_THE_START.values(), ids=UNFIT_FROM_THE_START)
def test_a_cluster_that_is_not_fit_fails_at_once(world: World, change: dict[str, Any]) -> None:
    """A cluster that is down or frozen, or has no snapshot function, fails the task with its first creation."""
    world.emulator.change_cluster(**change)
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssStateError)
    assert len(_posts(world)) == 1
    assert world.clock.slept == []


@pytest.mark.parametrize("change", UNFIT.values(), ids=UNFIT)
def test_a_cluster_that_says_busy_but_is_not_fit_fails_at_once(world: World, change: dict[str, Any]) -> None:
    """After "busy" a look that shows a cluster for which waiting is pointless ends the task."""
    world.emulator.change_cluster(**change)
    world.emulator.faults.busy()
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert isinstance(outcome.error.__cause__, CssStateError)
    assert "search-dev (4f3deec3" in str(outcome.error)
    assert len(_posts(world)) == 1


def test_a_cluster_that_breaks_down_meanwhile_ends_the_wait(world: World) -> None:
    """A cluster that becomes unavailable while its turn is awaited ends the task, with the reason that CSS gives."""
    world.emulator.change_cluster(actions=("GROWING",))
    world.clock.at(100, lambda: world.emulator.change_cluster(actions=(), status="303"))
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert "is unavailable, status 303 (CSS.6000 The cluster is unavailable)" in str(outcome.error)


def test_busy_though_idle_backs_off_and_ends_after_ten_contradictions(world: World) -> None:
    """An idle cluster that is called busy puts the next creation off by 5 s, doubling to 60, ten times at most."""
    world.emulator.faults.busy(times=None)
    with reading_the_log() as log:
        outcome = world.run(retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssBusyError)
    assert "CSS.0011" in str(outcome.error)
    pauses = [later - earlier for earlier, later in pairwise(_posts(world))]
    assert pauses == pytest.approx([5, 10, 20, 40, 60, 60, 60, 60, 60, 60])
    assert "more than 10 times in a row though the cluster shows no action" in str(outcome.error)
    assert len(log.having("CSS says busy (CSS.0011) though the cluster looks idle")) == len(pauses)


def test_a_contradiction_that_passes_costs_one_pause(world: World) -> None:
    """One "busy" of an idle cluster delays the task by five seconds."""
    world.emulator.faults.busy()
    assert world.run(wait_for_completion=False).state == "success"
    assert _posts(world) == pytest.approx([0, 5])


def test_work_in_between_starts_the_count_anew() -> None:
    """Contradictions count only in a row: a cluster that was seen at work in between explains "busy"."""
    with new_world(creation_takes=0) as world:
        world.emulator.faults.busy(times=14)
        for start in (100, 130):
            world.clock.at(start, lambda: _let_a_stranger_begin(world, takes=20))
        assert world.run(wait_for_completion=False).state == "success"


def test_one_s_own_snapshot_is_not_a_turn_to_wait_for(world: World) -> None:
    """When what keeps the cluster busy is this task's own snapshot, the task waits for it, not for the cluster."""
    first = world.run(wait_for_completion=False, retries=1)
    second = world.run(TaskRun(try_number=2), retries=1)
    assert second.state == "success"
    assert second.xcom["backup_id"] == first.xcom["backup_id"]
    assert len(_posts(world)) == 1
    assert world.emulator.count("get_cluster") == 0


def test_looks_for_the_turn_are_forgiven_like_others(world: World) -> None:
    """Ten unanswered looks at the cluster are survived, the eleventh ends the try."""
    _let_a_stranger_begin(world)
    world.emulator.faults.answer(503, call="get_cluster", times=10)
    assert world.run().state == "success"
    _let_a_stranger_begin(world)
    world.emulator.faults.drop(call="get_cluster", times=11)
    outcome = world.run(TaskRun(run_id="manual__other"), retries=1)
    assert outcome.state == "up_for_retry"


def test_the_interval_bounds_the_looks_for_the_turn_too(world: World) -> None:
    """Two looks at the cluster are never closer than ``poll_interval``."""
    _let_a_stranger_begin(world)
    world.run(poll_interval=45)
    moments = [seen.at for seen in world.emulator.requests if seen.call == "get_cluster"]
    assert len(moments) > 3
    assert all((later - earlier).total_seconds() >= 44.9 for earlier, later in pairwise(moments))


def test_keys_that_change_at_each_read_are_tried_twice(world: World) -> None:
    """A backend that gives other keys at each read does not make a refused task ask for ever."""
    real = world.hook_class

    class OtherKeysAtEachRead(real):  # type: ignore[misc, valid-type] # the class is made for this world
        reads = 0

        @classmethod
        def get_connection(cls, conn_id: str) -> Any:
            cls.reads += 1
            connection = super().get_connection(conn_id)
            connection.password = f"wrong-{cls.reads}"
            return connection

    task = world.operator(retries=1)
    type(task).hook_class = OtherKeysAtEachRead
    outcome = run_task(task)

    assert outcome.state == "failed"
    assert "APIGW.0301" in str(outcome.error)
    assert len(world.emulator.requests) == 2
