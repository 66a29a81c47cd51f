"""The guards of ``tests/conftest.py``, tried on a test file that breaks what they guard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

OFFENDERS = """
import contextlib, os, socket, urllib.request

def test_connects():
    with contextlib.suppress(OSError), socket.socket() as s:
        s.connect(("192.0.2.1", 9))

def test_resolves():
    with contextlib.suppress(OSError):
        socket.getaddrinfo("css.example.com", 443)

def test_sends_a_datagram():
    with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("192.0.2.1", 9))

def test_fetches():
    with contextlib.suppress(OSError):
        urllib.request.urlopen("http://css.example.com/")
"""

INNOCENTS = """
import os, socket

def test_talks_to_itself():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()

def test_sees_no_foreign_environment():
    assert "HUAWEICLOUD_SDK_AK" not in os.environ
    assert "AIRFLOW_CONN_CSS_DEFAULT" not in os.environ
    assert "HTTPS_PROXY" not in os.environ
    assert os.environ["AIRFLOW_CSS_TEST_SOMETHING"] == "kept"

def test_changes_the_environment():
    os.environ["CHANGED_BY_A_TEST"] = "yes"

def test_sees_no_change_of_another_test():
    assert "CHANGED_BY_A_TEST" not in os.environ
"""


def _run_pytest(folder: Path, source: str) -> str:
    """Run ``source`` below a copy of the conftest, in an environment full of foreign settings."""
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_planted.py").write_text(source)
    foreign = {
        "HUAWEICLOUD_SDK_AK": "foreign",
        "AIRFLOW_CONN_CSS_DEFAULT": "foreign",
        "HTTPS_PROXY": "http://192.0.2.1:9",
        "AIRFLOW_CSS_TEST_SOMETHING": "kept",
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    done = subprocess.run(
        command, env=os.environ | foreign, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


def test_leaving_the_machine_fails_a_test_that_swallows_the_refusal(tmp_path: Path) -> None:
    """Each way of reaching another machine turns its test red, although the test ignores the error."""
    output = _run_pytest(tmp_path, OFFENDERS)
    assert "4 passed, 4 errors" in output, output
    assert output.count("left this machine") >= OFFENDERS.count("def test_"), output


def test_loopback_and_a_clean_environment_are_granted(tmp_path: Path) -> None:
    """Loopback works, foreign settings are gone, our own are kept, and changes do not outlive their test."""
    output = _run_pytest(tmp_path, INNOCENTS)
    assert "4 passed" in output, output


@pytest.mark.parametrize("name", ["AIRFLOW_HOME", "AIRFLOW__CORE__LOAD_EXAMPLES"])
def test_airflow_is_sent_to_a_home_of_the_suite(name: str) -> None:
    """Airflow finds a home of this test run, so that a test never writes into the home of whoever runs it."""
    assert name in os.environ
    assert Path(os.environ["AIRFLOW_HOME"]).name.startswith("airflow-css-tests-")
