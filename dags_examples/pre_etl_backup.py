"""
Back up the search cluster, then load.

Shows: one snapshot in front of a load, its backup id in XCom, and a check that asks CSS about it.
Needs: a connection ``css_default`` that names a default cluster.
You will see: the snapshot named after the run, the rows that were loaded, and the proof that the backup is good.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import CreateSnapshotOperator

ORDERS = [
    {"id": 1, "customer": "ada", "cents": 1250},
    {"id": 2, "customer": "grace", "cents": 990},
    {"id": 3, "customer": "ada", "cents": 400},
]

with DAG(
    dag_id="pre_etl_backup",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "backup"],
    doc_md=__doc__,
) as dag:
    # [START howto_create_snapshot]
    backup = CreateSnapshotOperator(
        task_id="backup",
        indices=["orders-*", "customers"],
        description="before the nightly load",
    )
    # [END howto_create_snapshot]

    @task
    def transform() -> dict[str, int]:
        """Return what each customer spent, in cents."""
        spent: dict[str, int] = {}
        for order in ORDERS:
            customer = str(order["customer"])
            spent[customer] = spent.get(customer, 0) + int(str(order["cents"]))
        return spent

    # [START howto_hook_in_task]
    @task
    def check(backup_id: str, cluster_id: str, spent: Any) -> dict[str, Any]:
        """Return what CSS says about the backup; fail when it could not be relied on."""
        snapshot = CssHook().get_snapshot(cluster_id, backup_id)
        if not snapshot.is_good:
            raise ValueError(f"The backup {backup_id} is {snapshot.status_word}.")
        return {"loaded": len(spent), "backup": snapshot.name, "indices": list(snapshot.indices)}

    # [END howto_hook_in_task]

    spent = transform()
    checked = check(
        "{{ ti.xcom_pull('backup', key='backup_id') }}",
        "{{ ti.xcom_pull('backup', key='cluster_id') }}",
        spent,
    )
    backup >> spent >> checked
