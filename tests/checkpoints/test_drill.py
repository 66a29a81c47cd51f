"""Restore drills: what is refused at parse, how the tasks hang together, and whole runs by Airflow's ``dag.test()``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it brings no types
import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, BaseOperator, task, task_group

from airflow_css.checkpoints.drill import css_restore_drill
from airflow_css.emulator import CssEmulator
from airflow_css.protocol.errors import CssUsageError
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS
from tests.docs.markdown import ROOT
from tests.examples.playing import SECRET_KEY
from tests.marked import mark_of

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


@pytest.mark.parametrize("parameters", [{"clean_up": "remove"}, {"clean_up": _remove, "indices": iter(["orders"])}])
def test_a_value_of_another_kind_is_refused(parameters: dict[str, Any]) -> None:
    """It would be found out when there is something to remove, or restore nothing."""
    with pytest.raises(CssUsageError, match="it is a"):
        _drilled(**parameters)


def test_a_drill_that_could_not_tell_its_indices_apart_is_refused() -> None:
    """In a mapped group the instances share their tasks' names, and in a DAG that fails fast nothing cleans up."""
    fail_fast: dict[str, Any] = {"fail_fast" if AIRFLOW_V_3_0_PLUS else "fail_stop": True}
    with DAG("d", schedule=None, **fail_fast), pytest.raises(CssUsageError, match="fails fast"):
        css_restore_drill("drill", clean_up=_remove).__enter__()

    @task_group
    def each(_item: int) -> None:
        with css_restore_drill("drill", clean_up=_remove):
            BaseOperator(task_id="check")

    with DAG("d", schedule=None), pytest.raises(CssUsageError, match="mapped task group"):
        each.expand(_item=[1, 2])


def test_a_check_that_would_skip_the_report_is_refused() -> None:
    """Airflow skips whatever follows a short circuit, the verdict too, and the run would end green."""
    for is_mapped in (False, True):

        @task.short_circuit
        def ask(_item: int = 0) -> bool:
            return False

        with DAG("d", schedule=None), pytest.raises(CssUsageError, match="green without a check"):  # noqa: SIM117 - one line is too long
            with css_restore_drill("drill", clean_up=_remove):
                ask.expand(_item=[1]) if is_mapped else ask()


def test_what_is_added_after_the_drill_is_closed_is_refused() -> None:
    """The report would not name it."""
    with DAG("d", schedule=None):
        with css_restore_drill("drill", clean_up=_remove) as drill:
            BaseOperator(task_id="check")
        with pytest.raises(CssUsageError, match="is closed"), drill.group:
            BaseOperator(task_id="late")


def test_two_airflows_with_the_same_ids_have_names_of_their_own() -> None:
    """A prefix is never made twice: the clean-up of one would remove what the other restored."""
    ti = SimpleNamespace(dag_id="d", task_id="drill.begin", run_id="r", map_index=-1, max_tries=0)
    begin = _drilled(clean_up=_remove).get_task("drill.begin")
    prefixes = {begin.execute({"ti": ti, "task": begin})["prefix"] for _ in range(5)}
    assert len(prefixes) == 5


def test_what_an_earlier_try_restored_is_removed() -> None:
    """Airflow forgets what that try said of it, so the pattern of this run's names is given."""
    given: list[list[str]] = []
    clean_up = _drilled(clean_up=given.append).get_task("drill.clean_up")
    for tries, expected in ((1, []), (2, [["drill-1-*"]])):
        told = {("drill.begin", "return_value"): {"prefix": "drill-1-"}, ("drill.restore", "try"): tries}
        ti = SimpleNamespace(xcom_pull=lambda task_ids, key="return_value", told=told: told.get((task_ids, key)))
        with pytest.raises(AirflowSkipException) if tries == 1 else nullcontext():
            clean_up.execute({"ti": ti})
        assert given == expected


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
        # Newer and whole, and no backup: a drill on it would fail the check.
        emulator.add_snapshot("orders-damaged", description=mark_of(damaged=True))
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
    "check_is_skipped": ("failed", "check_failed", "failed"),
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
    # Python writes and reads a NaN, which is no JSON.
    assert json.dumps(report, allow_nan=False)
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
