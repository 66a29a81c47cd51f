"""
The command ``airflow-css demo --ui``: an Airflow to look at, with an emulated CSS behind it.

It starts everything, says where the page is once it really answers, and keeps running until it is told to stop.
"""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import metadata
from pathlib import Path

from airflow_css import __version__
from airflow_css.demo import DAG_FILE, SLOW_SECONDS, example_dags
from airflow_css.demo_ui.page import AirflowPage
from airflow_css.demo_ui.processes import Component, DemoError, check_port, end_all, free_ports, serve_no_logs, tail
from airflow_css.demo_ui.settings import USER, Ports, commands, environment, password_file
from airflow_css.emulator import CssEmulator

__all__ = ["check_version", "run_demo_ui"]

# Long enough to find the task in the page while it waits.
SECONDS = 30.0
START_SECONDS = 300.0
LOOK_SECONDS = 0.2


def run_demo_ui(*, keep: bool = False, slow: bool = False, port: int | None = None) -> int:
    """
    Start Airflow with its page and serve until Ctrl-C; return 0 when it was stopped by that.

    :param keep: Whether to keep the throw-away Airflow home, with its database and logs.
    :param slow: Whether a snapshot takes two minutes.
    :param port: The port of the page; default a free one.
    """
    stop = _Stop()
    with stop.listening():
        try:
            return _run(stop, port, keep=keep, takes=SLOW_SECONDS if slow else SECONDS)
        except DemoError as error:
            sys.stderr.write(f"{error}\n")
            return 1


class _Stop:
    """Whether the demo was told to stop: by Ctrl-C, by a closed terminal, or as services are."""

    def __init__(self) -> None:
        self.has_come = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        # A handler that only notes it: an exception could strike while the processes are being ended.
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, *_: object) -> None:
        self.has_come = True


def _run(stop: _Stop, port: int | None, *, keep: bool, takes: float) -> int:
    # Not asked of Airflow itself: importing it here would make a home in the user's own folder.
    version = metadata.version("apache-airflow")
    check_version(version)
    if port is not None:
        check_port(port)
    home = Path(tempfile.mkdtemp(prefix="airflow-css-demo-")).resolve()
    try:
        # A wait of a few seconds may be over before Airflow's scheduler has noted that it began.
        with CssEmulator(creation_takes=takes, restore_takes=takes) as emulator, serve_no_logs() as logs:
            page, tasks = free_ports(2)
            _say(
                f"airflow-css {__version__}: Airflow {version} with its page, and an emulated CSS, on this machine only"
            )
            return _Demo(home, Ports(port or page, tasks, logs), emulator, stop).run(takes)
    finally:
        _leave(home, keep=keep)


def check_version(version: str) -> None:
    """
    Do nothing if this Airflow has the page that the demo shows.

    :param version: Airflow's version, for example ``3.3.2``.
    :raises DemoError: if it has not.
    """
    if int(version.partition(".")[0]) < 3:
        raise DemoError(
            f"airflow-css demo --ui needs Airflow 3; this is Airflow {version}. "
            "airflow-css demo, without --ui, runs the same DAG here."
        )


