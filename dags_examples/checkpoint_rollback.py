"""
A load that fails is rolled back in place.

Shows: a checkpoint that overwrites one index by name, and a load that breaks on purpose after it has begun.
Needs: a connection ``css_default`` that names a default cluster with an index ``customers``, which is overwritten.
You will see: the load fails, ``restore`` brings the index back, and ``verdict`` fails the run with what was done.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.checkpoints.task_group import css_checkpoint

with DAG(
    dag_id="checkpoint_rollback",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "checkpoint"],
    doc_md=__doc__,
) as dag:

    @task
    def remove_old() -> int:
        """Remove customers that left; here your own code changes the index."""
        return 3

    @task
    def add_new(removed: Any) -> None:
        """Break in the middle, as a load does at 3 a.m."""
        raise RuntimeError(f"the source is gone after {removed} customers were removed")

    @task
    def publish() -> None:
        """Never run: the verdict stands before it."""

    # [START howto_checkpoint_in_place]
    with css_checkpoint("load", indices=["customers"], in_place=True, consent="overwrite") as load:
        add_new(remove_old())

    load >> publish()
    # [END howto_checkpoint_in_place]
