"""A delete task from its first look to its end, in the worker and through the triggerer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_css.operators.snapshot import DeleteSnapshotOperator
from airflow_css.protocol.errors import (
    CssBusyError,
    CssError,
    CssNotFoundError,
    CssStateError,
    CssUsageError,
    CssWaitTimeoutError,
)
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from tests.running import Outcome, TaskRun
from tests.task_log import reading_the_log
from tests.world import DeferringWorld, World, new_world

DELETE = "delete_snapshot"
MISSING_ID = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
HELD = write_mark(make_mark(RunIdentity("prod", "orders_etl", "backup", "manual__1"), None, hold=True))


@pytest.fixture(params=[World, DeferringWorld], ids=["worker", "triggerer"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world whose tasks wait in the worker, and one whose tasks wait in the triggerer."""
    with new_world(kind=request.param) as world:
        yield world


def _delete(world: World, run: TaskRun | None = None, **parameters: Any) -> Outcome:
    return world.run(run, **{"operator_class": DeleteSnapshotOperator, "task_id": "delete", **parameters})


def _names(world: World) -> list[str]:
    return [snapshot.name for snapshot in world.emulator.snapshots()]


def _error(outcome: Outcome) -> CssError:
    """Return our error, also when it stands behind Airflow's."""
    error = outcome.error
    found = error if isinstance(error, CssError) else getattr(error, "__cause__", None)
    assert isinstance(found, CssError), error
    return found


def test_it_is_gone_and_the_xcom_says_so(world: World) -> None:
    """One deletion by id is sent, the others stay, and the result is plain facts."""
    wanted = world.emulator.add_snapshot("orders")
    world.emulator.add_snapshot("customers")
    outcome = _delete(world, snapshot_id=wanted)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"] == {
        "snapshot_id": wanted,
        "name": "orders",
        "cluster_id": world.emulator.cluster_id,
        "deleted": True,
        "was_missing": False,
    }
    assert _names(world) == ["customers"]
    assert world.emulator.count(DELETE) == 1


def test_a_name_is_folded_and_the_change_is_logged(world: World) -> None:
    """A name that CSS would refuse finds the snapshot that a creation under it made."""
    world.emulator.add_snapshot("nightly-orders")
    with reading_the_log() as log:
        outcome = _delete(world, snapshot_name="Nightly Orders")
    assert outcome.state == "success"
    assert _names(world) == []
    assert log.having("'nightly-orders' is used", "info")


def test_what_lingers_is_waited_for(world: World) -> None:
    """A snapshot that CSS lists for ten more minutes is awaited, with one line for what is still there."""
    wanted = world.emulator.add_snapshot("orders")
    world.emulator.faults.slow_deletion(600)
    began = world.clock.now()
    outcome = _delete(world, snapshot_id=wanted)
    assert outcome.state == "success"
    assert 600 <= (world.clock.now() - began).total_seconds() <= 700
    assert world.emulator.count(DELETE) == 1


