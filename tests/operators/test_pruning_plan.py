"""What a pruning carries through the triggerer comes back as it was."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_css.operators.pruning_plan import PruningPlan, make_pruning_plan
from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.retention import plan_retention
from tests.marked import add_history
from tests.world import World


def _plan(world: World, **parameters: Any) -> PruningPlan:
    task = world.operator(**{"operator_class": PruneSnapshotsOperator, **parameters})
    ti = SimpleNamespace(dag_id="orders_etl", task_id="prune", run_id="run", map_index=-1, max_tries=0, try_number=1)
    return make_pruning_plan(task, {"ti": ti, "task": task})


@pytest.mark.parametrize(
    "parameters",
    [
        {"keep_last": 2},
        {"keep_within": timedelta(days=2, seconds=5), "older_than": timedelta(hours=30)},
        {"keep_within": "2d", "older_than": "1d", "timezone": "Europe/Berlin", "max_delete": 1},
        {"keep_daily": 1, "group_by": None, "scope": "task", "task_ids": ["backup"]},
        {"keep_daily": 1, "include_foreign": True, "name_regex": ".*", "hold_names": ["orders-5"]},
        {"keep_daily": 1, "scope": "deployment", "group_by": ["dag"], "name_prefix": "orders-"},
    ],
    ids=str,
)
def test_a_plan_survives_json(world: World, parameters: dict[str, Any]) -> None:
    """After JSON the same rules judge the same snapshots in the same way."""
    add_history(world, 6)
    plan = _plan(world, **parameters)
    arrived = PruningPlan.from_json(json.loads(json.dumps(plan.as_json())))
    listed, now = world.emulator.snapshots(), world.clock.now()
    before = plan_retention(listed, plan.rules, plan.selection, now=now)
    assert plan_retention(listed, arrived.rules, arrived.selection, now=now) == before
    assert json.dumps(arrived.as_json()) == json.dumps(plan.as_json())


@pytest.mark.parametrize("facts", [None, {}, {"rules": {}, "selection": {}}, {"rules": 1}])
def test_what_is_no_plan_is_said_so(facts: object) -> None:
    """Facts of another version are refused with the way out."""
    with pytest.raises(CssReplyError, match="restart the triggerer"):
        PruningPlan.from_json(facts)
