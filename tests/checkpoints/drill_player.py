"""Plays every DAG of ``drill_dags`` by ``dag.test()`` in one process, and writes what came of each."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from airflow.utils.db import initdb


def _dags(file: Path) -> list[Any]:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    found: list[Any] = list(module.DAGS.values())
    assert all(isinstance(dag, DAG) for dag in found)
    return found


def _came_of(run: Any) -> dict[str, Any]:
    tasks = {ti.task_id: ti for ti in run.get_task_instances()}
    report = tasks["drill.report"]
    return {
        "run": str(getattr(run.state, "value", run.state)),
        "tasks": {task_id: str(getattr(ti.state, "value", ti.state)) for task_id, ti in tasks.items()},
        "report": report.xcom_pull(task_ids="drill.report"),
        "kept": report.xcom_pull(task_ids="keep"),
    }


if __name__ == "__main__":
    initdb()
    ends = {dag.dag_id: _came_of(dag.test()) for dag in _dags(Path(sys.argv[1]))}
    Path(sys.argv[2]).write_text(json.dumps(ends))
