"""
Verify each backup as soon as there is one.

Shows: a backup as an asset, a DAG that starts when a good one exists, and how it reads which.
Needs: a connection ``css_default``, and the id of its cluster below: an asset has no templates.
You will see: each run of ``backup_that_tells`` starts a run of ``verify_when_a_backup_exists``, whose value is the
backup and what it holds. Started by hand, the latter takes the newest good backup.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.assets.css import css_asset, triggering_backup
from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow_css.protocol.errors import CssUsageError

CLUSTER_ID = "4f3deec3-efa8-4598-bf91-560aad1377a3"
# [START howto_asset]
ORDERS_BACKUP = css_asset(CLUSTER_ID, "orders-")
# [END howto_asset]
NEEDED = {"orders-2026-10", "orders-2026-11"}

# [START howto_asset_consumer]
with DAG(
    dag_id="verify_when_a_backup_exists",
    schedule=[ORDERS_BACKUP],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "asset"],
    doc_md=__doc__,
) as dag:

    @task
    def which(**context: Any) -> str:
        """Return the id of the backup that started this run."""
        try:
            return str(triggering_backup(context)["backup_id"])
        except CssUsageError:
            # Started by hand: the newest backup of these indices. Others of the cluster are not what is asked about.
            backups = [snapshot for snapshot in CssHook().list_snapshots(CLUSTER_ID) if snapshot.is_good_backup]
            ours = [snapshot for snapshot in backups if NEEDED.issubset(snapshot.indices)]
            return max(ours, key=lambda snapshot: str(snapshot.began_at)).id

    @task
    def verify(backup_id: str) -> dict[str, Any]:
        """Return what the backup holds; fail when it lacks what a restore would need."""
        snapshot = CssHook().get_snapshot(CLUSTER_ID, backup_id)
        if not snapshot.is_good or not NEEDED.issubset(snapshot.indices):
            raise ValueError(f"The backup {backup_id} is {snapshot.status_word} and holds {snapshot.indices}.")
        return snapshot.as_json()

    verify(which())  # type: ignore[arg-type]  # an XCom stands for its value
# [END howto_asset_consumer]

with DAG(
    dag_id="backup_that_tells",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "asset"],
    doc_md=__doc__,
):
    # [START howto_asset_producer]
    CreateSnapshotOperator(
        task_id="backup",
        cluster_id=CLUSTER_ID,
        snapshot_name="orders-{{ run_id }}",
        indices=["orders-*"],
        outlets=[ORDERS_BACKUP],
        deferrable=True,
    )
    # [END howto_asset_producer]
