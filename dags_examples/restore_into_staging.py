"""
Restore the newest good backup into staging, under new names.

Shows: choosing the newest backup that can be relied on, renaming every index, and a check of the names.
Needs: a connection ``css_default`` that names a default cluster with at least one good snapshot. The run's parameter
``target_cluster_id`` says where staging is; ``same`` restores beside the originals.
You will see: each index with its new name, and the restore's duration.
"""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.operators.snapshot import CreateSnapshotOperator, RestoreSnapshotOperator


def refuse_lost_names(names: tuple[str, ...] | None) -> bool:
    """Return whether every restored index carries the new prefix; a real check would ask the cluster."""
    return names is not None and all(name.startswith("staging-") for name in names)


with DAG(
    dag_id="restore_into_staging",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={"target_cluster_id": "same"},
    tags=["css", "restore"],
    doc_md=__doc__,
) as dag:
    backup = CreateSnapshotOperator(task_id="backup", indices=["orders-*", "customers"])

    # [START howto_restore_snapshot]
    restore = RestoreSnapshotOperator(
        task_id="restore",
        latest_good=True,
        max_age=pendulum.duration(hours=26),
        indices=["orders-*"],
        rename_pattern="(.+)",
        rename_replacement="staging-$1",
        existing_indices="replace",
        target_cluster_id="{{ params.target_cluster_id }}",
        verify=refuse_lost_names,
        retries=1,
    )
    # [END howto_restore_snapshot]

    # [START howto_restore_result]
    @task
    def report(restored: dict[str, object]) -> str:
        """Return one line about the restore, for whoever waits for fresh data."""
        return f"{restored['snapshot_name']} restored in {restored['duration_seconds']} s"

    # [END howto_restore_result]

    backup >> restore
    report(restore.output)  # type: ignore[arg-type]  # an XCom stands for its value
