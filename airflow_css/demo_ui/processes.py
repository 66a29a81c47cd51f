"""The demo's processes: where they may listen, how they start, and that none of them is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess  # nosec B404 - it starts this interpreter, without a shell
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from airflow_css.demo_ui.settings import LOOPBACK

__all__ = ["Component", "DemoError", "check_port", "end_all", "free_ports", "pids_of", "serve_no_logs", "tail"]

GENTLE_SECONDS = 3.0
KILLED_SECONDS = 10.0
LOOK_SECONDS = 0.1


class DemoError(Exception):
    """The demo cannot begin or go on; the message says why, and what to do."""


def free_ports(count: int) -> list[int]:
    """Return different ports that were free on loopback a moment ago."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def check_port(port: int) -> None:
    """
    Do nothing if the port can be listened on.

    :param port: The port, 1 to 65535.
    :raises DemoError: if it cannot, for example because somebody else listens there.
    """
    with socket.socket() as probe:
        # As the server itself does, so that connections that have just ended are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise DemoError(
                f"Cannot listen on port {port} of {LOOPBACK}: {error.strerror}. "
                "Give another with --port, or leave --port out: then a free one is taken."
            ) from error


class _NoLogs(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Say nothing: a terminal is for what matters."""


@contextmanager
def serve_no_logs() -> Iterator[int]:
    """
    Answer, with nothing, whoever asks for more of a log than stands in the files; yields the port.

    For a task that is not done, Airflow's page reads the files and then asks a log server, which nobody here runs.
    """
    with ThreadingHTTPServer((LOOPBACK, 0), _NoLogs) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


class Component:
    """
    One process of the demo, in a process group of its own, so that Ctrl-C reaches the demo alone.

    :param name: What it is called; its output goes to ``<home>/<name>.log``.
    :param command: Its command line.
    :param home: Where it runs.
    """

    def __init__(self, name: str, command: Sequence[str], home: Path) -> None:
        self.name = name
        self.log = home / f"{name}.log"
        self._command = command
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it; once this returns, the process exists."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with arguments of our own
                self._command,
                env=environment,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def exit_code(self) -> int | None:
        """Return its exit code; ``None`` while it runs, or before it was started."""
        return None if self._process is None else self._process.poll()

    def is_running(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process of its group; a group that is gone is no error."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def end_all(components: Sequence[Component], home: Path, gentle_seconds: float = GENTLE_SECONDS) -> None:
    """
    End every process of the demo, gently at first.

    :param components: What was started.
    :param home: The Airflow home, by which processes that have left their group are found.
    :param gentle_seconds: How long they have to end by themselves. Default 3.
    :raises DemoError: if one is still there after it was killed.
    """
    for component in components:
        component.send(signal.SIGTERM)
    _wait_for_end(components, gentle_seconds)
    deadline = time.monotonic() + KILLED_SECONDS
    for component in components:
        component.send(signal.SIGKILL)
    _wait_for_end(components, KILLED_SECONDS)
    while left := pids_of(home):
        if time.monotonic() > deadline:
            raise DemoError(f"These processes could not be ended: {left}")
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)


def _wait_for_end(components: Sequence[Component], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(component.is_running() for component in components) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)


def pids_of(home: Path) -> list[int]:
    """Return the processes that were started with this Airflow home, where the system tells: Linux does."""
    mark = f"AIRFLOW_HOME={home}".encode()
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _variables(path)]


def _variables(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:
        return []


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""
