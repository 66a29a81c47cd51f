"""What an Airflow home holds: its database and its log files, read without any Airflow."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple


class TaskRow(NamedTuple):
    """What the database says about a task instance."""

    state: str | None
    try_number: int
    max_tries: int
    pid: int | None


class AirflowHome:
    """
    A look into an Airflow home, the same for Airflow 2 and 3.

    :param home: directory with the SQLite file ``airflow.db`` and the folder ``logs``.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query on Airflow's database, which is opened read-only."""
        uri = f"{(self.home / 'airflow.db').as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=30)) as database:
            return database.execute(sql, parameters).fetchall()

    def import_errors(self) -> dict[str, str]:
        """Return the trace of each DAG file that could not be imported, by file name."""
        found = self.rows("SELECT filename, stacktrace FROM import_error")
        return {Path(name).name: trace for name, trace in found}

    def parsed_files(self) -> set[str]:
        """Return the names of the DAG files that were imported, or could not be."""
        found = self.rows("SELECT fileloc FROM dag WHERE dag_id IN (SELECT dag_id FROM serialized_dag)")
        return {Path(fileloc).name for (fileloc,) in found} | self.import_errors().keys()

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        """Return the state of a run, None when there is no such run."""
        found = self.rows("SELECT state FROM dag_run WHERE dag_id = ? AND run_id = ?", dag_id, run_id)
        return found[0][0] if found else None

    def task_states(self, dag_id: str, run_id: str) -> dict[tuple[str, int], str | None]:
        """Return the state of each task instance of a run by task id and map index."""
        sql = "SELECT task_id, map_index, state FROM task_instance WHERE dag_id = ? AND run_id = ?"
        return {(task, index): state for task, index, state in self.rows(sql, dag_id, run_id)}

    def task(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> TaskRow:
        """
        Return what the database says about one task instance.

        :raises LookupError: when there is no such task instance.
        """
        found = self.rows(
            "SELECT state, try_number, max_tries, pid FROM task_instance"
            " WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ?",
            *(dag_id, run_id, task_id, map_index),
        )
        if not found:
            raise LookupError(f"no task instance {dag_id} {run_id} {task_id} {map_index}")
        return TaskRow(*found[0])

    def task_try(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> int:
        """Return the number of the current or last try of a task instance, from 1."""
        return self.task(dag_id, run_id, task_id, map_index).try_number

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """
        Return the value of an XCom that holds plain JSON.

        :raises LookupError: when there is none.
        """
        found = self.rows(
            "SELECT value FROM xcom WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ? AND key = ?",
            *(dag_id, run_id, task_id, map_index, key),
        )
        if not found:
            raise LookupError(f"no XCom {key!r} of {dag_id} {run_id} {task_id} {map_index}")
        value = found[0][0]
        # Where the column is declared as JSON, SQLite keeps a document that is only a number as a number.
        return json.loads(value) if isinstance(value, str | bytes) else value

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """
        Return the log of one try, one line per message, followed by the triggerer's part.

        Empty when nothing was logged. A secret is better looked for in the files below ``logs``.
        """
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        if map_index >= 0:
            folder /= f"map_index={map_index}"
        # Suffixes in use: ".log" of the worker, ".log.trigger.<n>.log" of a triggerer.
        files = sorted(folder.glob(f"attempt={try_number}.log*"))
        lines = (line for file in files for line in file.read_text(errors="replace").splitlines())
        return "\n".join(map(_readable, lines))


def _readable(line: str) -> str:
    """Return a line of Airflow 2 as it is, and one of Airflow 3, which is JSON, as text."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    head = [str(entry.pop(field, "")) for field in ("timestamp", "level", "event")]
    return " ".join([*head, *(f"{name}={value}" for name, value in entry.items())])


def tail(path: Path, lines: int = 20) -> str:
    """Return the last lines of a text file, or a remark when there is none."""
    if not path.exists():
        return f"({path.name} was not written)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
