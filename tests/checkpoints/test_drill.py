"""Restore drills: what is refused at parse, how the tasks hang together, and whole runs by Airflow's ``dag.test()``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it brings no types
import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_css.checkpoints.drill import css_restore_drill
from airflow_css.emulator import CssEmulator
from airflow_css.protocol.errors import CssUsageError
from tests.docs.markdown import ROOT
from tests.examples.playing import SECRET_KEY

SCHEMA = json.loads((ROOT / "docs/how-to/restore-drill.schema.json").read_text(encoding="utf-8"))
OTHER = "0f3deec3-efa8-4598-bf91-560aad1377a3"
BEGIN = pendulum.datetime(2026, 1, 1, tz="UTC")
ORDERS = "orders-2026-11"
BEFORE = {"1": {"customer": "ada", "cents": 1250}}


def _remove(_names: list[str]) -> None:
    """Stand for a user's function."""


def _drilled(*, work: int = 2, **parameters: Any) -> Any:
    with DAG("drilled", schedule=None, start_date=BEGIN) as dag, css_restore_drill("drill", **parameters):
        for number in range(work):
            BaseOperator(task_id=f"check_{number}")
    return dag


@pytest.mark.parametrize(
    "parameters", [{}, {"target_cluster_id": "same"}, {"target_cluster_id": OTHER, "cluster_id": OTHER}]
)
def test_a_drill_on_the_backups_cluster_needs_a_clean_up(parameters: dict[str, Any]) -> None:
    """Without a function that removes what is restored, the DAG is refused while it is parsed."""
    with pytest.raises(CssUsageError, match="must be removed, and CSS has no call for it"):
        _drilled(**parameters)


def test_a_drill_without_a_check_is_refused() -> None:
    """A restore that nobody looks at proves little."""
    with pytest.raises(CssUsageError, match="there is none"):
        _drilled(work=0, clean_up=_remove)


def test_the_tasks_hang_together() -> None:
    """Every check waits for the restore, and whatever comes after it for every check; the verdict is the only leaf."""
    dag = _drilled(clean_up=_remove)
    upstream = {task.task_id.removeprefix("drill."): task.upstream_task_ids for task in dag.tasks}
    checks = {"drill.check_0", "drill.check_1"}
    assert upstream["restore"] == {"drill.begin"}
    assert upstream["check_0"] == upstream["check_1"] == {"drill.restore"}
    assert upstream["checked"] == checks
    assert upstream["clean_up"] == {"drill.checked", "drill.begin"}
    assert upstream["report"] == {"drill.clean_up"}
    assert upstream["verdict"] == {"drill.report"}
    assert [task.task_id for task in dag.leaves] == ["drill.verdict"]
    assert dag.get_task("drill.clean_up").is_teardown


def test_another_cluster_needs_no_clean_up() -> None:
    """On another cluster a drill may leave what it restored, and has no task for it."""
    dag = _drilled(target_cluster_id=OTHER)
    assert not dag.has_task("drill.clean_up")
    assert dag.get_task("drill.report").upstream_task_ids == {"drill.checked"}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of each DAG of ``drill_dags``, played in one Airflow process, and which indices were left."""
    home = tmp_path_factory.mktemp("drill")
    dags, told = home / "dags", home / "told.json"
    dags.mkdir()
    shutil.copy(Path(__file__).with_name("drill_dags.py"), dags)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    with CssEmulator(creation_takes=0.5, restore_takes=0.5, secret_key=SECRET_KEY) as emulator:
        emulator.index(ORDERS).write(BEFORE)
        emulator.add_snapshot("orders-by-hand")
        emulator.index(ORDERS).write({"2": {"customer": "grace", "cents": 5}})
        environment |= {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_CSS_DEFAULT": emulator.connection_json(deployment="bench"),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "tests.checkpoints.drill_player", str(dags / "drill_dags.py"), str(told)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
        assert told.exists(), done.stdout + done.stderr
        found: dict[str, Any] = json.loads(told.read_text())
        left = [name for name in emulator.indices() if name.startswith("drill-")]
        assert emulator.index(ORDERS).documents().keys() == {"1", "2"}
    return {**found, "left": left}


RUNS = {
    "passes": ("success", "passed", "passed"),
    "passes_deferred": ("success", "passed", "passed"),
    "check_fails": ("failed", "check_failed", "failed"),
    "restore_fails": ("failed", "restore_failed", "not_run"),
    "clean_up_fails": ("failed", "clean_up_failed", "passed"),
}


@pytest.mark.heavy
@pytest.mark.parametrize("dag_id", RUNS)
def test_a_run_ends_as_its_report_says(ends: dict[str, Any], dag_id: str) -> None:
    """The run is red unless all went well; the report obeys the schema, says what failed, and a later task has it."""
    state, outcome, check = RUNS[dag_id]
    came, report = ends[dag_id], ends[dag_id]["report"]

    assert (came["run"], report["outcome"], report["check"]["state"]) == (state, outcome, check), came
    assert came["kept"] == outcome
    jsonschema.validate(report, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert (report["rto_seconds"] is not None) == (check == "passed")
    assert (report["snapshot"] is not None) == (outcome != "restore_failed")


@pytest.mark.heavy
def test_the_check_saw_what_came_back(ends: dict[str, Any]) -> None:
    """It read the documents of the moment of the backup, under names that only this run has."""
    reports = [ends[dag_id]["report"] for dag_id in RUNS if dag_id != "restore_fails"]
    for report in reports:
        (pair,) = report["indices"]
        assert pair["source"] == ORDERS
        assert pair["target"].startswith("drill-")
        counted = {task["task_id"]: task["result"] for task in report["check"]["tasks"]}
        assert counted["drill.count"] == 1
        assert report["rpo_seconds"] >= 0
    assert len({report["indices"][0]["target"] for report in reports}) == len(reports)


@pytest.mark.heavy
def test_what_was_restored_is_removed_also_after_a_failed_check(ends: dict[str, Any]) -> None:
    """Only the run whose clean-up failed leaves its index behind, and its report names it."""
    (pair,) = ends["clean_up_fails"]["report"]["indices"]
    assert ends["left"] == [pair["target"]]
    assert "nobody" in ends["restore_fails"]["report"]["reason"]
    assert ends["restore_fails"]["tasks"]["drill.clean_up"] == "skipped"
