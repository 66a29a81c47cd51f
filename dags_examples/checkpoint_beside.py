"""
Protect a load by a checkpoint: when it fails, its old state is put beside.

Shows: a checkpoint around TaskFlow tasks that overwrites nothing, and keeps the last seven of its snapshots.
Needs: a connection ``css_default`` that names a default cluster.
You will see: a snapshot before the load; the load succeeds, so ``restore`` is skipped and ``publish`` runs.
"""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.checkpoints.task_group import css_checkpoint

with DAG(
    dag_id="checkpoint_beside",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "checkpoint"],
    doc_md=__doc__,
) as dag:

    @task
    def extract() -> list[int]:
        """Return the orders of the day."""
        return [1250, 990, 400]

    @task
    def write(cents: int) -> int:
        """Write one order; here your own code writes into the cluster."""
        return cents

    @task
    def publish() -> None:
        """Tell others that the new orders are there."""

    # [START howto_checkpoint_beside]
    with css_checkpoint("load", indices=["orders-*", "customers"], retention={"keep_last": 7}) as load:
        write.expand(cents=extract())

    load >> publish()
    # [END howto_checkpoint_beside]
