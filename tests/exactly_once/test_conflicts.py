"""A name that is another's: the task fails at once, and the template that its message gives makes it differ."""

from __future__ import annotations

import re
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.protocol.errors import CssConflictError
from tests.exactly_once.tables import description_of, identity
from tests.running import Outcome, TaskRun
from tests.world import World

NAME = "before-the-load"
RUNS = (
    TaskRun(),
    TaskRun(run_id="manual__2026-11-24"),
    TaskRun(run_id="scheduled__2026-11-23T00:00:00+00:00", run_type="scheduled"),
    TaskRun(run_id="scheduled__2026-11-23T01:00:00+00:00", run_type="scheduled"),
    TaskRun(run_id="asset_triggered__2026-11-23T00:00:00.123456+00:00_x1Y2", logical_date=None),
    TaskRun(map_index=0),
    TaskRun(map_index=1),
)
STRANGERS = {
    "somebody else": "by hand",
    "without a word": "",
    "another run": description_of(identity(TaskRun(run_id="manual__2026-11-22"))),
    "another task": description_of(identity(task_id="another")),
    "another deployment": description_of(identity(deployment="production")),
    "a later version": "[af9 who knows]",
}


def _suggested(outcome: Outcome) -> str:
    """Return the template in the message of a conflict."""
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssConflictError)
    (template,) = re.findall(r"for example '([^']+)'", str(outcome.error))
    assert "{{" in template
    return str(template)


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("try_number", [1, 2])
def test_the_name_of_a_stranger_is_refused_with_a_way_out(world: World, stranger: str, try_number: int) -> None:
    """Whosever it is, the task fails without a retry, makes nothing, and succeeds once the template is as suggested."""
    world.emulator.add_snapshot(NAME, description=STRANGERS[stranger])
    outcome = world.run(TaskRun(try_number=try_number), snapshot_name=NAME, retries=3)
    assert len(world.emulator.snapshots()) == 1

    again = world.run(TaskRun(try_number=try_number), snapshot_name=_suggested(outcome), retries=3)
    assert again.state == "success"
    assert len(world.emulator.snapshots()) == 2


def test_the_suggestion_differs_for_every_run_and_map_index(world: World) -> None:
    """Runs of any type and mapped tasks get along with the suggested template: each makes a snapshot of its own."""
    world.emulator.add_snapshot(NAME)
    template = _suggested(world.run(snapshot_name=NAME))

    outcomes = [world.run(run, snapshot_name=template) for run in RUNS]
    assert [outcome.state for outcome in outcomes] == ["success"] * len(RUNS)
    assert len({outcome.xcom["snapshot_name"] for outcome in outcomes}) == len(RUNS)
    assert len(world.emulator.snapshots()) == len(RUNS) + 1


OTHERS: list[dict[str, Any]] = [
    {"task_id": "another"},
    {"dag_id": "stock_etl"},
    {"dag_id": "stock_etl", "task_id": "b"},
]


@pytest.mark.parametrize("other", OTHERS)
def test_two_tasks_that_follow_the_suggestion_get_along(world: World, other: dict[str, Any]) -> None:
    """Two tasks that met over a name may both use the suggested template, also in runs of the same id."""
    world.run(snapshot_name=NAME)
    template = _suggested(world.run(snapshot_name=NAME, **other))

    outcomes = [world.run(snapshot_name=template, **task) for task in ({}, other)]
    assert [outcome.state for outcome in outcomes] == ["success", "success"]
