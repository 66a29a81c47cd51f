"""
Back up every night, and keep what a restore may need: the last days, some weeks, some months.

Shows: a nightly backup, a retention that only judges what this DAG made, and the list of what is left.
Needs: a connection ``css_default`` that names a default cluster.
You will see: the plan of the retention with a reason for each snapshot, and the names of the good backups.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import CreateSnapshotOperator, ListSnapshotsOperator

with DAG(
    dag_id="nightly_backup_with_retention",
    # It runs when you start it; for every night: schedule="30 1 * * *".
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    # Two runs at once would judge each other's unfinished work.
    max_active_runs=1,
    tags=["css", "backup", "retention"],
    doc_md=__doc__,
) as dag:
    backup = CreateSnapshotOperator(task_id="backup")

    # [START howto_prune_snapshots]
    prune = PruneSnapshotsOperator(
        task_id="prune",
        keep_daily=7,
        keep_weekly=5,
        keep_monthly=12,
        timezone="Europe/Berlin",
    )
    # [END howto_prune_snapshots]

    # [START howto_list_snapshots]
    left = ListSnapshotsOperator(task_id="left", scope="dag", only_good=True)
    # [END howto_list_snapshots]

    # [START howto_list_result]
    @task
    def report(snapshots: list[dict[str, Any]]) -> list[str]:
        """Return what could be restored now, newest first; fail when that is nothing."""
        if not snapshots:
            raise ValueError("There is no good backup.")
        return [f"{snapshot['name']} of {snapshot['started_at']}" for snapshot in snapshots]

    # [END howto_list_result]

    backup >> prune >> left
    report(left.output)  # type: ignore[arg-type]  # an XCom stands for its value
