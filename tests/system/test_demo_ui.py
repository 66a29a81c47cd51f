"""``airflow-css demo --ui``, started, used and stopped as by a person."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import ROOT, page
from tests.system.installation import interpreter
from tests.system.processes import answers, free_ports, listening_addresses
from tests.system.rest import AirflowApi, RestError

pytestmark = pytest.mark.system

# As the tutorial shows it; a command that ends only with Ctrl-C cannot be typed among its others.
(TYPED,) = [block.text.split() for block in page("docs/tutorial.md").blocks("console")]
COMMAND = ("-c", "import sys; from airflow_css.cli import main; sys.exit(main())", *TYPED[1:])
PATIENCE = 180.0
DAG = ("dags", "pre_etl_backup", "dagRuns")


class Terminal:
    """
    A terminal in which the demo was typed.

    :param folder: All that it throws away is thrown into it, so its processes are known by its name.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process
        self.heard: set[str] = set()

    def screen(self) -> str:
        """Return what is seen."""
        return (self.folder / "screen").read_text()

    def pids(self) -> list[int]:
        """Return the living processes that were started below this folder, the command itself among them."""
        mark, found = str(self.folder / "tmp").encode(), []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes():
                    found.append(int(path.parent.name))
            except OSError:
                continue
        return found

    def wait_for(self, text: str) -> None:
        """Wait until a text is seen."""
        self.wait_until(lambda: text in self.screen())

    def wait_until(self, look: Callable[[], bool]) -> None:
        """Wait until it looks well; the addresses on which somebody listens meanwhile are noted."""
        deadline = time.monotonic() + PATIENCE
        while not look():
            assert time.monotonic() < deadline, self.screen()
            assert self.process.poll() is None, self.screen()
            self.heard |= listening_addresses(self.pids())
            time.sleep(0.2)

    def fact(self, name: str) -> str:
        """Return what stands behind a word in the invitation."""
        found = re.search(rf"^  {name} +(\S+)$", self.screen(), re.MULTILINE)
        assert found, self.screen()
        return found[1]

    def stop(self, number: signal.Signals) -> int:
        """Send a signal to the command alone, as kill does, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def left(self) -> tuple[list[int], list[Path]]:
        """Return what is still there: processes and throw-away folders."""
        return self.pids(), list((self.folder / "tmp").iterdir())


@contextmanager
def _typed(folder: Path, python: Path, options: Sequence[str] = (), screen: int | None = None) -> Iterator[Terminal]:
    (folder / "tmp").mkdir()
    env = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp"), "AIRFLOW_HOME": str(folder / "unused")}
    with (folder / "screen").open("wb") as file:
        process = subprocess.Popen(
            [str(python), *COMMAND, *options], cwd=folder, env=env, stdout=screen or file, stderr=subprocess.STDOUT
        )
    terminal = Terminal(folder, process)
    try:
        yield terminal
    finally:
        process.kill()
        process.wait()
        for pid in terminal.pids():
            os.kill(pid, signal.SIGKILL)


def _states(api: AirflowApi, run_id: str) -> dict[str, Any]:
    instances = api.call("GET", *DAG, run_id, "taskInstances")["task_instances"]
    return {instance["task_id"]: instance["state"] for instance in instances}


def test_the_documented_command_is_the_one_that_is_run() -> None:
    """What the tests here type is what README and tutorial tell the reader to type."""
    assert TYPED == ["airflow-css", "demo", "--ui"]
    assert "`.venv/bin/airflow-css demo --ui`" in page("README.md").text


def test_a_task_is_seen_waiting_and_ending_and_nothing_is_left(tmp_path: Path) -> None:
    """Whoever logs in as told sees the backup defer and succeed, on loopback only; Ctrl-C leaves nothing behind."""
    (port,) = free_ports(1)
    with _typed(tmp_path, interpreter(3), ["--port", str(port)]) as terminal:
        terminal.wait_for("Ctrl-C stops everything.")
        assert terminal.fact("Page") == f"http://127.0.0.1:{port}"
        api = AirflowApi(terminal.fact("Page"), 3)
        with pytest.raises(RestError, match="HTTP 401"):
            api.log_in(terminal.fact("User"), "a wrong one")
        api.log_in(terminal.fact("User"), terminal.fact("Password"))
        connection = api.call("GET", "connections", "css_default")
        assert connection["conn_type"] == "huaweicloud_css"

        api.call("POST", *DAG, body={"dag_run_id": "seen", "logical_date": None})
        terminal.wait_until(lambda: _states(api, "seen").get("backup") == "deferred")
        terminal.wait_until(lambda: set(_states(api, "seen").values()) == {"success"})

        log = str(api.call("GET", *DAG, "seen", "taskInstances", "backup", "logs", "1"))
        assert "BUILDING" in log
        assert "COMPLETED" in log
        assert "Could not read served logs" not in log
        assert len(terminal.pids()) > 5
        # The page, the server for tasks, the log server that knows nothing, and the emulator.
        assert len(terminal.heard) == 4
        assert {address.rpartition(":")[0] for address in terminal.heard} == {"127.0.0.1"}
        assert terminal.stop(signal.SIGINT) == 0
        assert terminal.left() == ([], [])
    assert "Nothing is left." in terminal.screen()
    assert not answers(port)
    assert not (tmp_path / "unused").exists(), "the user's own Airflow home is not touched"


def test_a_kept_home_is_named_and_holds_what_happened(tmp_path: Path) -> None:
    """With --keep the home outlives SIGTERM, its processes do not, and --slow announces two minutes."""
    with _typed(tmp_path, interpreter(3), ["--keep", "--slow"]) as terminal:
        terminal.wait_for("Ctrl-C stops everything.")
        assert "takes 120 s for a snapshot" in terminal.screen()
        assert terminal.stop(signal.SIGTERM) == 0
        pids, (home,) = terminal.left()
    assert pids == []
    assert f"Kept: {home}" in terminal.screen()
    assert {"airflow.db", "dags", "logs", "triggerer.log"} <= {path.name for path in home.iterdir()}


@pytest.mark.parametrize("moment", ["making a throw-away Airflow", "starting its processes"])
def test_a_start_can_be_broken_off(tmp_path: Path, moment: str) -> None:
    """A signal before anything is ready leaves nothing behind either."""
    with _typed(tmp_path, interpreter(3)) as terminal:
        terminal.wait_for(moment)
        terminal.wait_until(lambda: len(terminal.pids()) > 1)
        assert terminal.stop(signal.SIGHUP) == 0
        assert terminal.left() == ([], [])
    assert "Password" not in terminal.screen()


def test_a_closed_terminal_ends_the_demo(tmp_path: Path) -> None:
    """Without anybody to tell it to, and with nowhere to write, it still leaves nothing behind."""
    (tmp_path / "screen").touch()
    with _typed(tmp_path, interpreter(3), screen=subprocess.PIPE) as terminal:
        assert terminal.process.stdout is not None
        assert b"on this machine only" in terminal.process.stdout.readline()
        terminal.wait_until(lambda: len(terminal.pids()) > 5)
        terminal.process.stdout.close()
        terminal.stop(signal.SIGHUP)
        assert terminal.left() == ([], [])


def test_airflow_2_says_what_is_needed(tmp_path: Path) -> None:
    """On Airflow 2.11 the command ends at once, with a sentence and without a folder."""
    with _typed(tmp_path, interpreter(2)) as terminal:
        assert terminal.process.wait(60) == 1
        assert "needs Airflow 3; this is Airflow 2." in terminal.screen()
        assert terminal.left() == ([], [])
