"""A real Airflow in a throw-away home: start it, drive it, look at it, end its processes one by one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from tests.system import installation
from tests.system.homes import AirflowHome, tail
from tests.system.processes import TOKEN_VARIABLE, Component, answers, carries, end_all, free_ports, parent_of
from tests.system.rest import AirflowApi

_Seen = TypeVar("_Seen")

_STARTUP_TIMEOUT = 120.0
_POLL_INTERVAL = 0.1


class TaskPids(NamedTuple):
    """The process that runs a task's code, and the one that watches over it and reports for it."""

    task: int
    supervisor: int


class AirflowBench(AirflowHome):
    """
    Airflow with a scheduler, a triggerer, a server and LocalExecutor on SQLite, on loopback only.

    A context manager: entering starts everything and waits until it is ready and every DAG file is parsed;
    leaving ends every process it has started. The home stays for whoever wants to look.

    :param python: interpreter that has the Airflow to run.
    :param home: empty or absent directory; it becomes ``AIRFLOW_HOME``, and all files are written below it.
    :param dags: DAG files, which are copied; each must define a DAG or fail to import.
    :param env: further environment variables of all processes, such as ``AIRFLOW_CONN_CSS_DEFAULT``.
    """

    def __init__(
        self, python: Path | str, home: Path, dags: Sequence[Path], env: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(home)
        self.python = Path(python)
        self.dags = dags
        self.extra_env = env or {}
        self.startup_seconds = 0.0
        self._token = uuid.uuid4().hex

    @cached_property
    def version(self) -> str:
        """Version of Airflow, such as 3.3.2."""
        return installation.airflow_version(self.python)

    @cached_property
    def major(self) -> int:
        """Major version of Airflow, 2 or 3."""
        return int(self.version.partition(".")[0])

    @cached_property
    def ports(self) -> installation.Ports:
        """Ports of the servers; the web server of Airflow 2 is the server for users."""
        return installation.Ports(*free_ports(2))

    @cached_property
    def env(self) -> dict[str, str]:
        """The whole environment of every process."""
        extra = {**self.extra_env, TOKEN_VARIABLE: self._token}
        return installation.environment(self.home, self.major, self.ports, extra)

    @cached_property
    def api(self) -> AirflowApi:
        """Client of this Airflow's REST API."""
        return AirflowApi(f"http://{installation.LOOPBACK}:{self.ports.server}", self.major)

    @cached_property
    def components(self) -> dict[str, Component]:
        """The long-running processes by name, such as ``scheduler`` and ``triggerer``."""
        argvs = installation.commands(self.python, self.major, self.ports)
        return {name: Component(name, argv, self.env, self.home) for name, argv in argvs.items()}

    def __enter__(self) -> Self:
        began = time.monotonic()
        try:
            self._lay_out()
            self._migrate()
            for component in self.components.values():
                component.start()
            self._wait(lambda: not self._missing(), _STARTUP_TIMEOUT, self._missing)
        except BaseException:
            self._end()
            raise
        self.startup_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _lay_out(self) -> None:
        for folder in ("dags", "tmp"):
            (self.home / folder).mkdir(parents=True)
        for dag in self.dags:
            shutil.copy(dag, self.home / "dags")
        if self.major == 2:
            (self.home / "webserver_config.py").write_text(installation.WEBSERVER_CONFIG)

    def _migrate(self) -> None:
        log = self.home / "migrate.log"
        argv = [str(self.python), "-m", "airflow", "db", "migrate"]
        with log.open("wb") as output:
            done = subprocess.run(argv, env=self.env, cwd=self.home, stdout=output, stderr=output, check=False)
        if done.returncode:
            raise RuntimeError(f"airflow db migrate ended with code {done.returncode}:\n{tail(log)}")
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db")) as database:
            # Readers and the writer no longer wait for each other; the setting stays in the file.
            database.execute("PRAGMA journal_mode = WAL")

    def _missing(self) -> str:
        """Return what is not ready yet; raise when a component has ended."""
        for component in self.components.values():
            component.check_alive()
        health = self.api.health()
        wanted = ["metadatabase", "scheduler", "triggerer", *(["dag_processor"] if self.major >= 3 else [])]
        parts = [part for part in wanted if health.get(part) != "healthy"]
        if self.major >= 3 and not answers(self.ports.tasks):
            parts.append("execution-api")
        files = {dag.name for dag in self.dags} - self.parsed_files()
        return ", ".join([*parts, *sorted(files)])

    def _end(self) -> None:
        # Nothing is worth a graceful end here: the home is thrown away.
        for component in self.components.values():
            component.stop(signal.SIGKILL)
        end_all(self._token)

    def _wait(self, look: Callable[[], _Seen | None], timeout: float, what: Callable[[], str]) -> _Seen:
        """Return the first true answer of ``look``; ``what`` tells after ``timeout`` seconds what is amiss."""
        deadline = time.monotonic() + timeout
        while not (seen := look()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {timeout:.0f} s: {what()}\n{self.log_tails()}")
            time.sleep(_POLL_INTERVAL)
        return seen

    def log_tails(self) -> str:
        """Return the last lines that each component has written."""
        return "\n".join(f"--- {name}\n{tail(part.log)}" for name, part in self.components.items())

    def trigger(
        self,
        dag_id: str,
        run_id: str,
        logical_date: datetime | None = None,
        conf: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Start a manual run.

        :param logical_date: with a time zone; None is the moment of the call in Airflow 2, and no date in 3.
        :raises RestError: for an unknown DAG, and for a run id or date that is taken.
        """
        body: dict[str, Any] = {"dag_run_id": run_id, "conf": dict(conf or {})}
        if logical_date is not None:
            body["logical_date"] = logical_date.isoformat()
        elif self.major >= 3:
            body["logical_date"] = None
        self.api.call("POST", "dags", dag_id, "dagRuns", body=body)

    def clear(
        self, dag_id: str, run_id: str, task_id: str, map_index: int | None = None, *, downstream: bool = False
    ) -> None:
        """
        Clear a task of a run so that it runs again; a running one is ended first.

        :param map_index: None clears all map indices.
        :raises LookupError: when there is nothing to clear.
        """
        clear = self._clear_3 if self.major >= 3 else self._clear_2
        if not clear(dag_id, run_id, task_id, map_index, downstream=downstream):
            raise LookupError(f"nothing to clear: {dag_id} {run_id} {task_id} {map_index}")

    def _clear_3(self, dag_id: str, run_id: str, task_id: str, map_index: int | None, *, downstream: bool) -> bool:
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": [task_id if map_index is None else [task_id, map_index]],
            "only_failed": False,
            "include_downstream": downstream,
        }
        return bool(self.api.call("POST", "dags", dag_id, "clearTaskInstances", body=body)["task_instances"])

    def _clear_2(self, dag_id: str, run_id: str, task_id: str, map_index: int | None, *, downstream: bool) -> bool:
        # The REST API of Airflow 2 does not store the new state of a running task; the button of its pages does.
        run = self.api.call("GET", "dags", dag_id, "dagRuns", run_id)
        fields = {"dag_id": dag_id, "task_id": task_id, "execution_date": run["logical_date"], "confirmed": "true"}
        if map_index is not None:
            fields["map_index"] = str(map_index)
        if downstream:
            fields["downstream"] = "true"
        return not self.api.submit("/clear", fields).startswith("0 ")

    def mark_failed(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> None:
        """Mark a task instance as failed, which ends its process if it has one."""
        mapped = [str(map_index)] if map_index >= 0 else []
        body = {"new_state": "failed"} if self.major >= 3 else {"new_state": "failed", "dry_run": False}
        path = ["dags", dag_id, "dagRuns", run_id, "taskInstances", task_id, *mapped]
        self.api.call("PATCH", *path, body=body)

    def mark_run_failed(self, dag_id: str, run_id: str) -> None:
        """Mark a whole run as failed, which ends its running tasks."""
        self.api.call("PATCH", "dags", dag_id, "dagRuns", run_id, body={"state": "failed"})

    def delete_run(self, dag_id: str, run_id: str) -> None:
        """
        Delete a run that has ended. Its log files stay, and a new run of this id appends to them.

        First the scheduler hears of the end of the run's processes: a late report would fail the same try of a new
        run of this id.
        """
        self._wait_until_heard(dag_id, run_id)
        self.api.call("DELETE", "dags", dag_id, "dagRuns", run_id)

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str, timeout: float = 60.0) -> None:
        """
        Answer the question of a task, as a human does in Airflow 3.1 and later.

        First the scheduler hears of the end of the asking process, as it has long before a human answers: an answer
        queues the same try again, which the late report of its first process would fail.

        :param option: One of those that the task offers, such as ``Approve``.
        """
        self.wait_for_task(dag_id, run_id, task_id, ("awaiting_input", "deferred"), timeout=timeout)
        self._wait_until_heard(dag_id, run_id)
        path = ("dags", dag_id, "dagRuns", run_id, "taskInstances", task_id, "-1", "hitlDetails")
        self.api.call("PATCH", *path, body={"chosen_options": [option]})

    def _wait_until_heard(self, dag_id: str, run_id: str) -> None:
        """
        Wait until no process of a run is left, and the scheduler has had time to hear of it.

        It knows a try only by the names of DAG, run and task and its number, not by its process.
        """
        found = self.rows("SELECT pid FROM task_instance WHERE dag_id = ? AND run_id = ?", dag_id, run_id)
        pids = [pid for (pid,) in found if pid]
        self._wait(lambda: not any(carries(pid, self._token) for pid in pids), 30, lambda: f"{run_id} runs as {pids}")
        for _ in range(3):
            self._wait_for_scheduler()

    def _wait_for_scheduler(self) -> None:
        """Wait until the scheduler shows its next sign of life."""
        sql = "SELECT max(latest_heartbeat) FROM job WHERE job_type = 'SchedulerJob'"
        last = self.rows(sql)
        self._wait(lambda: self.rows(sql) != last, 30, lambda: f"no heartbeat of the scheduler since {last}")

    def wait_for_run(
        self, dag_id: str, run_id: str, states: Collection[str] = ("success",), timeout: float = 60.0
    ) -> str:
        """
        Wait until a run is in one of ``states`` and return that state.

        :raises AssertionError: at once when it has ended in another state.
        :raises TimeoutError: after ``timeout`` seconds.
        """

        def look() -> str | None:
            state = self.run_state(dag_id, run_id)
            if state in {"success", "failed"} and state not in states:
                raise AssertionError(f"{dag_id} {run_id} is {state}: {self.task_states(dag_id, run_id)}")
            return state if state in states else None

        return self._wait(look, timeout, lambda: f"{dag_id} {run_id}: {self.task_states(dag_id, run_id)}")

    def wait_for_task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        states: Collection[str] = ("success",),
        *,
        timeout: float = 60.0,
        map_index: int = -1,
    ) -> str:
        """
        Wait until a task instance is in one of ``states`` and return that state.

        :raises TimeoutError: after ``timeout`` seconds.
        """

        def look() -> str | None:
            state = self.task_states(dag_id, run_id).get((task_id, map_index))
            return state if state in states else None

        return self._wait(look, timeout, lambda: f"{dag_id} {run_id}: {self.task_states(dag_id, run_id)}")

    def task_pids(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1, timeout: float = 30.0) -> TaskPids:
        """
        Wait until the code of a task instance is being run by a process, and return its pid and its parent's.

        With LocalExecutor the parent is a worker of the scheduler in Airflow 3, and of the task alone in 2.
        Airflow notices the end of the task process within seconds; when both are ended, the supervisor
        first, only by the missing heartbeat.

        :raises TimeoutError: when there is no such process after ``timeout`` seconds.
        """

        def look() -> int | None:
            state, _, _, pid = self.task(dag_id, run_id, task_id, map_index)
            return pid if state == "running" and pid and carries(pid, self._token) else None

        pid = self._wait(look, timeout, lambda: f"no process: {self.task_states(dag_id, run_id)}")
        return TaskPids(pid, parent_of(pid))

    def kill(self, pid: int) -> None:
        """
        End a process of this bench by SIGKILL, and only that process.

        :raises ProcessLookupError: when it does not run, or is none of this bench's.
        """
        if not carries(pid, self._token):
            raise ProcessLookupError(f"{pid} is no running process of this bench")
        os.kill(pid, signal.SIGKILL)

    def stop(self, component: str, sig: signal.Signals = signal.SIGTERM) -> None:
        """Stop a component, gently with SIGTERM or as by a crash with SIGKILL."""
        self.components[component].stop(sig)

    def restart(self, component: str, sig: signal.Signals = signal.SIGTERM) -> None:
        """Stop a component, if it runs, and start it again."""
        self.stop(component, sig)
        self.components[component].start()
