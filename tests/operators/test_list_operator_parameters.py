"""Every parameter of ListSnapshotsOperator changes something: one row for each, and none may be missing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_css.operators.snapshot import ListSnapshotsOperator
from tests.marked import add_marked
from tests.parameter_rows import OTHER_CLUSTER, Row, Seen, play_row, second_connection
from tests.parameters import parameters_of
from tests.world import World

ALL = ["by-hand", "a", "b", "bad", "automatic", "other-dag", "other-airflow"]


def _prepare(world: World) -> None:
    world.emulator.add_snapshot("by-hand", started_at=world.clock.now(), takes=0)
    add_marked(world, "a", 1, task_id="backup")
    add_marked(world, "b", 2, task_id="second")
    add_marked(world, "bad", 3, status="FAILED")
    began = world.clock.now() - timedelta(days=4)
    world.emulator.add_snapshot("automatic", frequency="DAY", started_at=began, takes=60)
    add_marked(world, "other-dag", 5, dag_id="customers_etl")
    add_marked(world, "other-airflow", 6, deployment="prod")
    world.emulator.add_snapshot("elsewhere", cluster_id=OTHER_CLUSTER)


def _names(seen: Seen) -> list[str]:
    return [entry["name"] for entry in seen.outcome.xcom["return_value"]]


def _failed(seen: Seen) -> str:
    return seen.outcome.state


ROWS = {
    "status": Row("FAILED", _names, ALL, ["bad"]),
    "only_good": Row(value=True, look=_names, without=ALL, with_it=[name for name in ALL if name != "bad"]),
    "name_prefix": Row("Other ", _names, ALL, ["other-dag", "other-airflow"]),
    "name_regex": Row("[a-b]", _names, ALL, ["a", "b"]),
    "older_than": Row("73h", _names, ALL, ["automatic", "other-dag", "other-airflow"]),
    "newer_than": Row(2.5 * 86_400, _names, ALL, ["by-hand", "a", "b"]),
    "kind": Row("automatic", _names, ALL, ["automatic"]),
    "scope": Row("dag", _names, ALL, ["a", "b", "bad"]),
    "task_ids": Row(["second"], _failed, "failed", "success", besides={"scope": "task"}),
    "cluster_id": Row(OTHER_CLUSTER, _names, ALL, ["elsewhere"]),
    "cluster_name": Row("search-prod", _names, ALL, ["elsewhere"]),
    "css_conn_id": Row("other", _names, ALL, ["elsewhere"], prepare=second_connection),
}


def test_every_parameter_has_a_row() -> None:
    """The rows name the parameters of the operator's signature, all of them and no other."""
    assert set(ROWS) == set(parameters_of(ListSnapshotsOperator))


@pytest.mark.parametrize("name", ROWS)
def test_a_parameter_changes_something(name: str) -> None:
    """The row's value leads to another result than the default does."""
    row = ROWS[name]
    assert play_row(row, _prepare, operator_class=ListSnapshotsOperator) == row.without
    assert play_row(row, _prepare, operator_class=ListSnapshotsOperator, **{name: row.value}) == row.with_it
