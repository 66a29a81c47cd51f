"""A list task: what it shows, in which order, and what it refuses before it asks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from airflow_css.operators.snapshot import ListSnapshotsOperator
from airflow_css.protocol.errors import CssAuthError, CssServerError, CssUsageError
from tests.marked import add_history, add_marked
from tests.running import Outcome
from tests.task_log import reading_the_log
from tests.world import World


def _list(world: World, **parameters: Any) -> Outcome:
    return world.run(**{"operator_class": ListSnapshotsOperator, "task_id": "left", **parameters})


def _names(world: World, **parameters: Any) -> list[str]:
    outcome = _list(world, **parameters)
    assert outcome.state == "success", outcome.error
    return [entry["name"] for entry in outcome.xcom["return_value"]]


def test_a_snapshot_is_shown_as_plain_json(world: World) -> None:
    """The facts survive JSON unchanged, and tell state, age, owner and use."""
    wanted = add_marked(world, "orders", 1)
    (entry,) = _list(world).xcom["return_value"]
    assert json.loads(json.dumps(entry)) == entry
    assert (entry["id"], entry["name"], entry["status"]) == (wanted, "orders", "COMPLETED")
    assert (entry["is_good"], entry["is_automatic"], entry["restore_status"]) == (True, False, "none")
    assert entry["cluster_id"] == world.emulator.cluster_id
    assert entry["description"].startswith("made by a test [af1 ")
    assert entry["started_at"].endswith("+00:00")
    assert entry["duration_seconds"] == 60


def test_the_newest_comes_first(world: World) -> None:
    """The order is by age, whatever order CSS lists them in."""
    for name, age in (("b", 2), ("a", 1), ("c", 3)):
        add_marked(world, name, age)
    assert _names(world) == ["a", "b", "c"]


def test_nothing_is_a_list_without_entries(world: World) -> None:
    """A cluster without snapshots, and filters that nothing fits, are no failure."""
    assert _names(world) == []
    add_history(world, 2)
    assert _names(world, kind="automatic") == []


def test_it_only_asks_for_the_list(world: World) -> None:
    """One call, and it changes nothing."""
    add_history(world, 2)
    _list(world, scope="deployment", only_good=True)
    assert [seen.call for seen in world.emulator.requests] == ["list_snapshots"]


def test_filters_add_up(world: World) -> None:
    """What is shown fits all of them."""
    add_history(world, 6)
    add_history(world, 6, "others", dag_id="others")
    names = _names(
        world, scope="dag", older_than="25h", newer_than=timedelta(days=5, hours=1), name_regex="orders-[^3]"
    )
    assert names == ["orders-2", "orders-4", "orders-5"]


@pytest.mark.parametrize("status", ["FAILED,COMPLETED", "failed, completed", ["FAILED", "COMPLETED"]])
def test_several_states_fit(world: World, status: Any) -> None:
    """States may be a list or a text with commas, in any case."""
    add_marked(world, "good", 1)
    add_marked(world, "bad", 2, status="FAILED")
    add_marked(world, "partial", 3, status="PART_FAILED")
    assert _names(world, status=status) == ["good", "bad"]


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (None, ["mine", "task", "dag", "airflow", "hand"]),
        ("package", ["mine", "task", "dag", "airflow"]),
        ("deployment", ["mine", "task", "dag"]),
        ("dag", ["mine", "task"]),
    ],
)
def test_each_scope_reaches_as_far_as_it_says(world: World, scope: str | None, names: list[str]) -> None:
    """The scopes are nested; an Airflow without a name is a deployment as well."""
    add_marked(world, "mine", 1)
    add_marked(world, "task", 2, task_id="another")
    add_marked(world, "dag", 3, dag_id="another")
    add_marked(world, "airflow", 4, deployment="prod")
    world.emulator.add_snapshot("hand", started_at=world.clock.now() - timedelta(days=5))
    assert _names(world, scope=scope) == names


def test_a_task_of_this_dag_can_be_named(world: World) -> None:
    """With the scope ``task`` only what the named tasks made is shown."""
    add_marked(world, "mine", 1)
    add_marked(world, "mapped", 2, task_id="another", map_index=3)
    assert _names(world, scope="task", task_ids=["another"]) == ["mapped"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"status": "GOOD"},
        {"status": ""},
        {"status": 5},
        {"kind": "hand-made"},
        {"scope": "cluster"},
        {"scope": "task"},
        {"task_ids": ["backup"]},
        {"task_ids": "backup", "scope": "task"},
        {"older_than": "soon"},
        {"older_than": 0},
        {"newer_than": True},
        {"newer_than": timedelta(0)},
        {"name_prefix": ""},
        {"name_prefix": "{{ none }}"},
        {"name_regex": "["},
        {"name_regex": "None"},
        {"css_conn_id": "none"},
        {"cluster_id": "search-prod"},
    ],
    ids=str,
)
def test_a_bad_filter_is_refused_before_anything_is_sent(world: World, parameters: dict[str, Any]) -> None:
    """A word or duration that is none fails the task at once, with a legal value."""
    outcome = _list(world, retries=1, **parameters)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, BaseException)
    assert isinstance(outcome.error.__cause__, CssUsageError), outcome.error
    assert "For example:" in str(outcome.error)
    assert world.emulator.requests == ()


def test_a_failing_service_is_left_to_the_retry(world: World) -> None:
    """A server error is curable, a missing permission is not; both end with the line for the night reader."""
    world.connect(deployment="prod")
    world.emulator.faults.answer(500, "CSS.0005", call="list_snapshots", times=None)
    with reading_the_log() as log:
        outcome = _list(world, retries=1)
    assert ". Run: prod/orders_etl/" in log[-1].text
    assert outcome.state == "up_for_retry"
    assert isinstance(outcome.error, CssServerError)
    assert log.having("Newest good backup:", "error")
    world.emulator.faults.clear()
    world.emulator.faults.answer(403, "CSS.0010", call="list_snapshots", times=None)
    outcome = _list(world, retries=1)
    assert outcome.state == "failed"
    assert isinstance(getattr(outcome.error, "__cause__", None), CssAuthError)


def test_a_damaged_state_is_no_good_one(world: World) -> None:
    """It is shown with a word of its own, and left out of those that can be relied on."""
    add_marked(world, "damaged-orders", 1, damaged=True)
    add_marked(world, "orders", 2)
    shown = {entry["name"]: (entry["is_good"], entry["is_damaged"]) for entry in _list(world).xcom["return_value"]}
    assert shown == {"damaged-orders": (False, True), "orders": (True, False)}
    assert _names(world, only_good=True) == ["orders"]