def test_what_never_goes_fails_the_try_with_the_time(world: World) -> None:
    """After ``timeout`` the try fails, curably, and says that CSS accepted the deletion."""
    wanted = world.emulator.add_snapshot("orders")
    world.emulator.faults.slow_deletion(9_000)
    outcome = _delete(world, snapshot_id=wanted, timeout=600, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(_error(outcome), CssWaitTimeoutError)
    assert "accepted the deletion of orders" in str(outcome.error)


@pytest.mark.parametrize("state", [{"status": "BUILDING", "takes": 900}, {"restore_status": "restoring"}])
def test_what_is_at_work_is_waited_for_before_anything_is_sent(world: World, state: dict[str, Any]) -> None:
    """No deletion is sent as long as the snapshot is made; one that stays at work runs into ``turn_timeout``."""
    wanted = world.emulator.add_snapshot("orders", **state)
    outcome = _delete(world, snapshot_id=wanted, turn_timeout=1_000, retries=1)
    if state.get("status"):
        assert outcome.state == "success"
        assert world.emulator.count(DELETE) == 1
    else:
        assert outcome.state == "up_for_retry"
        assert isinstance(_error(outcome), CssWaitTimeoutError)
        assert f"at the last look: orders ({wanted}) is being restored" in str(outcome.error)
        assert "turn_timeout" in str(outcome.error)
        assert world.emulator.count(DELETE) == 0


def test_without_time_for_the_turn_it_fails_at_once(world: World) -> None:
    """``turn_timeout=0`` leaves a snapshot in work to Airflow's retry."""
    wanted = world.emulator.add_snapshot("orders", status="BUILDING")
    began = world.clock.now()
    outcome = _delete(world, snapshot_id=wanted, turn_timeout=0, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(_error(outcome), CssBusyError)
    assert world.clock.now() == began
    assert world.emulator.count(DELETE) == 0


def test_a_missing_one_is_a_success_unless_it_matters(world: World) -> None:
    """What the list does not show is nothing to delete: a success by default, else a failure that no retry cures."""
    outcome = _delete(world, snapshot_id=MISSING_ID)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["was_missing"] is True
    assert outcome.xcom["return_value"]["deleted"] is False
    outcome = _delete(world, snapshot_id=MISSING_ID, ignore_missing=False, retries=1)
    assert outcome.state == "failed"
    assert isinstance(_error(outcome), CssNotFoundError)
    assert world.emulator.count(DELETE) == 0


def test_a_retry_that_finds_it_missing_is_done(world: World) -> None:
    """An earlier try of the same life may have deleted it; the first try after a clear may not."""
    with reading_the_log() as log:
        again = _delete(world, TaskRun(try_number=2), snapshot_id=MISSING_ID, ignore_missing=False, retries=3)
    assert again.state == "success"
    assert again.xcom["return_value"]["was_missing"] is True
    assert log.having("an earlier try of this task may have deleted it", "warning")
    cleared = TaskRun(try_number=3, max_tries=5)
    assert _delete(world, cleared, snapshot_id=MISSING_ID, ignore_missing=False, retries=3).state == "failed"


def test_a_held_one_is_refused_with_the_way_out(world: World) -> None:
    """What was made with ``hold=True``, or bears a mark of another version, stays, and nothing is sent."""
    for description in (f"before the load {HELD}", "x [af9 e3b0c4 11dd4677]"):
        wanted = world.emulator.add_snapshot("orders", description=description)
        outcome = _delete(world, snapshot_id=wanted, retries=1)
        assert outcome.state == "failed"
        assert isinstance(_error(outcome), CssStateError)
        assert "console" in str(outcome.error)
    assert len(_names(world)) == 2
    assert world.emulator.count(DELETE) == 0


@pytest.mark.parametrize(
    ("is_on", "allowed", "state", "says"),
    [
        (True, False, "failed", "automatic creation is on"),
        (True, True, "failed", "automatic creation is on"),
        (False, False, "failed", "allow_automatic=True"),
        (False, True, "success", ""),
    ],
)
def test_an_automatic_one_goes_only_when_the_policy_is_off(
    world: World,
    is_on: bool,  # noqa: FBT001 - a table's column
    allowed: bool,  # noqa: FBT001 - a table's column
    state: str,
    says: str,
) -> None:
    """While the policy is on it never goes; when it is off it goes if the user says so."""
    world.emulator.policy(enabled=is_on)
    wanted = world.emulator.add_snapshot("snapshot-1", frequency="DAY")
    outcome = _delete(world, snapshot_id=wanted, allow_automatic=allowed, retries=1)
    assert outcome.state == state
    assert says in str(outcome.error)
    assert world.emulator.count(DELETE) == (1 if state == "success" else 0)


def test_the_policy_is_only_asked_for_automatic_ones(world: World) -> None:
    """Keys that may not read the policy can delete what was made by hand; an automatic one then stays."""
    world.emulator.faults.answer(403, "CSS.0010", call="get_snapshot_policy", times=None)
    by_hand = world.emulator.add_snapshot("orders")
    automatic = world.emulator.add_snapshot("snapshot-1", frequency="DAY")
    assert _delete(world, snapshot_id=by_hand).state == "success"
    assert _delete(world, snapshot_id=automatic, allow_automatic=True).state == "failed"
    assert _names(world) == ["snapshot-1"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"snapshot_id": ""},
        {"snapshot_id": "  "},
        {"snapshot_id": "None"},
        {"snapshot_id": "{{ none }}"},
        {"snapshot_id": "../index_snapshots"},
        {"snapshot_id": f"{MISSING_ID}/"},
        {"snapshot_id": f"['{MISSING_ID}']"},
        {"snapshot_id": MISSING_ID, "snapshot_name": "orders"},
        {"snapshot_name": ""},
        {"snapshot_name": "--"},
        {"snapshot_id": MISSING_ID, "timeout": 0},
        {"snapshot_id": MISSING_ID, "turn_timeout": -1},
        {"snapshot_id": MISSING_ID, "poll_interval": 0},
        {"snapshot_id": MISSING_ID, "css_conn_id": ""},
        {"snapshot_id": MISSING_ID, "cluster_id": "search-prod"},
    ],
    ids=str,
)
def test_a_bad_value_is_refused_before_anything_is_sent(world: World, parameters: dict[str, Any]) -> None:
    """An id that is empty or none, both ways at once, or a number out of range costs no request."""
    outcome = _delete(world, retries=1, **parameters)
    assert outcome.state == "failed"
    assert isinstance(_error(outcome), CssUsageError)
    assert world.emulator.requests == ()


