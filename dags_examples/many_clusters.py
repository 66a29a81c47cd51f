"""
Back up many clusters with one task.

Shows: a task that is mapped over the clusters which a task before it finds.
Needs: a connection ``css_default``, and at least one cluster with snapshots turned on.
You will see: one mapped instance for each cluster, each with its own snapshot and backup id.
"""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import CreateSnapshotOperator

with DAG(
    dag_id="many_clusters",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "backup"],
    doc_md=__doc__,
) as dag:
    # [START howto_many_clusters]
    @task
    def clusters_to_back_up() -> list[str]:
        """Return the ids of all clusters whose snapshot function is on."""
        return [cluster.id for cluster in CssHook().list_clusters() if cluster.is_snapshot_function_on]

    backup = CreateSnapshotOperator.partial(task_id="backup").expand(cluster_id=clusters_to_back_up())
    # [END howto_many_clusters]

    @task
    def report(backup_ids: list[str]) -> int:
        """Return how many backups there are."""
        return len(list(backup_ids))

    report(backup.output)  # type: ignore[arg-type]  # an XCom stands for its values