def _leave(home: Path, *, keep: bool) -> None:
    if keep:
        _say(f"Stopped. Kept: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
        _say(f"Could not remove all of {home}" if home.exists() else "Stopped. Nothing is left.")


class _Demo:
    def __init__(self, home: Path, ports: Ports, emulator: CssEmulator, stop: _Stop) -> None:
        self._home = home
        self._ports = ports
        self._emulator = emulator
        self._stop = stop
        self._environment = environment(home, ports)
        self._page = AirflowPage(ports.page, USER, secrets.token_urlsafe(9))
        self._components: list[Component] = []
        self._began = time.monotonic()

    def run(self, takes: float) -> int:
        try:
            self._lay_out()
            # Each step is false once the demo was told to stop.
            if self._make_database() and self._start() and self._furnish():
                _say(self._invitation(takes))
                self._wait(lambda: False, float("inf"), "")
        finally:
            _say("\nStopping.")
            end_all(self._components, self._home)
        return 0

    def _lay_out(self) -> None:
        (self._home / "tmp").mkdir()
        shutil.copytree(example_dags(), self._home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        # Whoever keeps the home may open the folder to others; the passwords stay with their owner.
        password_file(self._home).touch(mode=0o600)
        password_file(self._home).write_text(json.dumps({self._page.user: self._page.password}))

    def _make_database(self) -> bool:
        self._tell(f"making a throw-away Airflow in {self._home}")
        migration = Component("database", [sys.executable, "-m", "airflow", "db", "migrate"], self._home)
        self._components = [migration]
        migration.start(self._environment)
        if not self._wait(lambda: not migration.is_running(), START_SECONDS, "the database"):
            return False
        with closing(sqlite3.connect(self._home / "airflow.db")) as database:
            # Readers and the writer no longer wait for each other; the setting stays in the file.
            database.execute("PRAGMA journal_mode = WAL")
        return True

    def _start(self) -> bool:
        self._tell("starting its processes: page, scheduler, triggerer and what they need")
        self._components = [Component(name, argv, self._home) for name, argv in commands(self._ports).items()]
        for component in self._components:
            component.start(self._environment)
        return self._wait(lambda: not self._page.missing(), START_SECONDS, "the page and a healthy Airflow")

    def _furnish(self) -> bool:
        try:
            self._page.log_in()
            self._page.add_connection("css_default", json.loads(self._emulator.connection_json()))
        except OSError as error:
            raise DemoError(f"The page did not take the connection: {error}.\n{self._tails()}") from error
        # The one that the invitation names: another one may need a newer Airflow.
        dag_id = Path(DAG_FILE).stem
        self._tell("the page answers; waiting for the example DAGs")
        return self._wait(lambda: dag_id in self._page.dag_ids(), START_SECONDS, f"the DAG {dag_id}")

    def _wait(self, look: Callable[[], bool], seconds: float, what: str) -> bool:
        """Wait until it looks well, and return whether it does: not when the demo was told to stop before."""
        deadline = time.monotonic() + seconds
        while not self._stop.has_come:
            self._check_processes()
            if look():
                return True
            if time.monotonic() > deadline:
                raise DemoError(f"Waited {seconds:.0f} s for {what}.\n{self._tails()}")
            time.sleep(LOOK_SECONDS)
        return False

    def _check_processes(self) -> None:
        for component in self._components:
            # What makes the database is meant to end, but well.
            if component.exit_code() or (component.exit_code() == 0 and component.name != "database"):
                raise DemoError(
                    f"The process {component.name} has ended with code {component.exit_code()}. "
                    f"The end of its log:\n{tail(component.log)}"
                )

    def _tails(self) -> str:
        return "\n".join(f"--- {component.name}\n{tail(component.log)}" for component in self._components)

    def _invitation(self, takes: float) -> str:
        return _INVITATION.format(
            seconds=time.monotonic() - self._began,
            page=self._page,
            emulator=self._emulator.url,
            takes=takes,
        )

    def _tell(self, text: str) -> None:
        _say(f"[{time.monotonic() - self._began:5.1f} s] {text}")


_INVITATION = """[{seconds:5.1f} s] ready

  Page          {page.url}
  User          {page.user}
  Password      {page.password}
  CSS emulator  {emulator}/_emulator/state

Open the DAG pre_etl_backup and press Trigger. The emulated CSS takes {takes:.0f} s for a snapshot or a restore.
Meanwhile the task is "deferred": it waits in the triggerer, and no worker is held.
The connection css_default is under Admin, Connections. Its keys open nothing but the emulator.

Ctrl-C stops everything."""


def _say(text: str) -> None:
    # A terminal that is gone must not keep the processes from being ended.
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201 - a command speaks by printing
