"""The command ``airflow-css``: the demo, the doctor and the emulator."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from airflow_css import __version__

__all__ = ["main"]

# What a shell reports of a command that Ctrl-C ended.
STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line and return its exit code, 130 when Ctrl-C ended it.

    :param arguments: The arguments after the command's name; default those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return STOPPED


def _run(given: list[str]) -> int:
    if given[:1] == ["emulator"]:
        # It reads its own options, so that it is the same command as ``python -m airflow_css.emulator``.
        from airflow_css.emulator.__main__ import main as emulate

        return emulate(given[1:])
    if given[:1] == ["doctor"]:
        # It alone loads Airflow.
        from airflow_css.doctor.command import run_doctor

        return run_doctor(given[1:])
    parser = _parser()
    options = parser.parse_args(given)
    if options.ui and options.rollback:
        parser.error("--rollback tells what happens here, so it does not go with --ui")
    if options.ui:
        from airflow_css.demo_ui.command import run_demo_ui

        return run_demo_ui(keep=options.keep, slow=options.slow, port=options.port)
    if options.port is not None:
        parser.error("--port is the port of the page, so it needs --ui")
    if options.rollback:
        from airflow_css.demo_rollback import run_demo_rollback

        return run_demo_rollback(keep=options.keep, slow=options.slow)
    from airflow_css.demo import run_demo

    return run_demo(keep=options.keep, slow=options.slow)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airflow-css", description="Snapshots of Huawei Cloud CSS clusters in Airflow."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="run an example DAG on an emulated CSS; needs no account")
    demo.add_argument("--ui", action="store_true", help="start Airflow 3 with its web page instead, until Ctrl-C")
    demo.add_argument("--rollback", action="store_true", help="show a load that breaks and is undone")
    demo.add_argument("--port", type=_port, help="with --ui: the port of the page (default: a free one)")
    demo.add_argument("--keep", action="store_true", help="keep the throw-away Airflow home and its log")
    demo.add_argument("--slow", action="store_true", help="let the snapshot take two minutes")
    commands.add_parser("doctor", help="find out what is wrong with a connection", add_help=False)
    commands.add_parser("emulator", help="serve an emulated CSS on this machine", add_help=False)
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port: it is a number from 1 to 65535, for example 8080")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
