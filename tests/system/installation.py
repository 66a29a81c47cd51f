"""How each major version of Airflow is configured and started so that it stays on loopback and reacts fast."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LOOPBACK = "127.0.0.1"

# Airflow 2's web server asks for a log-in unless anonymous visitors have a role.
WEBSERVER_CONFIG = 'AUTH_ROLE_PUBLIC = "Admin"\nWTF_CSRF_ENABLED = False\n'


class Ports(NamedTuple):
    """Where the server for users listens, and in Airflow 3 the one for tasks."""

    server: int
    tasks: int


def interpreter(major: int) -> Path:
    """
    Return the Python that has the Airflow to test, as ``AIRFLOW_CSS_TEST_AIRFLOW<major>`` names it.

    :param major: 2 or 3; without the variable for 3 the running interpreter is taken if it has Airflow 3.
    :raises RuntimeError: when there is none, or it has another major version.
    """
    variable = f"AIRFLOW_CSS_TEST_AIRFLOW{major}"
    remedy = f"set {variable} to the python of an environment with Airflow {major}, such as .venv/bin/python"
    named = os.environ.get(variable)
    if not named and major != 3:
        raise RuntimeError(remedy)
    # Not resolved: the link inside a virtual environment is what makes it one.
    python = Path(named or sys.executable).absolute()
    version = airflow_version(python)
    if not version.startswith(f"{major}."):
        raise RuntimeError(f"{python} has Airflow {version}: {remedy}")
    return python


def airflow_version(python: Path) -> str:
    """
    Return the version of Airflow that the interpreter ``python`` has.

    :raises RuntimeError: when there is no such interpreter, or it has no Airflow.
    """
    code = "from importlib.metadata import version; print(version('apache-airflow'))"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"{python} is not an interpreter with Airflow: {error}") from error
    return done.stdout.strip()


def commands(python: Path, major: int, ports: Ports) -> dict[str, list[str]]:
    """Return the command line of each component, in the order in which they start."""
    airflow = [str(python), "-m", "airflow"]
    # Without this option the log servers listen on all interfaces; logs are read from disk instead.
    silent = "--skip-serve-logs"
    shared = {"scheduler": [*airflow, "scheduler", silent], "triggerer": [*airflow, "triggerer", silent]}
    listen = ["--workers", "1", "--port"]
    if major < 3:
        return {
            "webserver": [*airflow, "webserver", "--hostname", LOOPBACK, *listen, str(ports.server)],
            **shared,
        }
    server = [*airflow, "api-server", "--host", LOOPBACK, *listen]
    return {
        "api-server": [*server, str(ports.server), "--apps", "core"],
        # A process of its own: a user's request waits for the database in the event loop, which a task's request
        # needs to end its transaction. In one process with SQLite they would wait for each other.
        "execution-api": [*server, str(ports.tasks), "--apps", "execution"],
        "dag-processor": [*airflow, "dag-processor"],
        **shared,
    }


def environment(home: Path, major: int, ports: Ports, extra: Mapping[str, str]) -> dict[str, str]:
    """
    Return the whole environment of the Airflow processes; ``extra`` wins over all else.

    What the caller's own environment says about Airflow or about Python paths is left out.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "_AIRFLOW", "PYTHON"))}
    options = _SHARED | (_AIRFLOW_3 if major >= 3 else _AIRFLOW_2)
    env = {f"AIRFLOW__{name.upper().replace('.', '__')}": value for name, value in options.items()}
    env |= _secrets(major)
    env["AIRFLOW_HOME"] = str(home)
    env["AIRFLOW__CORE__DAGS_FOLDER"] = str(home / "dags")
    env["AIRFLOW__LOGGING__BASE_LOG_FOLDER"] = str(home / "logs")
    env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{home / 'airflow.db'}?timeout=30"
    if major >= 3:
        env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = f"http://{LOOPBACK}:{ports.tasks}/execution/"
    else:
        # LocalExecutor refuses SQLite in Airflow 2; SequentialExecutor would block the scheduler while a task runs.
        env["_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK"] = "1"
    env |= {"NO_PROXY": f"{LOOPBACK},localhost", "no_proxy": f"{LOOPBACK},localhost"}
    # Process titles would overwrite the memory in which the environment of a process can be read.
    env["SPT_NOENV"] = "1"
    # Whatever else the processes write goes below the home too, gunicorn's control socket for one.
    env |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "tmp"), "TMPDIR": str(home / "tmp")}
    return kept | env | dict(extra)


def _secrets(major: int) -> dict[str, str]:
    names = ["API__SECRET_KEY", "API_AUTH__JWT_SECRET"] if major >= 3 else ["WEBSERVER__SECRET_KEY"]
    made = {f"AIRFLOW__{name}": secrets.token_hex(32) for name in names}
    made["AIRFLOW__CORE__FERNET_KEY"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return made


_SHARED = {
    "core.executor": "LocalExecutor",
    "core.parallelism": "6",
    "core.dag_discovery_safe_mode": "False",
    "core.load_examples": "False",
    "core.dags_are_paused_at_creation": "False",
    "core.hostname_callable": "socket.gethostname",
    "database.load_default_connections": "False",
    "usage_data_collection.enabled": "False",
    "scheduler.job_heartbeat_sec": "1",
    "scheduler.scheduler_heartbeat_sec": "1",
    "scheduler.scheduler_idle_sleep_time": "0.3",
    "scheduler.orphaned_tasks_check_interval": "5",
    "scheduler.trigger_timeout_check_interval": "1",
    "triggerer.job_heartbeat_sec": "1",
    "triggerer.triggerer_health_check_threshold": "10",
}
_AIRFLOW_3 = {
    "core.simple_auth_manager_all_admins": "True",
    "dag_processor.print_stats_interval": "0",
    "scheduler.task_instance_heartbeat_timeout": "12",
    "scheduler.task_instance_heartbeat_timeout_detection_interval": "1",
    "workers.min_heartbeat_interval": "1",
}
_AIRFLOW_2 = {
    "api.auth_backends": "airflow.api.auth.backend.default",
    # SQLite locks no rows: the end of a task and the scheduler would both start what comes next, which then runs twice.
    "scheduler.schedule_after_task_execution": "False",
    "scheduler.print_stats_interval": "0",
    "scheduler.scheduler_zombie_task_threshold": "12",
    "scheduler.zombie_detection_interval": "1",
    "webserver.warn_deployment_exposure": "False",
}
