"""
``airflow-css doctor``: examines a connection and prints what it found.

Exit code 0: nothing failed; 1: something failed; 2: the command was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Sequence

from airflow_css.diagnosis.examination import examine
from airflow_css.diagnosis.findings import Report
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.names import check_cluster_id

__all__ = ["run_doctor"]


def run_doctor(arguments: Sequence[str], *, hook_class: type[CssHook] = CssHook) -> int:
    """
    Examine a connection, print what was found, and return the exit code.

    :param arguments: The arguments after ``doctor``.
    :param hook_class: The hook; another one brings a clock of its own.
    """
    options = _parser().parse_args(arguments)
    with _without_log():
        report = examine(_silent(hook_class)(options.conn_id), options.cluster or "")
    sys.stdout.write(_json(report) if options.json else _text(report))
    return 1 if report.failed else 0


def _silent(hook_class: type[CssHook]) -> type[CssHook]:
    """Return the hook with a log that can be turned off, which the one that Airflow 3 gives it cannot."""
    return type("SilentCssHook", (hook_class,), {"log": logging.getLogger(__name__)})


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """Keep the log out of what is printed: the findings say what there is to say."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _text(report: Report) -> str:
    count = len(report.failed)
    end = f"{count} failed." if count else "Nothing failed."
    return "\n".join([*report.lines(), "", end, ""])


def _json(report: Report) -> str:
    return json.dumps(report.as_json(), indent=2) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airflow-css doctor",
        description="Finds out what is wrong with a connection. It changes nothing.",
        epilog="Exit code: 0 when nothing failed, 1 when something failed, 2 when the command was wrong.",
    )
    parser.add_argument("--conn-id", default="css_default", help="the connection (default: css_default)")
    parser.add_argument(
        "--cluster",
        type=_cluster_id,
        default=None,
        metavar="ID",
        help="the cluster to look at (default: the connection's, else all that are visible)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def _cluster_id(text: str) -> str:
    try:
        return check_cluster_id(text)
    except CssUsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