@pytest.mark.parametrize("value", ["{{ none }}", "{{ '' }}", "{{ [] }}"])
def test_nothing_rendered_natively_is_refused(world: World, value: str) -> None:
    """The same holds where templates render to Python's own values."""
    outcome = _delete(world, is_native=True, snapshot_id=value)
    assert isinstance(_error(outcome), CssUsageError)
    assert world.emulator.requests == ()


def test_another_of_the_same_name_is_left_alone(world: World) -> None:
    """A name counts once: what takes the name while the task waits for its turn is not deleted."""
    wanted = world.emulator.add_snapshot("orders", restore_status="restoring")

    def replace() -> None:
        world.client.delete_snapshot(world.emulator.cluster_id, wanted)
        world.emulator.add_snapshot("orders")

    world.clock.at(300, replace)
    outcome = _delete(world, snapshot_name="orders")
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["snapshot_id"] == wanted
    assert outcome.xcom["return_value"]["deleted"] is False
    assert _names(world) == ["orders"]


def test_a_failure_ends_with_the_line_for_the_night_reader(world: World) -> None:
    """Cluster, snapshot, run and the newest good backup stand in the last line of a failed try."""
    good = world.emulator.add_snapshot("customers")
    wanted = world.emulator.add_snapshot("orders", status="FAILED", description=HELD)
    with reading_the_log() as log:
        _delete(world, snapshot_id=wanted)
    line = log.having("Newest good backup:", "error")[0].text
    for words in (world.emulator.cluster_id, f"orders ({wanted})", "orders_etl/delete", "customers, ", good):
        assert words in line


def test_refused_keys_are_sent_at_most_twice(world: World) -> None:
    """A signature that is refused, with nothing else in the connection, fails the task without a retry."""
    wanted = world.emulator.add_snapshot("orders")
    secret = world.emulator.secret_key
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json().replace(secret, f"{secret}0")
    outcome = _delete(world, snapshot_id=wanted, retries=1)
    assert outcome.state == "failed"
    assert [seen.status for seen in world.emulator.requests] == [401]


@pytest.mark.parametrize("kind", [World, DeferringWorld], ids=["worker", "triggerer"])
def test_keys_may_change_while_it_waits(kind: type[World]) -> None:
    """After a rotation the connection is read once more, and the task goes on."""
    # Keys of its own: a process remembers the refused ones.
    with new_world(kind=kind, access_key=f"rotated-{kind.__name__}") as world:
        wanted = world.emulator.add_snapshot("orders", status="BUILDING", takes=600)

        def rotate() -> None:
            world.emulator.change_keys("other-ak", "another-planted-secret")
            world.connect()

        world.clock.at(60, rotate)
        assert _delete(world, snapshot_id=wanted).state == "success"
        assert [seen.status for seen in world.emulator.requests].count(401) in {1, 2}
        assert _names(world) == []
