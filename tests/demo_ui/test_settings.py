"""How the demo's Airflow is configured: on loopback, in its home, by nobody else's settings."""

from __future__ import annotations

import os
import re
from importlib import import_module
from pathlib import Path

from airflow_css.demo_ui.settings import Ports, commands, environment

PORTS = Ports(page=40001, tasks=40002, logs=40003)
HOME = Path("/somewhere/home")


def test_every_server_is_told_to_listen_on_loopback() -> None:
    """A command either names the address, or starts none of the log servers that listen everywhere."""
    silent = {"dag-processor"}
    for name, command in commands(PORTS).items():
        told = "--host 127.0.0.1" in " ".join(command) or "--skip-serve-logs" in command
        assert told or name in silent, name


def test_every_address_is_loopback() -> None:
    """Each URL among the settings leads to this machine, and the page's own port is the page's."""
    set_by_us = environment(HOME, PORTS)
    hosts = {host for value in set_by_us.values() for host in re.findall(r"^https?://([^:/]+):4000\d", value)}
    assert hosts == {"127.0.0.1"}
    assert set_by_us["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:40001"


def test_the_name_of_the_machine_is_found_by_airflow() -> None:
    """The setting names a function that gives the loopback address."""
    module, _, function = environment(HOME, PORTS)["AIRFLOW__CORE__HOSTNAME_CALLABLE"].rpartition(".")
    assert getattr(import_module(module), function)() == "127.0.0.1"


def test_foreign_settings_are_left_out() -> None:
    """What the caller's shell says about Airflow, its connections and the cloud does not reach the demo."""
    os.environ.update(
        AIRFLOW_CONN_CSS_DEFAULT="foreign",
        AIRFLOW__CORE__EXECUTOR="foreign",
        AIRFLOW__CORE__FERNET_KEY_CMD="foreign",
        HUAWEICLOUD_SDK_AK="foreign",
        KEPT="kept",
    )
    found = environment(HOME, PORTS)
    assert "foreign" not in found.values()
    assert found["KEPT"] == "kept"


def test_two_demos_share_no_key() -> None:
    """Keys are made for each demo, so a token of one opens nothing of another."""
    names = ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY")
    first, second = environment(HOME, PORTS), environment(HOME, PORTS)
    assert [first[name] == second[name] for name in names] == [False] * 3
