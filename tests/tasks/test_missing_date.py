"""A date that a run does not have: what the log says to write instead."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_css.sensors.snapshot import SnapshotSensor
from tests.running import TaskRun
from tests.task_log import reading_the_log
from tests.world import World

NO_DATE = TaskRun(run_type="asset_triggered", logical_date=None)
KINDS: list[dict[str, Any]] = [{}, {"operator_class": SnapshotSensor}]
WANTED = ["ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz", "logical_date"]


@pytest.mark.parametrize("parameters", KINDS, ids=["operator", "sensor"])
@pytest.mark.parametrize("name", WANTED)
def test_the_log_says_what_renders_instead(name: str, parameters: dict[str, Any], world: World) -> None:
    """Operator and sensor name an expression, and with it the same template is rendered."""
    with reading_the_log() as log:
        outcome = world.run(NO_DATE, snapshot_name=f"orders-{{{{ {name} }}}}", **parameters)
    assert f"'{name}' is undefined" in str(outcome.error)
    (line,) = log.having("This run has no logical date", "error")
    (instead,) = re.findall(r"\{\{.+\}\}", line.text)
    task = world.operator(snapshot_name=f"orders-{instead}", **parameters)
    task.render_template_fields({"dag_run": {"logical_date": None, "run_after": datetime.now(UTC)}})
    assert re.match(r"orders-\d{4}", task.snapshot_name)


@pytest.mark.parametrize(
    ("template", "run"), [("{{ nonsense }}", NO_DATE), ("{{ nonsense }}", TaskRun()), ("{{ 1 / 0 }}", NO_DATE)]
)
def test_another_error_is_left_to_airflow(template: str, run: TaskRun, world: World) -> None:
    """A name that no run has, or an expression that fails, has nothing to do with the date."""
    with reading_the_log() as log:
        outcome = world.run(run, snapshot_name=template)
    assert outcome.error is not None
    assert not log.having("logical date")
