"""What the deployment's own configuration says."""

from __future__ import annotations

import os

import pytest

from airflow_css.hooks.options import allowed_http_hosts, deployment_of_this_airflow
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

BASE_URL = "AIRFLOW__API__BASE_URL" if AIRFLOW_V_3_0_PLUS else "AIRFLOW__WEBSERVER__BASE_URL"


def test_the_option_names_the_deployment() -> None:
    """The option goes before the web address."""
    os.environ[BASE_URL] = "https://airflow.example.com"
    os.environ["AIRFLOW__AIRFLOW_CSS__DEPLOYMENT"] = "prod"
    assert deployment_of_this_airflow() == "prod"


@pytest.mark.parametrize(
    ("url", "deployment"),
    [
        ("https://airflow.example.com:8443/path", "airflow.example.com"),
        ("https://Airflow.Example.com", "airflow.example.com"),
        ("http://localhost:8080", ""),
        ("http://127.0.0.1:8080", ""),
        ("http://[::1]:8080", ""),
        ("http://0.0.0.0:8080", ""),
        ("", ""),
        ("/", ""),
        ("airflow.example.com", ""),
    ],
)
def test_the_web_address_names_the_deployment_unless_it_is_local(url: str, deployment: str) -> None:
    """A host of this machine would be the same in every Airflow, so it names none."""
    os.environ[BASE_URL] = url
    assert deployment_of_this_airflow() == deployment


def test_without_configuration_nothing_names_the_deployment() -> None:
    """An Airflow as it is installed has no name."""
    assert deployment_of_this_airflow() == ""


@pytest.mark.parametrize(
    ("option", "hosts"),
    [("", ()), (" , ", ()), ("css-emulator", ("css-emulator",)), ("A, b ,", ("a", "b"))],
)
def test_hosts_without_encryption_are_listed_with_commas(option: str, hosts: tuple[str, ...]) -> None:
    """Blanks and capitals do not matter."""
    os.environ["AIRFLOW__AIRFLOW_CSS__ALLOW_HTTP_HOSTS"] = option
    assert allowed_http_hosts() == hosts


def test_no_host_is_allowed_by_default() -> None:
    """Nobody gets an unencrypted connection without asking for it."""
    assert allowed_http_hosts() == ()
