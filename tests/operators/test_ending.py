"""Waiting in the worker for a snapshot's end, over HTTP and on a clock that waiting turns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.protocol.errors import CssSnapshotFailedError, CssWaitTimeoutError
from tests.running import Outcome, TaskRun
from tests.task_log import reading_the_log
from tests.world import World, new_world

RETRY = TaskRun(try_number=2)


def _looks(world: World) -> list[float]:
    """Return when the list was read, in seconds since the creation was accepted."""
    seen = world.emulator.requests
    made = next(s.at for s in seen if s.call == "create_snapshot")
    return [(s.at - made).total_seconds() for s in seen if s.call == "list_snapshots"]


def _dateless_list(world: World) -> str:
    """Return a list that shows the one snapshot without any date."""
    (snapshot,) = world.emulator.snapshots()
    shown = {"id": snapshot.id, "name": snapshot.name, "status": "BUILDING", "description": snapshot.description}
    return json.dumps({"backups": [shown]})


def _error(outcome: Outcome) -> BaseException:
    """Return our error, also when it stands behind Airflow's."""
    assert outcome.error is not None
    is_final = isinstance(outcome.error, AirflowFailException)
    assert outcome.state == ("failed" if is_final else "up_for_retry")
    error = outcome.error.__cause__ if is_final else outcome.error
    assert error is not None
    return error


def test_a_good_end_is_a_success(world: World) -> None:
    """A snapshot that completes makes the task succeed, with the facts as CSS lists them."""
    outcome = world.run()
    assert outcome.state == "success"
    assert outcome.xcom["snapshot"]["status"] == "COMPLETED"
    assert outcome.xcom["snapshot"]["total_shards"] == 8


def test_a_failed_one_leaves_the_task_to_its_retry_which_makes_another(world: World) -> None:
    """A snapshot that fails ends the try; the retry passes it over, says so, and makes a second one."""
    world.emulator.faults.fate("failed")
    first = world.run(retries=1)
    error = _error(first)
    assert isinstance(error, CssSnapshotFailedError)
    assert first.state == "up_for_retry"
    assert "is no backup: CSS reports FAILED. A retry makes another one" in str(error)
    assert error.snapshot is not None
    assert error.snapshot.id == first.xcom["backup_id"]
    with reading_the_log() as log:
        second = world.run(RETRY, retries=1)
    assert second.state == "success"
    assert second.xcom["snapshot_name"] == f"{first.xcom['snapshot_name']}-2"
    assert log.having(f"({first.xcom['backup_id']}) of this task was passed over: CSS reports FAILED", "warning")


def test_a_partial_one_is_no_backup_unless_it_is_allowed(world: World) -> None:
    """A partial snapshot ends the try and says how many shards failed."""
    world.emulator.faults.fate("part_failed", failed_shards=2)
    error = _error(world.run(retries=1))
    assert "is no backup: it is partial (PART_FAILED: 2 of 8 shards failed)" in str(error)


def test_a_partial_one_that_is_allowed_is_a_success(world: World) -> None:
    """With ``allow_partial`` the same snapshot is good, and the facts show the failed shards."""
    world.emulator.faults.fate("part_failed", failed_shards=2)
    outcome = world.run(allow_partial=True)
    assert outcome.state == "success"
    assert outcome.xcom["snapshot"]["failed_shards"] == 2


def test_an_empty_one_fails_for_good(world: World) -> None:
    """A snapshot without shards fails without a retry, since another would be empty too."""
    world.emulator.faults.fate("empty")
    error = _error(world.run(retries=1))
    assert "it is empty: it has no shards, so nothing was backed up. Correct the index list" in str(error)
    assert isinstance(error, CssSnapshotFailedError)
    assert not error.curable


@pytest.mark.parametrize(("indices", "missing"), [("orders-*,nothing-*", "nothing-*"), (["gone", ".kibana"], "gone")])
def test_a_name_or_pattern_without_an_index_fails_for_good(world: World, indices: Any, missing: str) -> None:
    """A requested name or pattern that matches nothing fails the task, and names it."""
    outcome = world.run(retries=1, indices=indices)
    assert outcome.state == "failed"
    assert f"no index in it matches {missing}; it has " in str(outcome.error)


@pytest.mark.parametrize("parameters", [{}, {"indices": "orders-*,nothing-*"}], ids=["no shard", "no index"])
def test_an_empty_one_is_good_when_that_is_allowed(world: World, parameters: dict[str, Any]) -> None:
    """Without ``fail_if_empty`` neither a snapshot without shards nor a pattern without an index fails."""
    if not parameters:
        world.emulator.faults.fate("empty")
    assert world.run(fail_if_empty=False, **parameters).state == "success"


