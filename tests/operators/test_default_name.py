"""The default name as an object: it looks the same in every process and gives the same name on every try."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from airflow_css.hooks.css import CssHook
from airflow_css.operators.default_name import NameFromRun
from airflow_css.protocol.names import check_name

EXTRA = {"region": "cn-north-4", "project_id": "6204a5bd270343b5885144cf9c8c158d"}

# Run in a process of its own, as a DAG processor does it.
SERIALIZE = """
import json
from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow.providers.common.compat.sdk import DAG
try:
    from airflow.serialization.serialized_objects import DagSerialization as serialization
except ImportError:
    from airflow.serialization.serialized_objects import SerializedDAG as serialization
with DAG("orders", schedule=None) as dag:
    CreateSnapshotOperator(task_id="backup", cluster_id="4f3deec3-efa8-4598-bf91-560aad1377a3", indices=["a", "b"])
print("SERIALIZED", json.dumps(serialization.to_dict(dag), sort_keys=True))
"""


def _context(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "dag_id": "Orders.ETL",
        "task_id": "backup",
        "run_id": "manual__1",
        "map_index": -1,
        "try_number": 1,
        "max_tries": 3,
        "conn_id": "css_default",
        **changes,
    }
    conn_id = facts.pop("conn_id")
    return {
        "ti": SimpleNamespace(**facts),
        "task": SimpleNamespace(css_conn_id=conn_id, hook_class=CssHook, retries=3),
        "dag_run": SimpleNamespace(logical_date=datetime(2026, 11, 23, tzinfo=UTC), run_id=facts["run_id"]),
        "params": {"conn": "from_params"},
    }


def _declare(name: str, deployment: str) -> None:
    connection = {
        "conn_type": "huaweicloud_css",
        "login": "ACCESSKEY",
        "password": "secret-key",
        "extra": {**EXTRA, "deployment": deployment},
    }
    os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)


def _name(**changes: Any) -> str:
    return NameFromRun()(_context(**changes), jinja2.Environment(autoescape=False))  # noqa: S701 - names, not pages


def test_it_always_looks_the_same() -> None:
    """Its text holds no address, and copies and pickles look and act alike."""
    name = NameFromRun()
    for other in (NameFromRun(), copy.deepcopy(name), pickle.loads(pickle.dumps(name))):  # noqa: S301 - our own
        assert repr(other) == str(other) == "derived from the run"
        assert other(_context(), None) == name(_context(), None)


def _serialized(*seeds: str) -> list[Any]:
    """Return what processes with these hash seeds make of the DAG; they run side by side."""
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERIALIZE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in seeds
    ]
    outputs = [process.communicate()[0] for process in running]
    return [json.loads(output.partition("SERIALIZED ")[2].splitlines()[0]) for output in outputs]


def test_two_processes_serialize_a_dag_equally() -> None:
    """A DAG with the operator does not change from parse to parse, so Airflow stores one version of it."""
    one, other = _serialized("1", "2")
    text = json.dumps(one)
    # Airflow 2 writes the text of the object, Airflow 3 where its class is defined.
    assert re.search("derived from the run|airflow_css.operators.default_name.NameFromRun", text)
    assert " at 0x" not in text
    assert _without_the_process(one) == _without_the_process(other)


def _without_the_process(found: Any) -> Any:
    """Leave out what Airflow itself notes about the file that a DAG came from."""
    if isinstance(found, dict):
        return {
            key: _without_the_process(value)
            for key, value in found.items()
            if key not in {"fileloc", "_processor_dags_folder"}
        }
    return [_without_the_process(item) for item in found] if isinstance(found, list) else found


def test_every_try_has_the_same_name() -> None:
    """Neither the number of the try nor a clear changes the name."""
    assert len({_name(try_number=number, max_tries=limit) for number in (1, 2, 5) for limit in (0, 3, 9)}) == 1
    assert check_name(_name()).startswith("orders-etl-20261123t000000z-")


@pytest.mark.parametrize(
    "change", [{"dag_id": "Orders-ETL"}, {"task_id": "b"}, {"run_id": "manual__2"}, {"map_index": 0}]
)
def test_every_instance_has_its_own_name(change: dict[str, Any]) -> None:
    """Another DAG, task, run or map index leads to another name, also where folding makes DAG ids equal."""
    assert _name(**change) != _name()


def test_the_deployment_counts() -> None:
    """Two Airflows with the same ids make different names, as soon as one of them has a deployment name."""
    without = _name()
    _declare("css_default", "prod")
    prod = _name()
    _declare("css_default", "dev")
    assert len({without, prod, _name()}) == 3


def test_a_templated_connection_is_rendered_for_the_name() -> None:
    """The connection's id may be a template, though it is rendered after the name."""
    _declare("from_params", "prod")
    assert _name(conn_id="{{ params.conn }}") == _name(conn_id="from_params") != _name()


def test_a_connection_that_cannot_be_used_does_not_hide_behind_a_template_error() -> None:
    """Rendering gives a name, so that the task itself can say what is wrong with the connection."""
    os.environ["AIRFLOW_CONN_BROKEN"] = json.dumps({"conn_type": "huaweicloud_css", "extra": {"regoin": "x"}})
    assert _name(conn_id="broken") == _name(conn_id="missing") == _name()
