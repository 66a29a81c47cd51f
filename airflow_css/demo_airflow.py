"""
The demo's Airflow, in a process of its own: prepares a database, runs one DAG file, and reports by events in a file.

Run by ``airflow_css.demo`` with an environment that names a throw-away Airflow home.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG, get_listener_manager, hookimpl
from airflow.utils.db import initdb

__all__ = ["main"]


class _Reporter:
    """Writes what happens as one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def say(self, text: str, **more: str) -> None:
        self._write({"text": text, **more})

    def finish(self, outcome: dict[str, Any]) -> None:
        self._write({"outcome": outcome})

    def _write(self, event: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(event, default=str) + "\n")


class _TaskListener:
    """Hears from Airflow when a task begins and ends."""

    def __init__(self, reporter: _Reporter) -> None:
        self._reporter = reporter
        self._begun: set[str] = set()

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        # A task that deferred runs a second time.
        does = "goes on" if task_instance.task_id in self._begun else "runs"
        self._begun.add(task_instance.task_id)
        self._reporter.say(f"task {task_instance.task_id} {does}")

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        self._reporter.say(f"task {task_instance.task_id} succeeded")

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: Any) -> None:
        self._reporter.say(f"task {task_instance.task_id} FAILED", failed=task_instance.task_id, error=str(error))


def main(dag_file: Path, events: Path) -> int:
    """
    Run the DAG of a file and return 0 only when the run succeeded.

    :param dag_file: The file; it defines one DAG.
    :param events: Where to report.
    """
    reporter = _Reporter(events)
    reporter.say("preparing a throw-away Airflow on SQLite")
    _make_database()
    listeners: Any = get_listener_manager()
    listeners.add_listener(_TaskListener(reporter))
    dag = _load(dag_file)
    reporter.say(f"running the DAG {dag.dag_id}")
    run = dag.test()
    xcoms: dict[str, dict[str, Any]] = {}
    for instance in run.get_task_instances():
        values = {key: _pull(instance, key) for key in _KEYS}
        xcoms[instance.task_id] = {key: value for key, value in values.items() if value is not None}
    state = str(getattr(run.state, "value", run.state))
    order = [task.task_id for task in dag.topological_sort()]
    reporter.finish({"state": state, "xcoms": {task_id: xcoms[task_id] for task_id in order if xcoms.get(task_id)}})
    return 0 if state == "success" else 1


_KEYS = ("backup_id", "snapshot_name", "cluster_id", "snapshot", "return_value")


def _make_database() -> None:
    """Make the database beside the imports that the first task of Airflow 3 costs: with two cores neither waits."""
    making = multiprocessing.get_context("fork").Process(target=initdb)
    making.start()
    # Airflow 2 has no such module and needs none.
    with suppress(ImportError):
        import_module("airflow.api_fastapi.execution_api.routes")
    making.join()
    if making.exitcode != 0:
        raise RuntimeError(f"Making Airflow's database ended with code {making.exitcode}; the reason stands above.")


def _pull(instance: Any, key: str) -> Any:
    return instance.xcom_pull(task_ids=instance.task_id, key=key)


def _load(dag_file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(dag_file.stem, dag_file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{dag_file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    # Airflow imports the file again by this name when it looks for what the tasks refer to.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return next(value for value in vars(module).values() if isinstance(value, DAG))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
