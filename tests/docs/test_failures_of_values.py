"""The cook-book's rows on refused values: each is what a task really says, before it has sent anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.docs.failure_rows import STATES, check_row, words_of
from tests.docs.markdown import page
from tests.running import Outcome, TaskRun
from tests.task_log import reading_the_log
from tests.world import World

FAILURES = page("docs/failures.md")
ROWS = FAILURES.table("the error says", below="## A value was refused before anything was sent")


def _run(world: World, **parameters: Any) -> Outcome:
    return world.run(**{"retries": 1, **parameters})


def _connected(world: World, **extra: Any) -> Outcome:
    world.connect(**extra)
    return _run(world)


def _connected_by(world: World, monkeypatch: pytest.MonkeyPatch, connection: str) -> Outcome:
    monkeypatch.setenv("AIRFLOW_CONN_CSS_DEFAULT", connection)
    return _run(world)


NO_KEYS = '{"conn_type": "huaweicloud_css", "extra": {"region": "cn-north-4"}}'
HALF_A_KEY = '{"conn_type": "huaweicloud_css", "login": "AK", "extra": {"region": "cn-north-4"}}'
NO_REGION = '{"conn_type": "huaweicloud_css", "login": "AK", "password": "SK"}'
PLAIN_HTTP = '{"conn_type": "huaweicloud_css", "login": "AK", "password": "SK", "host": "http://css.example.com"}'

SCENES: dict[str, Callable[[World, pytest.MonkeyPatch], Outcome]] = {
    "cannot be used": lambda world, _: _run(world, indices="Orders"),
    "it was rendered to nothing": lambda world, _: _run(world, indices="{{ [] }}", is_native=True),
    "it was rendered to the word None": lambda world, _: _run(world, indices="{{ none }}"),
    "a list printed as text": lambda world, _: _run(world, indices="{{ ['a', 'b'] }}"),
    "it is True or False, and no text": lambda world, _: _run(world, hold="false"),
    "only one of them may be": lambda world, _: _run(
        world, cluster_id=world.emulator.cluster_id, cluster_name="search-dev"
    ),
    "No cluster is named. Set": lambda world, _: _connected(world, cluster_id=None),
    "No cluster is named 'search-prod'": lambda world, _: _run(world, cluster_name="search-prod"),
    "does not exist. Add it": lambda world, _: _run(world, css_conn_id="nowhere"),
    "says neither where to send": lambda world, patch: _connected_by(world, patch, NO_REGION),
    "has no keys": lambda world, patch: _connected_by(world, patch, NO_KEYS),
    "but not the secret key": lambda world, patch: _connected_by(world, patch, HALF_A_KEY),
    "has no project": lambda world, _: _connected(world, project_id=None),
    "which is no known key": lambda world, _: _connected(world, regoin="cn-north-4"),
    "is not encrypted": lambda world, patch: _connected_by(world, patch, PLAIN_HTTP),
}
TEMPLATES = FAILURES.table("the error says", below="## A template could not be rendered")
# Whether a cluster has the name, CSS alone knows.
LOOKS_FOR = {"No cluster is named 'search-prod'": {"list_clusters"}}


def test_every_row_has_a_scene() -> None:
    """No row is without the task that says it."""
    assert words_of(ROWS) == list(SCENES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_task_says_what_the_row_says(row: list[str], world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the words and names the way out, the midnight line follows, and nothing was sent but a look."""
    words = row[0].strip("`")
    check_row(row, lambda: SCENES[words](world, monkeypatch))
    assert {seen.call for seen in world.emulator.requests} == LOOKS_FOR.get(words, set())


def test_a_template_wants_a_date_that_the_run_does_not_have(world: World) -> None:
    """The error is Airflow's, as the row has it; the log names what to write, and no line says where the cluster is."""
    (row,) = TEMPLATES
    shown = next(block.text.strip() for block in FAILURES.blocks("text") if "no logical date" in block.text)
    with reading_the_log() as log:
        outcome = world.run(
            TaskRun(run_type="asset_triggered", logical_date=None), snapshot_name="orders-{{ ts_nodash }}", retries=1
        )
    assert row[0].strip("`") in str(outcome.error)
    assert outcome.state == STATES[row[3]]
    assert log.having(shown, "error")
    assert not log.having("Cluster:")
