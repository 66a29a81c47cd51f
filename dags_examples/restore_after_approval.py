"""
Restore only after a human has agreed.

Shows: a restore that overwrites indices, behind an approval. Needs Airflow 3.1 or later; before that, this file defines
no DAG.
Needs: a connection ``css_default`` that names a default cluster with at least one good snapshot.
You will see: the run waits under *Required Actions*; with *Approve* it restores, with *Reject* it skips the restore.
"""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_css.operators.snapshot import CreateSnapshotOperator, RestoreSnapshotOperator

try:
    from airflow.providers.standard.operators.hitl import ApprovalOperator
except ImportError:
    ApprovalOperator = None  # type: ignore[assignment,misc] # Airflow before 3.1 cannot ask a human

if ApprovalOperator is not None:
    with DAG(
        dag_id="restore_after_approval",
        schedule=None,
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        tags=["css", "restore"],
        doc_md=__doc__,
    ) as dag:
        backup = CreateSnapshotOperator(task_id="backup", indices=["orders-*"])

        # [START howto_restore_after_approval]
        approve = ApprovalOperator(
            task_id="approve",
            subject="Overwrite orders-* with the newest backup?",
            body="Everything that was written since then is lost.",
        )
        restore = RestoreSnapshotOperator(
            task_id="restore",
            latest_good=True,
            indices=["orders-*"],
            existing_indices="replace",
            target_cluster_id="same",
            retries=1,
        )
        # [END howto_restore_after_approval]

        backup >> approve >> restore
