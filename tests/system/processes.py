"""Child processes of the bench: start them, read their logs, end them all by pid."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tests.system.homes import tail

# Every process of a bench inherits this variable, so it can be found after it has left its process group.
TOKEN_VARIABLE = "AIRFLOW_CSS_BENCH"


def free_ports(count: int) -> list[int]:
    """Return different TCP ports that were free on 127.0.0.1 a moment ago."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def answers(port: int) -> bool:
    """Return whether somebody accepts connections at a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def carries(pid: int, token: str) -> bool:
    """Return whether process ``pid`` is alive and was started with ``token`` in its environment."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{TOKEN_VARIABLE}={token}".encode() in environment.split(b"\0")


def pids_with(token: str) -> list[int]:
    """Return the pids of all living processes that were started with ``token`` in their environment."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if carries(pid, token)]


def parent_of(pid: int) -> int:
    """Return the pid of the parent of process ``pid``."""
    # The name in the second field may hold blanks and brackets; what follows the last bracket is regular.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def end_all(token: str, timeout: float = 10.0) -> None:
    """
    End every process that carries ``token``.

    :raises RuntimeError: when one is still alive after ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while pids := pids_with(token):
        if time.monotonic() > deadline:
            raise RuntimeError(f"still alive {timeout:.0f} s after SIGKILL: {pids}")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


class Component:
    """
    One long-running Airflow process, such as the scheduler, in a process group of its own.

    :param name: name of the component; its output goes to ``<folder>/<name>.log``.
    :param argv: the command.
    :param env: its whole environment.
    :param folder: where it runs and logs.
    """

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(env)
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; its output is appended to the log."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.argv,
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The pid of the main process, which is also the id of its process group."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return None if self._process is None else self._process.poll()

    def stop(self, sig: signal.Signals = signal.SIGTERM, timeout: float = 5.0) -> None:
        """
        Stop the process, and whatever is left of its process group.

        :param sig: sent to the main process first; SIGTERM lets it finish its business.
        :param timeout: seconds until SIGKILL ends the whole group.
        """
        if self._process is None:
            return
        if self._process.poll() is None and sig is not signal.SIGKILL:
            self._process.send_signal(sig)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def check_alive(self) -> None:
        """
        Do nothing while the process runs.

        :raises RuntimeError: when it has ended; the message ends with the tail of its log.
        """
        code = self.exit_code()
        if code is not None:
            raise RuntimeError(f"{self.name} ended with code {code}:\n{tail(self.log)}")


def listening_addresses(pids: Collection[int]) -> set[str]:
    """Return the local addresses, as ``address:port``, on which processes listen for TCP connections."""
    owned = {link for pid in pids for link in _open_files(pid)}
    found = set()
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            # 0A is the state "listening"; the tenth field is the socket's inode.
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in owned:
                address, _, port = fields[1].partition(":")
                words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
                found.add(f"{socket.inet_ntop(family, b''.join(words))}:{int(port, 16)}")
    return found


def _open_files(pid: int) -> list[str]:
    try:
        return [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []
