"""
Ring an alarm when there is no fresh backup.

Shows: one look each morning that fails with the reason when the newest good backup is too old.
Needs: a connection ``css_default`` that names a default cluster, and a backup of it, made by whomever.
You will see: the backup that is relied on and its age; or a failed run, which your notifications tell of.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_css.sensors.snapshot import SnapshotFreshnessSensor

with DAG(
    dag_id="freshness_alarm",
    # "0 7 * * *" looks every morning; None, so that the example runs only when you ask.
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "alarm"],
    doc_md=__doc__,
) as dag:
    # [START howto_freshness_alarm]
    SnapshotFreshnessSensor(
        task_id="alarm",
        max_age=timedelta(hours=26),
    )
    # [END howto_freshness_alarm]
