"""
The demo, as the user sees it: a backup before a load, from nothing, without an account.

Airflow runs in a process of its own, whose output goes to a file. This one keeps the emulator, follows what happens,
and tells it in plain words.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess  # nosec B404 - it starts this interpreter, without a shell
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from airflow_css import __version__
from airflow_css.emulator import CssEmulator

__all__ = ["Demo", "example_dags", "play", "run_demo", "say", "say_table"]

DAG_FILE = "pre_etl_backup.py"
QUICK_SECONDS = 1.5
SLOW_SECONDS = 120.0
# Short, so that what two files say is told in the order in which it happened.
FOLLOW_SECONDS = 0.03


def example_dags() -> Path:
    """Return the folder of the example DAGs, in an installed package as in a checkout."""
    package = Path(__file__).parent
    installed = package / "dags_examples"
    return installed if installed.is_dir() else package.parent / "dags_examples"


def run_demo(*, keep: bool = False, slow: bool = False) -> int:
    """
    Run the example DAG and tell what happens; return 0 only when the run succeeded.

    :param keep: Whether to keep the throw-away Airflow home.
    :param slow: Whether the snapshot takes two minutes.
    """
    return play(Demo, keep=keep, slow=slow)


def play(kind: type[Demo], *, keep: bool, slow: bool) -> int:
    """
    Play a demo in a throw-away folder, and return its exit code.

    The log of its Airflow stays when the demo failed, or was interrupted.

    :param kind: Which one.
    :param keep: Whether to keep the throw-away Airflow home and the log.
    :param slow: Whether the snapshot takes two minutes.
    """
    home = Path(tempfile.mkdtemp(prefix="airflow-css-demo-"))
    code = 1
    try:
        with CssEmulator(
            creation_takes=SLOW_SECONDS if slow else QUICK_SECONDS, restore_takes=QUICK_SECONDS
        ) as emulator:
            code = kind(home, emulator).run()
    finally:
        _leave(home, keep_home=keep, keep_log=keep or code != 0)
    return code


def _log_beside(home: Path) -> Path:
    # Beside the home, so that it is still there when the home is gone.
    return home.with_suffix(".log")


def _leave(home: Path, *, keep_home: bool, keep_log: bool) -> None:
    log = _log_beside(home)
    if keep_home:
        say(f"\nKept: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    if not keep_log:
        log.unlink(missing_ok=True)
    elif log.exists():
        say(f"The log of its Airflow stays: {log}")


class Demo:
    """
    Runs one example DAG and follows it.

    :param home: A folder of its own.
    :param emulator: A CSS of its own.
    """

    dag_file = DAG_FILE
    shows = "a backup of a search cluster before a load"

    def __init__(self, home: Path, emulator: CssEmulator) -> None:
        self._home = home
        self._emulator = emulator
        self._log = _log_beside(home)
        self._events = home / "events.jsonl"
        self._began = time.monotonic()
        self._outcome: dict[str, Any] = {}
        self._last_progress = ""

    def run(self) -> int:
        """Run it, tell what happens, and return 0 only when it went as it should."""
        dags = self._home / "dags"
        dags.mkdir()
        shutil.copy(self._example, dags)
        self._introduce()
        self._run_airflow(dags / self.dag_file)
        if complaint := self._complaint():
            say(f"\n{complaint}")
            return 1
        self._show_result()
        return 0

    @property
    def _example(self) -> Path:
        return example_dags() / self.dag_file

    def _complaint(self) -> str:
        """Return what did not go as it should; empty when all did."""
        return "" if self._outcome.get("state") == "success" else "The run did not succeed."

    def _introduce(self) -> None:
        say(f"airflow-css {__version__}: {self.shows}, on an emulated CSS\n")
        say(f"  CSS emulator  {self._emulator.url}")
        say(f"  DAG           {self._example}")
        say(f"  Airflow home  {self._home}")
        say(f"  Airflow log   {self._log}\n")
        say("Here the wait runs inside the same process; in production a real triggerer does the waiting.\n")

    def _run_airflow(self, dag_file: Path) -> None:
        command = [sys.executable, "-m", "airflow_css.demo_airflow", str(dag_file), str(self._events)]
        # Made anew, for nobody else to read: the folder above is everybody's, and so is the name to guess.
        self._log.touch(mode=0o600, exist_ok=False)
        with self._log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - this interpreter, our own module
                command, stdout=log, stderr=subprocess.STDOUT, env=self._environment(), start_new_session=True
            )
            try:
                self._follow(process)
            finally:
                # With the process that may still be making the database.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW_", "HUAWEICLOUD_"))}
        return kept | {
            "AIRFLOW_HOME": str(self._home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self._home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": "True",
            "AIRFLOW__AIRFLOW_CSS__DEPLOYMENT": "demo",
            "AIRFLOW_CONN_CSS_DEFAULT": self._emulator.connection_json(),
        }

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        events, log = _Follower(self._events), _Follower(self._log)
        has_ended = False
        # Once the outcome is known, the end of the interpreter would only cost time.
        while not (has_ended or self._outcome):
            has_ended = process.poll() is not None
            for line in events.new_lines():
                self._tell(json.loads(line))
            for line in log.new_lines():
                self._tell_progress(line)
            self._look()
            time.sleep(FOLLOW_SECONDS)

    def _look(self) -> None:
        """Look at the emulator between two events."""

    def _tell(self, event: dict[str, Any]) -> None:
        if "outcome" in event:
            self._outcome = event["outcome"]
        else:
            say(f"[{time.monotonic() - self._began:5.1f} s] {event['text']}")

    def _tell_progress(self, line: str) -> None:
        """Repeat what the operator says of its snapshot."""
        start = line.find("Snapshot ")
        if start >= 0 and "CSS" not in line[:start]:
            said = line[start:].partition("  ")[0].partition(" [airflow")[0].strip()
            # Airflow 2 writes a task's lines twice: for the task and for whoever watches the run.
            if said != self._last_progress:
                self._last_progress = said
                say(f"            {said}")

    def _show_result(self) -> None:
        xcoms = self._outcome["xcoms"]
        snapshot = next(s for s in self._emulator.snapshots() if s.id == xcoms["backup"]["backup_id"])
        say("\nThe snapshot, as CSS shows it:")
        say_table({**snapshot.as_json(), "description": snapshot.description})
        say("\nXComs of the run:")
        for task_id, values in xcoms.items():
            say(f"  {task_id}")
            say_table(values, indent=4)
        self._finish()
        say(_NEXT.format(connection=shlex.quote(_REAL_CONNECTION), dag=self._example))

    def _finish(self) -> None:
        say(f"\nfinished in {time.monotonic() - self._began:.1f} s")


class _Follower:
    """Reads a file that grows, whole line by whole line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0

    def new_lines(self) -> Iterator[str]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._place)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._place += len(line)
                yield line.decode(errors="replace").rstrip()


_REAL_CONNECTION = json.dumps(
    {
        "conn_type": "huaweicloud_css",
        "login": "<access key>",
        "password": "<secret key>",  # nosec B105 - a placeholder
        "extra": {"region": "cn-north-4", "project_id": "<project id>", "cluster_id": "<cluster id>"},
    }
)
_NEXT = """
To run the same DAG on a real cluster:
  1. Turn on snapshots for the cluster in the console (Cluster Snapshots).
  2. Give Airflow the connection:
     export AIRFLOW_CONN_CSS_DEFAULT={connection}
  3. Put {dag} into your DAGs folder."""


def say_table(values: Mapping[str, Any], *, indent: int = 2) -> None:
    """
    Print names and values below each other.

    :param values: The values by name.
    :param indent: How many blanks stand before each line.
    """
    width = max(len(key) for key in values)
    for key, value in values.items():
        say(f"{'':{indent}}{key:{width}}  {value if isinstance(value, str) else json.dumps(value)}")


def say(text: str) -> None:
    """
    Print a line at once.

    :param text: The line.
    """
    print(text, flush=True)  # noqa: T201 - a command speaks by printing
