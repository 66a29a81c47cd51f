"""DAGs of the provider for the tests with real processes; what a run does is told by its ``conf``."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseOperator

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import CreateSnapshotOperator, DeleteSnapshotOperator, ListSnapshotsOperator
from airflow_css.triggers.css import SnapshotTrigger


def end_as_told(context: Any, result: Any = None) -> None:  # noqa: ARG001 - Airflow calls it so
    """End the first try as ``conf`` says: well, badly, or not at all."""
    told = context["dag_run"].conf.get("first_end")
    if context["ti"].try_number > 1 or not told:
        return
    if told == "sleep":
        time.sleep(600)
    if told == "fail":
        raise RuntimeError("told to fail")
    if told == "fail for good":
        raise AirflowFailException("told to fail for good")


class DoNothing(BaseOperator):
    """A task that comes after the backup."""

    def execute(self, context: Any) -> None:
        """Do nothing."""


class LeakOnPurpose(BaseOperator):
    """Write a word wherever a secret could be written by mistake: the log, XCom, the trigger and its log."""

    template_fields = ("css_conn_id", "snapshot_id")

    def __init__(self, *, css_conn_id: str, snapshot_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.css_conn_id = css_conn_id
        self.snapshot_id = snapshot_id

    def execute(self, context: Any) -> None:
        """Leak, then defer."""
        # Put together here, so that this file, of which Airflow keeps a copy, is no place where the word is found.
        word = f"leaked-on-purpose-{self.task_id}"
        self.log.info("The word is %s.", word)
        context["ti"].xcom_push(key="word", value=word)
        trigger = SnapshotTrigger(
            css_conn_id=self.css_conn_id,
            cluster_id=context["dag_run"].conf["cluster_id"],
            snapshot_id=self.snapshot_id,
            snapshot_name=word,
            timeout=600,
        )
        self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """End."""


def _create(mode: str, on_existing: str) -> CreateSnapshotOperator:
    return CreateSnapshotOperator(
        task_id="backup",
        css_conn_id="{{ dag_run.conf['css_conn_id'] }}",
        deferrable=mode == "defer",
        on_existing=on_existing,
        retries=2,
        retry_delay=timedelta(seconds=1),
        post_execute=end_as_told,
    )


for a_mode in ("worker", "defer"):
    for word in ("adopt", "new", "fail"):
        with DAG(f"{a_mode}_{word}", schedule=None, max_active_runs=100, max_active_tasks=100):
            _create(a_mode, word)
        with DAG(f"{a_mode}_{word}_pair", schedule=None, max_active_runs=100, max_active_tasks=100):
            _create(a_mode, word) >> DoNothing(task_id="load")

for a_mode in ("worker", "defer"):
    usual: dict[str, Any] = {
        "task_id": "backup",
        "css_conn_id": "{{ dag_run.conf['css_conn_id'] }}",
        "retries": 2,
        "retry_delay": timedelta(seconds=1),
    }
    with DAG(f"{a_mode}_delete", schedule=None, max_active_runs=100):
        DeleteSnapshotOperator(
            **usual,
            deferrable=a_mode == "defer",
            snapshot_id="{{ dag_run.conf['snapshot_id'] }}",
            ignore_missing=False,
        )
    with DAG(f"{a_mode}_prune", schedule=None, max_active_runs=100):
        PruneSnapshotsOperator(**usual, deferrable=a_mode == "defer", keep_last=1)
    with DAG(f"{a_mode}_list", schedule=None, max_active_runs=100):
        ListSnapshotsOperator(**usual, scope="dag", older_than=60)

with DAG("leak", schedule=None):
    LeakOnPurpose(
        task_id="backup",
        css_conn_id="{{ dag_run.conf['css_conn_id'] }}",
        snapshot_id="{{ dag_run.conf['snapshot_id'] }}",
    )
