"""How the demo's Airflow is configured and started: on loopback only, and so that a person does not wait long."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["LOOPBACK", "USER", "Ports", "commands", "environment", "loopback", "password_file"]

LOOPBACK = "127.0.0.1"
USER = "admin"


class Ports(NamedTuple):
    """
    Where the demo listens.

    :param page: Airflow's page and its public API.
    :param tasks: What Airflow's own tasks talk to.
    :param logs: What the page asks for the log of a task that is not done.
    """

    page: int
    tasks: int
    logs: int


def loopback() -> str:
    """Return the name under which each process of the demo is known to Airflow."""
    return LOOPBACK


def password_file(home: Path) -> Path:
    """Return the file from which Airflow reads the passwords of its users."""
    return home / "passwords.json"


def commands(ports: Ports) -> dict[str, list[str]]:
    """Return the command line of each process, in the order in which they start."""
    airflow = [sys.executable, "-m", "airflow"]
    server = [*airflow, "api-server", "--host", LOOPBACK, "--workers", "1", "--port"]
    # Airflow's own log servers listen on every address of the machine, and nothing can be said against it but this.
    silent = "--skip-serve-logs"
    return {
        "api-server": [*server, str(ports.page), "--apps", "core"],
        # On SQLite a click waits for the transaction of a task whose end only the same process could receive.
        "execution-api": [*server, str(ports.tasks), "--apps", "execution"],
        "dag-processor": [*airflow, "dag-processor"],
        "scheduler": [*airflow, "scheduler", silent],
        "triggerer": [*airflow, "triggerer", silent],
    }


def environment(home: Path, ports: Ports) -> dict[str, str]:
    """Return the whole environment of the processes, without what the caller's says about Airflow and clouds."""
    foreign = ("AIRFLOW_", "_AIRFLOW_", "HUAWEICLOUD_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    options = {**_OPTIONS, **_addresses(ports), **_places(home), **_keys()}
    ours = {f"AIRFLOW__{name.upper().replace('.', '__')}": value for name, value in options.items()}
    return {
        **kept,
        **ours,
        "AIRFLOW_HOME": str(home),
        # What is written beside the home's own files, sockets for one, goes away with it too.
        "TMPDIR": str(home / "tmp"),
        "XDG_RUNTIME_DIR": str(home / "tmp"),
        "NO_PROXY": f"{LOOPBACK},localhost",
        "no_proxy": f"{LOOPBACK},localhost",
        # A process title would be written over the memory by which a process is later known as one of the demo's.
        "SPT_NOENV": "1",
    }


def _addresses(ports: Ports) -> Mapping[str, str]:
    return {
        "api.base_url": f"http://{LOOPBACK}:{ports.page}",
        "core.execution_api_server_url": f"http://{LOOPBACK}:{ports.tasks}/execution/",
        "core.hostname_callable": f"{__name__}.{loopback.__name__}",
        "logging.trigger_log_server_port": str(ports.logs),
        "logging.worker_log_server_port": str(ports.logs),
    }


def _places(home: Path) -> Mapping[str, str]:
    return {
        "core.dags_folder": str(home / "dags"),
        "core.simple_auth_manager_passwords_file": str(password_file(home)),
        "core.simple_auth_manager_users": f"{USER}:admin",
        "database.sql_alchemy_conn": f"sqlite:///{home / 'airflow.db'}?timeout=30",
        "logging.base_log_folder": str(home / "logs"),
    }


def _keys() -> Mapping[str, str]:
    return {
        "api.secret_key": secrets.token_hex(32),
        "api_auth.jwt_secret": secrets.token_hex(32),
        "core.fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }


_OPTIONS = {
    "airflow_css.deployment": "demo",
    "core.auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    "core.dags_are_paused_at_creation": "False",
    "core.executor": "LocalExecutor",
    "core.load_examples": "False",
    "core.parallelism": "4",
    "core.test_connection": "Enabled",
    "dag_processor.print_stats_interval": "0",
    "database.load_default_connections": "False",
    "operators.default_deferrable": "True",
    "scheduler.job_heartbeat_sec": "1",
    "scheduler.scheduler_heartbeat_sec": "1",
    "scheduler.scheduler_idle_sleep_time": "0.3",
    "usage_data_collection.enabled": "False",
}
