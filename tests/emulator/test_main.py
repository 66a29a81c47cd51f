"""The command: the line it prints, what it warns of, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_css.emulator import CssEmulator


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "airflow_css.emulator", "--port", "0", *arguments]
    # Buffered as usual, so that the line arrives only if the command sees to it.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def _connection(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    (word,) = shlex.split(process.stdout.readline())
    name, _, value = word.partition("=")
    assert name == "AIRFLOW_CONN_CSS_DEFAULT"
    connection: dict[str, Any] = json.loads(value)
    return connection


def _state(connection: dict[str, Any]) -> dict[str, Any]:
    caller = http.client.HTTPConnection(connection["host"].removeprefix("http://"), timeout=10)
    caller.request("GET", "/_emulator/state")
    state: dict[str, Any] = json.loads(caller.getresponse().read())
    caller.close()
    return state


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_the_connection_and_stops_cleanly(number: signal.Signals) -> None:
    """Once the line is there the port answers; interrupted or terminated it ends with 0 and without a word."""
    with _running() as process:
        connection = _connection(process)
        state = _state(connection)
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert [cluster["cluster"]["name"] for cluster in state["clusters"]] == ["search-dev"]


def test_every_option_arrives() -> None:
    """Keys, token, project, clusters and duration are those of the command line."""
    two = "11111111-2222-4333-8444-555555555555"
    options = ["--access-key", "AK", "--secret-key", "it's secret", "--security-token", "T", "--project-id", "p" * 32]
    with _running(
        *options, "--cluster", "one", "--cluster", f"two={two}", "--creation-takes", "0.5", "--restore-takes", "1"
    ) as process:
        connection = _connection(process)
        state = _state(connection)
    assert (connection["login"], connection["password"]) == ("AK", "it's secret")
    extra = connection["extra"]
    assert (extra["security_token"], extra["project_id"]) == ("T", "p" * 32)
    found = {cluster["cluster"]["name"]: cluster["cluster"]["id"] for cluster in state["clusters"]}
    assert found == {"one": extra["cluster_id"], "two": two}


def test_it_serves_what_hands_keys_out_when_asked_to(tmp_path: Path) -> None:
    """Four lines more: IAM, the two variables of a pod with its token in a file, and the metadata service's option."""
    file = tmp_path / "pod token"
    with _running("--identity", str(file)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(5)]
        env = dict(word.split("=", 1) for line in lines for word in shlex.split(line))
        urls = [env["HUAWEICLOUD_SDK_IAM_ENDPOINT"], env["HC_CONTAINER_CREDENTIALS_FULL_URI"]]
        urls.append(env["AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT"])
        statuses = [_status(url) for url in urls]
    assert next(iter(env)) == "AIRFLOW_CONN_CSS_DEFAULT"
    assert env["HC_CONTAINER_AUTHORIZATION_TOKEN_FILE"] == str(file)
    assert len(file.read_text().strip()) > 100
    assert statuses == [401, 404, 404]


def _status(url: str) -> int:
    parts = urlsplit(url)
    caller = http.client.HTTPConnection(parts.netloc, timeout=10)
    caller.request("GET", parts.path or "/")
    status = caller.getresponse().status
    caller.close()
    return status


def _ended(*arguments: str) -> tuple[int, str, str]:
    with _running(*arguments) as process:
        out, err = process.communicate(timeout=20)
        return process.returncode, out, err


def test_opening_it_to_others_is_warned_of() -> None:
    """Another address than loopback gives a warning before anything is opened."""
    code, out, err = _ended("--host", "192.0.2.1")
    assert (code, out) == (1, "")
    warning, error = err.splitlines()
    assert warning.startswith("warning: --host 192.0.2.1 ")
    assert "allow_http_hosts" in warning
    assert error.startswith("error: Cannot listen on port 0 of 192.0.2.1: ")
    assert error.endswith(" Give another --host.")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--project-id", "short"], 1, "project id"),
        (["--cluster", "one=two"], 1, "cluster id"),
        (["--creation-takes", "-1"], 2, "is not a number of seconds"),
        (["--creation-takes", "nan"], 2, "is not a number of seconds"),
        (["--restore-takes", "-1"], 2, "is not a number of seconds"),
        (["--identity", "/no/such/folder/token"], 1, "Cannot write the token of the pod to /no/such/folder/token: "),
    ],
)
def test_what_cannot_work_is_explained(arguments: list[str], code: int, words: str) -> None:
    """It ends at once with a sentence, without a traceback, and prints no connection."""
    ended, out, err = _ended(*arguments)
    assert (ended, out) == (code, "")
    assert words in err
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_explained() -> None:
    """A second emulator on the same port ends with a sentence instead of serving on another one."""
    with CssEmulator() as emulator:
        port = emulator.url.rpartition(":")[2]
        code, out, err = _ended("--port", port)
    assert (code, out) == (1, "")
    assert err.startswith(
        f"error: Cannot listen on port {port} of 127.0.0.1: Address already in use. Give another port"
    )
    assert "--port 0" in err
