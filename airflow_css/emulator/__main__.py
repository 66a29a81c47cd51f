"""
The emulator as a command: ``python -m airflow_css.emulator``, the same as ``airflow-css emulator``.

It prints the line that tells Airflow where it is, and serves until Ctrl-C. With ``--identity`` more lines follow: the
variables that lead to IAM, to a pod's keys and to the metadata service.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from airflow_css.emulator.emulator import DEFAULT_CLUSTER, DEFAULT_PROJECT_ID, DEFAULT_SECRET_KEY, CssEmulator
from airflow_css.protocol.errors import CssUsageError

__all__ = ["main"]

DEFAULT_PORT = 8099


def main(argv: Sequence[str] | None = None) -> int:
    """
    Serve until interrupted and return the exit code.

    :param argv: The arguments; default those of the process.
    """
    arguments = _parser().parse_args(argv)
    if not _is_loopback(arguments.host):
        _say(
            f"warning: --host {arguments.host} lets other machines in, over plain http. They need this machine's name "
            "in the option [airflow_css] allow_http_hosts of their Airflow, and as host of the connection."
        )
    ended = _end_on_signals()
    try:
        emulator = _emulator(arguments)
        if arguments.identity:
            emulator.identity.pod.write_token(arguments.identity)
        emulator.start()
    except (CssUsageError, OSError) as error:
        _say(f"error: {_explained(error, arguments)}")
        return 1
    try:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(emulator, arguments.identity)))
        # Whoever starts this as a child waits for the line.
        sys.stdout.flush()
        ended.wait()
    finally:
        emulator.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airflow-css emulator",
        description="Serves the CSS calls on this machine and prints the Airflow connection to it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--access-key", default="emulator-ak", help="the only access key it knows")
    parser.add_argument("--secret-key", default=DEFAULT_SECRET_KEY, help="the secret key that goes with it")
    parser.add_argument("--security-token", default=None, help="makes the key a temporary one that needs this token")
    parser.add_argument("--project-id", default=DEFAULT_PROJECT_ID, help="the only project there is")
    parser.add_argument(
        "--cluster",
        action="append",
        metavar="NAME[=UUID]",
        help=f"a cluster; may be given several times (default: {DEFAULT_CLUSTER})",
    )
    parser.add_argument(
        "--creation-takes", type=_seconds, default=10.0, metavar="SECONDS", help="how long making a snapshot takes"
    )
    parser.add_argument(
        "--restore-takes", type=_seconds, default=10.0, metavar="SECONDS", help="how long restoring one takes"
    )
    parser.add_argument(
        "--identity",
        type=Path,
        metavar="TOKEN_FILE",
        help="serve IAM, a metadata service and a pod's identity as well, and write the token of the pod to this file",
    )
    return parser


def _lines(emulator: CssEmulator, token_file: Path | None) -> Iterator[str]:
    """Return what is printed: lines that a shell understands."""
    yield f"AIRFLOW_CONN_CSS_DEFAULT={shlex.quote(emulator.connection_json())}"
    if token_file is None:
        return
    yield f"HUAWEICLOUD_SDK_IAM_ENDPOINT={emulator.identity.iam_url}"
    for name, value in emulator.identity.pod_environment(token_file).items():
        yield f"{name}={shlex.quote(value)}"
    yield f"AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT={emulator.identity.metadata_url}"


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0")
    return seconds


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _emulator(arguments: argparse.Namespace) -> CssEmulator:
    return CssEmulator(
        access_key=arguments.access_key,
        secret_key=arguments.secret_key,
        security_token=arguments.security_token,
        project_id=arguments.project_id,
        clusters=arguments.cluster or (DEFAULT_CLUSTER,),
        creation_takes=arguments.creation_takes,
        restore_takes=arguments.restore_takes,
        identity=arguments.identity is not None,
        host=arguments.host,
        port=arguments.port,
    )


def _explained(error: Exception, arguments: argparse.Namespace) -> str:
    if not isinstance(error, OSError):
        return str(error)
    if error.filename is not None:
        return f"Cannot write the token of the pod to {error.filename}: {error.strerror}. Give another --identity."
    # Everything else has to do with the address: it is unknown, or of another machine.
    is_port = error.errno in {errno.EADDRINUSE, errno.EACCES}
    way_out = "Give another port with --port; --port 0 takes a free one" if is_port else "Give another --host"
    return f"Cannot listen on port {arguments.port} of {arguments.host}: {error.strerror}. {way_out}."


def _end_on_signals() -> threading.Event:
    """Return what is set when the process is interrupted or, as containers do it, terminated."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    return ended


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
