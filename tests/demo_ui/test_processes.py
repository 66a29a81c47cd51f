"""The demo's processes: none is left, however it behaves."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_css.demo_ui.processes import (
    Component,
    DemoError,
    check_port,
    end_all,
    free_ports,
    pids_of,
    serve_no_logs,
    tail,
)

# Takes no notice of a gentle end, and has a child that has left its process group, as Airflow's tasks do.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
print("ready", flush=True)
time.sleep(120)
"""


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _start(home: Path, code: str) -> Component:
    component = Component("part", [sys.executable, "-c", code], home)
    component.start({**os.environ, "AIRFLOW_HOME": str(home)})
    return component


def _wait_until(look: Callable[[], bool], component: Component) -> None:
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline, tail(component.log)
        time.sleep(0.02)


def _wait_for_lines(component: Component, number: int) -> None:
    _wait_until(lambda: len(tail(component.log).splitlines()) >= number, component)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells with what a process was started")
def test_what_ignores_a_gentle_end_and_what_left_its_group_is_ended(tmp_path: Path) -> None:
    """After the end neither the process nor its runaway child is alive, and processes of another home are."""
    other_home = tmp_path / "other"
    other_home.mkdir()
    component, bystander = _start(tmp_path, STUBBORN), _start(other_home, STUBBORN)
    _wait_for_lines(component, 2)
    _wait_for_lines(bystander, 2)
    pids = pids_of(tmp_path)
    assert len(pids) == 2
    end_all([component], tmp_path, gentle_seconds=0.2)
    assert not [pid for pid in pids if _is_alive(pid)]
    assert len(pids_of(other_home)) == 2
    end_all([bystander], other_home, gentle_seconds=0.2)
    assert pids_of(other_home) == []


def test_a_process_that_ends_by_itself_is_no_error(tmp_path: Path) -> None:
    """Its exit code is known, and ending it once more does nothing."""
    component = _start(tmp_path, "print('said'); raise SystemExit(3)")
    _wait_until(lambda: not component.is_running(), component)
    end_all([component], tmp_path)
    assert component.exit_code() == 3
    assert not component.is_running()
    assert tail(component.log) == "said"


def test_what_never_started_can_be_ended(tmp_path: Path) -> None:
    """A demo that is stopped before its processes exist has nothing to complain about."""
    component = Component("part", ["nothing"], tmp_path)
    end_all([component], tmp_path)
    assert component.exit_code() is None
    assert tail(component.log) == ""


def test_a_taken_port_is_named_with_a_way_out() -> None:
    """The sentence names the port and the option; a port that is free is no error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"port {port} of 127.0.0.1: .*another with --port"):
            check_port(port)
    check_port(port)


def test_free_ports_are_different() -> None:
    """Two servers do not get the same port."""
    assert len(set(free_ports(5))) == 5


def test_the_log_server_has_nothing_to_add() -> None:
    """It answers on loopback, well and emptily, and is gone afterwards."""
    with serve_no_logs() as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/log/dag_id=a/attempt=1.log") as answer:
            assert (answer.status, answer.read()) == (200, b"")
        with pytest.raises(DemoError):
            check_port(port)
    check_port(port)
