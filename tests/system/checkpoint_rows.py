"""
DAGs with a checkpoint, one for each row of the table: which task fails, how often, and in which mode.

The work writes documents into the emulator, so that a test can see what a rollback brought back.
"""

from __future__ import annotations

import json
import os
import urllib.request
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, BaseOperator, TaskGroup, task

from airflow_css.checkpoints.task_group import css_checkpoint
from airflow_css.emulator.emulator import cluster_id_of

__all__ = ["ROWS", "URL_VARIABLE", "Row"]

URL_VARIABLE = "AIRFLOW_CSS_TEST_EMULATOR"


def in_place(**more: Any) -> dict[str, Any]:
    """
    Return the parameters of a checkpoint that overwrites its two indices.

    :param more: Further parameters.
    """
    return {"indices": ["orders", "customers"], "in_place": True, "consent": "overwrite", **more}


@dataclass(frozen=True)
class Row:
    """
    One DAG.

    :param name: Its id, and the name of its cluster.
    :param fails: Which steps of the work fail.
    :param given: Parameters of the checkpoint.
    :param tries: How often a failing step fails before it works; 0 for always.
    :param lenient: Whether the last step runs whatever became of the others.
    :param retries: How often a step of the work is retried.
    """

    name: str
    fails: tuple[str, ...] = ()
    given: dict[str, Any] = field(default_factory=in_place)
    tries: int = 0
    lenient: bool = False
    retries: int = 0


ROWS = (
    Row("all_well"),
    Row("pruned", given=in_place(retention={"keep_last": 1})),
    Row("snapshot_fails"),
    Row("first_fails", fails=("first",)),
    Row("middle_fails", fails=("middle-1",)),
    Row("last_fails", fails=("last",)),
    Row("last_fails_with_retry", fails=("last",), retries=1),
    Row("first_works_on_retry", fails=("first",), tries=1, retries=1),
    Row("nested_fails", fails=("nested",)),
    Row("lenient_last", fails=("middle-1",), lenient=True),
    Row("restore_fails", fails=("last",)),
    Row("restore_works_on_retry", fails=("last",), given=in_place(retries=1)),
    Row("users_teardown_fails", fails=("cleanup",)),
    Row("safety", fails=("last",), given=in_place(safety_snapshot="*")),
    Row("safety_fails", fails=("last",), given=in_place(safety_snapshot=True)),
    Row("safety_then_fails", fails=("last",), given=in_place(safety_snapshot=True)),
    Row("report", fails=("last",), given=in_place(mode="report")),
    Row("beside", fails=("last",), given={"indices": "orders,customers"}),
    Row("beside_all_well", given={}),
    Row("shards_changed", fails=("reshards",)),
)


class Quick(BaseOperator):
    """Does nothing, as an operator of a classic DAG may."""

    def execute(self, context: Any) -> None:
        """
        Return at once.

        :param context: Airflow's context.
        """


def _call(method: str, cluster: str, path: str, fields: dict[str, Any]) -> None:
    url = f"{os.environ[URL_VARIABLE]}/_emulator/clusters/{cluster_id_of(cluster)}/indices/{path}"
    request = urllib.request.Request(url, json.dumps(fields).encode(), method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - loopback
        reply.read()


def _work(row: Row, step: str, number: int) -> None:
    """Change the indices, then fail if this step is to."""
    _call("POST", row.name, "orders/documents", {step: {"by": step}})
    if "reshards" in row.fails:
        _call("DELETE", row.name, "orders", {})
        _call("PUT", row.name, "orders", {"shards": 7})
    if step in row.fails or "reshards" in row.fails:
        if row.tries and number > row.tries:
            return
        raise RuntimeError(f"{step} fails as it is told")


def _steps(row: Row) -> Any:
    """Return the tasks of the work: one before many before one, beside one of a nested group and a classic one."""

    @task(retries=row.retries)
    def first(**context: Any) -> list[int]:
        _work(row, "first", context["ti"].try_number)
        _call("PUT", row.name, "created-by-the-load", {"shards": 1})
        return [0, 1, 2]

    @task
    def middle(item: int) -> None:
        _work(row, f"middle-{item}", 1)

    @task(trigger_rule="all_done" if row.lenient else "all_success", retries=row.retries)
    def last(**context: Any) -> None:
        _work(row, "last", context["ti"].try_number)

    @task
    def nested() -> None:
        _work(row, "nested", 1)

    @task
    def cleanup() -> None:
        if "cleanup" in row.fails:
            raise RuntimeError("the cleanup fails as it is told")

    begun = first()
    many = middle.expand(item=begun)
    many >> last()
    with TaskGroup("inner"):
        Quick(task_id="classic") >> nested()
    many >> cleanup().as_teardown()


def dag_of(row: Row) -> DAG:
    """
    Return the DAG of a row.

    :param row: The row.
    """
    start, soon = pendulum.datetime(2026, 1, 1, tz="UTC"), {"retry_delay": timedelta(0)}
    with DAG(dag_id=row.name, schedule=None, start_date=start, default_args=soon) as dag:
        with css_checkpoint("load", cluster_id=cluster_id_of(row.name), **row.given) as protected:
            _steps(row)
        Quick(task_id="before") >> protected >> Quick(task_id="after")
    return dag


for _row in ROWS:
    globals()[_row.name] = dag_of(_row)
