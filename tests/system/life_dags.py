"""The whole life of a snapshot, with every operator and every sensor, for the tests with real processes."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import (
    CreateSnapshotOperator,
    DeleteSnapshotOperator,
    ListSnapshotsOperator,
    RestoreSnapshotOperator,
)
from airflow_css.sensors.snapshot import ClusterIdleSensor, SnapshotFreshnessSensor, SnapshotSensor

FIRST = "{{ ti.xcom_pull('backup', key='backup_id') }}"
SECOND = "{{ ti.xcom_pull('second', key='backup_id') }}"


def _chain(mode: str) -> None:
    usual: dict[str, Any] = {
        "css_conn_id": "{{ dag_run.conf['css_conn_id'] }}",
        "retries": 3,
        "retry_delay": timedelta(seconds=1),
    }
    waits = {**usual, "deferrable": mode == "defer"}
    senses = {**waits, "timeout": 300, "poke_interval": 1, "mode": "reschedule"}
    tasks = [
        CreateSnapshotOperator(task_id="backup", indices="orders-*", **waits),
        SnapshotSensor(task_id="good", snapshot_id=FIRST, **senses),
        ListSnapshotsOperator(task_id="listed", status="COMPLETED", **usual),
        RestoreSnapshotOperator(
            task_id="restore",
            snapshot_id=FIRST,
            target_cluster_id="same",
            rename_pattern="(.+)",
            rename_replacement="restored-$1",
            **waits,
        ),
        SnapshotSensor(task_id="restored", snapshot_id=FIRST, expect="restored", **senses),
        ClusterIdleSensor(task_id="idle", **senses),
        SnapshotFreshnessSensor(task_id="fresh", max_age=3_600, **{**senses, "timeout": None}),
        CreateSnapshotOperator(task_id="second", snapshot_name="second-{{ run_id }}", **waits),
        PruneSnapshotsOperator(task_id="prune", keep_last=1, group_by=None, **waits),
        SnapshotSensor(task_id="gone", snapshot_id=FIRST, expect="gone", **senses),
        DeleteSnapshotOperator(task_id="delete", snapshot_id=SECOND, **waits),
    ]
    for before, after in pairwise(tasks):
        before >> after


for a_mode in ("worker", "defer"):
    with DAG(f"{a_mode}_life", schedule=None, max_active_runs=100, max_active_tasks=100):
        _chain(a_mode)