def test_an_exclusion_needs_no_index(world: World) -> None:
    """An exclusion asks for nothing, so it may match nothing."""
    assert world.run(indices="*,-tmp-*").state == "success"


def test_an_unknown_word_is_waited_out_with_one_warning(world: World) -> None:
    """A status word that CSS adds later is warned of once, and the wait goes on to the end that is known."""
    word = '{"backups": [{"id": "%s", "name": "n", "status": "POLISHING"}]}'
    world.clock.at(5, lambda: world.emulator.faults.answer(200, body=word % world.emulator.snapshots()[0].id, times=5))
    with reading_the_log() as log:
        assert world.run().state == "success"
    (line,) = log.having("POLISHING", "warning")
    assert "a word that is not known; waiting on" in line.text


def test_a_vanished_one_ends_the_try_with_the_likely_causes(world: World) -> None:
    """A snapshot that is missing from two lists ends the try, and the message lists what may have happened."""
    world.emulator.faults.fate("vanish", takes=60)
    error = _error(world.run(retries=1))
    assert isinstance(error, CssSnapshotFailedError)
    assert "is not listed any more, so nothing proves that a backup exists. Likely causes: " in str(error)
    missed = [moment for moment in _looks(world) if moment >= 60]
    assert missed[-1] - missed[0] >= 10


def test_one_that_vanishes_at_once_gets_30_seconds(world: World) -> None:
    """Nothing is called gone before 30 seconds have passed since the creation: a list may lag behind."""
    world.emulator.faults.fate("vanish", takes=0)
    _error(world.run(retries=1))
    assert 30 <= _looks(world)[-2] <= 45


def test_one_missing_look_is_not_gone(world: World) -> None:
    """A list that misses the snapshot once does not end the wait."""
    world.emulator.faults.answer(200, body='{"backups": []}', call="list_snapshots", skip=8)
    assert world.run().state == "success"


def test_a_stuck_one_ends_with_what_to_do(world: World) -> None:
    """At the time-out the message gives status, age, the usual duration and the way out; the retry may cure it."""
    world.emulator.faults.fate("stuck")
    error = _error(world.run(retries=1, timeout=7200))
    assert isinstance(error, CssWaitTimeoutError)
    assert "did not end within 2 h: it is BUILDING for 2 h; its usual duration is not known" in str(error)
    assert "CSS goes on with it, and a retry adopts it; raise timeout if it is merely large" in str(error)
    # CSS tells its moments in whole milliseconds. The night reader's look comes at the same moment.
    assert 7199.9 <= _looks(world)[-2] <= 7201


def test_the_usual_duration_is_part_of_the_time_out_s_text(world: World) -> None:
    """Where two good ones of the same request are known, the message says how long it usually takes."""
    for number in range(2):
        assert world.run(TaskRun(run_id=f"manual__{number}")).state == "success"
    world.emulator.faults.fate("stuck")
    assert "usually it takes 5 min" in str(_error(world.run(retries=1, timeout=3600)))


def test_the_time_out_counts_from_the_snapshot_s_own_start(world: World) -> None:
    """A retry does not extend the time-out: it looks once more and ends."""
    world.emulator.faults.fate("stuck")
    world.run(retries=1, timeout=1000)
    before = world.clock.now()
    outcome = world.run(RETRY, retries=2, timeout=1000)
    assert outcome.state == "up_for_retry"
    assert world.clock.now() == before
    assert world.emulator.count("create_snapshot") == 1


def test_one_without_any_date_is_not_waited_for_for_ever(world: World) -> None:
    """A snapshot that is adopted while CSS gives no date of it is waited for from the first look on."""
    world.emulator.faults.fate("stuck")
    made = world.run(wait_for_completion=False, retries=1)
    world.emulator.faults.answer(200, body=_dateless_list(world), call="list_snapshots", times=300)
    outcome = world.run(RETRY, retries=2, timeout=1000)
    assert isinstance(outcome.error, CssWaitTimeoutError)
    assert made.xcom["backup_id"] == outcome.xcom["backup_id"]
    assert world.emulator.count("list_snapshots") < 200


def test_a_retry_uses_what_is_left_of_the_time(world: World) -> None:
    """A retry within the time waits only for the rest of it."""
    world.emulator.faults.fate("stuck")
    world.run(retries=1, timeout=1000)
    outcome = world.run(RETRY, retries=1, timeout=1500)
    assert isinstance(outcome.error, CssWaitTimeoutError)
    began = world.emulator.snapshots()[0].began_at
    assert began is not None
    assert timedelta(seconds=1499.9) <= world.clock.now() - began <= timedelta(seconds=1502)


