"""A backup is an event of an asset: a real scheduler starts the DAG that waits for it, which reads what it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.scenes import PATIENCE, Stage, wait_until

pytestmark = pytest.mark.system

PRODUCER, CONSUMER = "backup_that_tells", "verify_when_a_backup_exists"
# Airflow 2 calls an asset a dataset.
STARTED_BY_IT = ("asset_triggered", "dataset_triggered")


def _runs_that_it_started(stage: Stage) -> list[str]:
    rows = stage.airflow.rows("SELECT run_id, run_type FROM dag_run WHERE dag_id = ?", CONSUMER)
    return [run_id for run_id, run_type in rows if run_type in STARTED_BY_IT]


def _values(stage: Stage, run_id: str) -> dict[str, Any]:
    return {task: stage.airflow.xcom(CONSUMER, run_id, task) for task in ("which", "verify")}


def test_a_backup_starts_the_dag_that_waits_for_one(stage: Stage) -> None:
    """The task that deferred makes an event, which starts one run, and that run reads the backup's id from it."""
    before = _runs_that_it_started(stage)
    stage.airflow.trigger(PRODUCER, "told")
    stage.airflow.wait_for_run(PRODUCER, "told", ("success",), PATIENCE)
    backup_id = stage.airflow.xcom(PRODUCER, "told", "backup")
    # A newer one by somebody else: only the event can tell which is meant.
    stage.default.add_snapshot("by-hand-afterwards")

    wait_until(lambda: len(_runs_that_it_started(stage)) > len(before), "no run was started by the backup")
    (run_id,) = set(_runs_that_it_started(stage)) - set(before)
    stage.airflow.wait_for_run(CONSUMER, run_id, ("success",), PATIENCE)

    values = _values(stage, run_id)
    print(f"{stage.airflow.version}: {run_id} verified {values['verify']['name']}")  # noqa: T201 - to be seen
    assert values["which"] == backup_id
    assert values["verify"]["id"] == backup_id
