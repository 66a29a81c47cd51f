"""
DAGs with a checkpoint for the whole table: one for each mode, with and without retries, strict and lenient.

Which step fails is told by an environment variable, so that a cleared run may end otherwise.
"""

from __future__ import annotations

import json
import os
import urllib.request
from datetime import timedelta
from itertools import product
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, BaseOperator, task

from airflow_css.checkpoints.task_group import css_checkpoint

__all__ = ["FAILS_VARIABLE", "MODES", "URL_VARIABLE", "dag_id_of"]

URL_VARIABLE = "AIRFLOW_CSS_TEST_EMULATOR"
FAILS_VARIABLE = "AIRFLOW_CSS_TEST_FAILS"
IN_PLACE: dict[str, Any] = {"indices": ["orders"], "in_place": True, "consent": "overwrite"}
MODES: dict[str, dict[str, Any]] = {
    "in_place": IN_PLACE,
    "beside": {"indices": ["orders"]},
    "report": {**IN_PLACE, "mode": "report"},
    # The control: a restore that does not wait for every writer.
    "hasty": IN_PLACE,
}


def dag_id_of(mode: str, retries: int, *, lenient: bool) -> str:
    """
    Return the id of a DAG.

    :param mode: One of ``MODES``.
    :param retries: How often every task is retried.
    :param lenient: Whether the last task of the work runs whatever became of the others.
    """
    return f"table_{mode}_{retries}_{'lenient' if lenient else 'strict'}"


class Quick(BaseOperator):
    """Does nothing."""

    def execute(self, context: Any) -> None:
        """
        Return at once.

        :param context: Airflow's context.
        """


def _work(step: str, context: Any) -> None:
    """Write a document, then fail if this step is told to: ``<step>:<tries that fail>``."""
    path = f"clusters/{context['dag_run'].conf['cluster_id']}/indices/orders/documents"
    body = json.dumps({step: {"by": step}}).encode()
    request = urllib.request.Request(f"{os.environ[URL_VARIABLE]}/_emulator/{path}", body, method="POST")  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - loopback
        reply.read()
    told, _, tries = os.environ.get(FAILS_VARIABLE, "").partition(":")
    if told == step and context["ti"].try_number <= int(tries):
        raise RuntimeError(f"{step} fails as it is told")


def _steps(*, lenient: bool) -> None:
    """Define the work: one task, then many, then one; beside them one alone, and a writer that goes on longer."""

    @task
    def first(**context: Any) -> list[int]:
        _work("first", context)
        return [0, 1]

    @task
    def middle(item: int, **context: Any) -> None:
        _work(f"middle[{item}]", context)

    @task(trigger_rule="all_done" if lenient else "all_success")
    def last(**context: Any) -> None:
        _work("last", context)

    @task
    def beside(**context: Any) -> None:
        _work("beside", context)

    @task
    def writer(**context: Any) -> None:
        _work("writer", context)

    @task
    def writer_late(**context: Any) -> None:
        _work("writer_late", context)

    middle.expand(item=first()) >> last()
    beside()
    writer() >> writer_late()


def _dag_of(mode: str, retries: int, *, lenient: bool) -> DAG:
    given = {"retries": retries, "retry_delay": timedelta(0)}
    start = pendulum.datetime(2026, 1, 1, tz="UTC")
    with DAG(dag_id_of(mode, retries, lenient=lenient), schedule=None, start_date=start, default_args=given) as dag:
        cluster_id = "{{ dag_run.conf['cluster_id'] }}"
        with css_checkpoint("load", cluster_id=cluster_id, **MODES[mode]) as protected:
            _steps(lenient=lenient)
        protected >> Quick(task_id="after")
    if mode == "hasty":
        restore = dag.task_dict["load.restore"]
        restore.trigger_rule = type(restore.trigger_rule)("one_failed")
    return dag


for _mode, _retries, _lenient in product(MODES, (0, 1), (False, True)):
    if _mode != "hasty" or not (_retries or _lenient):
        _dag = _dag_of(_mode, _retries, lenient=_lenient)
        globals()[_dag.dag_id] = _dag