def test_a_good_end_seen_after_the_deadline_is_good(world: World) -> None:
    """A retry that comes long after the deadline and finds the snapshot complete succeeds."""
    world.run(retries=1, timeout=100)
    world.clock.sleep(10_000)
    assert world.run(RETRY, retries=1, timeout=100).state == "success"
    assert world.emulator.count("create_snapshot") == 1


def test_a_good_end_at_the_deadline_itself_is_good(world: World) -> None:
    """The wait ends with a look at the deadline, and what that shows counts."""
    assert world.run(timeout=300.5).state == "success"


FAULTS: dict[str, Callable[[World], None]] = {
    "429": lambda world: world.emulator.faults.throttle(call="list_snapshots", skip=2, times=10),
    "500": lambda world: world.emulator.faults.answer(500, call="list_snapshots", skip=2, times=10),
    "503 page": lambda world: world.emulator.faults.html(503, call="list_snapshots", skip=2, times=10),
    "dropped": lambda world: world.emulator.faults.drop(call="list_snapshots", skip=2, times=10),
    "truncated": lambda world: world.emulator.faults.truncate(call="list_snapshots", skip=2, times=10),
    "not JSON": lambda world: world.emulator.faults.not_json(call="list_snapshots", skip=2, times=10),
    "busy": lambda world: world.emulator.faults.answer(409, "CSS.0011", call="list_snapshots", skip=2, times=10),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_ten_looks_in_a_row_without_an_answer_are_survived(world: World, fault: Callable[[World], None]) -> None:
    """Ten unanswered looks in a row are told and forgiven, whatever kept the answer away."""
    fault(world)
    with reading_the_log() as log:
        assert world.run().state == "success"
    told = log.having("in a row without an answer", "warning")
    assert [int(n) for line in told for n in re.findall(r"Look (\d+) in a row", line.text)] == list(range(1, 11))


def test_the_eleventh_ends_the_try(world: World) -> None:
    """Eleven unanswered looks in a row end the try with their error, and the retry adopts the snapshot."""
    world.emulator.faults.answer(502, call="list_snapshots", skip=1, times=11)
    first = world.run(retries=1)
    assert first.state == "up_for_retry"
    assert "HTTP 502" in str(first.error)
    second = world.run(RETRY, retries=1)
    assert second.xcom["backup_id"] == first.xcom["backup_id"]
    assert second.state == "success"


def test_an_answer_in_between_starts_the_count_anew() -> None:
    """Looks without an answer count only in a row."""
    with new_world(creation_takes=3600) as world:
        world.emulator.faults.answer(500, call="list_snapshots", skip=2, times=9)
        world.emulator.faults.answer(500, call="list_snapshots", skip=4, times=9)
        assert world.run().state == "success"
        assert [s.status for s in world.emulator.requests].count(500) == 18


def test_looks_far_apart_are_forgiven_for_15_minutes(world: World) -> None:
    """With a long interval fifteen minutes without an answer end the try before ten looks do."""
    world.emulator.faults.fate("stuck")
    world.emulator.faults.answer(500, call="list_snapshots", skip=1, times=None)
    outcome = world.run(retries=1, poll_interval=400)
    assert outcome.state == "up_for_retry"
    assert "HTTP 500" in str(outcome.error)
    assert len([moment for moment in _looks(world)[1:] if moment < 3000]) in {4, 5}


@pytest.mark.parametrize("interval", [1, 30, 200])
def test_the_interval_is_a_lower_bound(world: World, interval: float) -> None:
    """Two looks are never closer to each other than ``poll_interval``."""
    world.run(poll_interval=interval)
    assert all(later - earlier >= interval - 0.001 for earlier, later in pairwise(_looks(world)))


@pytest.mark.parametrize("takes", [2, 30, 300, 3600])
def test_the_lag_is_a_small_share_of_the_duration(takes: float) -> None:
    """An end is seen within a tenth of the duration and three seconds, by a bounded number of looks."""
    with new_world(creation_takes=takes) as world:
        assert world.run().state == "success"
        looks = _looks(world)
    lag = looks[-1] - takes
    print(f"{takes:5} s: {len(looks):3} looks, seen {lag:.1f} s after the end")  # noqa: T201 - a measure for people
    assert 0 <= lag <= 0.1 * takes + 3
    assert len(looks) <= 120


def test_a_known_duration_is_aimed_at(world: World) -> None:
    """Once two like it are known, the end is expected, and seen with less lag."""
    for number in range(2):
        world.run(TaskRun(run_id=f"manual__{number}"))
    began = world.clock.now()
    world.run()
    assert (world.clock.now() - began).total_seconds() - 300 <= 10
