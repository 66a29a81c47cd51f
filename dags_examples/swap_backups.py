"""
Back up before a load and after it, then let go of the first backup.

Shows: deleting one snapshot by its backup id, only after a better one exists.
Needs: a connection ``css_default`` that names a default cluster.
You will see: two snapshots while the load runs, and one at the end.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.operators.snapshot import CreateSnapshotOperator, DeleteSnapshotOperator

with DAG(
    dag_id="swap_backups",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "backup"],
    doc_md=__doc__,
) as dag:
    before = CreateSnapshotOperator(task_id="before", description="before the load")

    @task
    def load() -> int:
        """Return how many rows were loaded; your load stands here."""
        return 3

    backup = CreateSnapshotOperator(task_id="backup", description="after the load")

    # [START howto_delete_snapshot]
    let_go = DeleteSnapshotOperator(
        task_id="let_go",
        snapshot_id="{{ ti.xcom_pull('before') }}",
        cluster_id="{{ ti.xcom_pull('before', key='cluster_id') }}",
    )
    # [END howto_delete_snapshot]

    # [START howto_delete_result]
    @task
    def report(deleted: dict[str, Any]) -> str:
        """Return one line for the log of changes."""
        return f"{deleted['name']} deleted" if deleted["deleted"] else f"{deleted['name']} was gone already"

    # [END howto_delete_result]

    before >> load() >> backup >> let_go
    report(let_go.output)  # type: ignore[arg-type]  # an XCom stands for its value
