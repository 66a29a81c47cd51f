"""DAGs with a checkpoint for the tests with real processes; what a run does is told by its ``conf``."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_css.checkpoints.task_group import css_checkpoint
from airflow_css.version_compat import AIRFLOW_V_3_1_PLUS

IN_PLACE: dict[str, Any] = {"indices": ["orders"], "in_place": True, "consent": "overwrite", "retries": 1}


class Step(BaseOperator):
    """Writes a document, again and again for as long as ``conf`` says, and then ends well or badly as it says."""

    def execute(self, context: Any) -> None:
        """Write, and end."""
        conf, step = context["dag_run"].conf, self.task_id.rpartition(".")[2]
        url = f"{conf['url']}/_emulator/clusters/{conf['cluster_id']}/indices"
        until = time.monotonic() + conf.get("seconds", {}).get(step, 0)
        while True:
            _call("POST", f"{url}/orders/documents", {step: {"by": step}})
            _call("POST", f"{url}/journal/documents", {step: {"at": time.time()}})
            if time.monotonic() >= until:
                break
            time.sleep(0.2)
        # What fails is written into an index, so that a cleared run may end otherwise.
        if step in _call("GET", f"{url}/told-to-fail/documents"):
            raise RuntimeError("told to fail")


def _call(method: str, url: str, fields: dict[str, Any] | None = None) -> Any:
    data = None if fields is None else json.dumps(fields).encode()
    request = urllib.request.Request(url, data, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - loopback
        return json.loads(reply.read())


def _checkpoint_dag(dag_id: str, *, dagrun_timeout: timedelta | None = None, **given: Any) -> None:
    soon = {"retry_delay": timedelta(seconds=1)}
    with DAG(dag_id, schedule=None, max_active_runs=100, dagrun_timeout=dagrun_timeout, default_args=soon):
        conn_id = "{{ dag_run.conf['css_conn_id'] }}"
        with css_checkpoint("load", css_conn_id=conn_id, **IN_PLACE, **given) as protected:
            Step(task_id="first") >> Step(task_id="last")
            Step(task_id="writer")
        protected >> Step(task_id="after")


_checkpoint_dag("checkpoint")
_checkpoint_dag("checkpoint_deferred", deferrable=True, safety_snapshot="*")
_checkpoint_dag("checkpoint_timed", dagrun_timeout=timedelta(seconds=45))
if AIRFLOW_V_3_1_PLUS:
    _checkpoint_dag("checkpoint_confirm", mode="confirm")
