"""
``airflow-css doctor``: examines a connection and prints what it found.

Exit code 0: nothing failed; 1: something failed; 2: the command was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence

from airflow_css.diagnosis.examination import examine
from airflow_css.diagnosis.findings import Report
from airflow_css.doctor.probe_command import ProbeOptions, run_probe
from airflow_css.doctor.probe_rules import check_probe_indices
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssUsageError

__all__ = ["run_doctor"]


def run_doctor(arguments: Sequence[str], *, hook_class: type[CssHook] = CssHook) -> int:
    """
    Examine a connection, print what was found, and return the exit code.

    :param arguments: The arguments after ``doctor``.
    :param hook_class: The hook; another one brings a clock of its own.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    _check(parser, options)
    # Airflow 3 looks for connections in its database only where this says so; its own commands say it as well.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    hook = _silent(hook_class)(options.conn_id)
    with _without_log():
        report = examine(hook, options.cluster or "")
        if options.probe and not report.failed:
            return _probe(parser, hook, options)
    sys.stdout.write(_json(report) if options.json else _text(report))
    if options.probe:
        sys.stderr.write("The probe did not begin: mend what failed.\n")
    return 1 if report.failed else 0


def _probe(parser: argparse.ArgumentParser, hook: CssHook, options: argparse.Namespace) -> int:
    named = options.cluster or hook.settings.cluster_id
    if not named:
        parser.error("--probe needs --cluster, because the connection names none; 'airflow-css doctor' lists the ids")
    return run_probe(hook, ProbeOptions(named, options.indices, has_consent=options.yes, as_json=options.json))


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
        description="Finds out what is wrong with a connection. Without --probe it changes nothing.",
        epilog="Exit code: 0 when nothing failed, 1 when something failed, 2 when the command was wrong.",
    )
    parser.add_argument("--conn-id", default="css_default", help="the connection (default: css_default)")
    parser.add_argument(
        "--cluster",
        default=None,
        metavar="ID",
        help="id or name of the cluster to look at (default: the connection's, else all that are visible)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--probe", action="store_true", help="make one small snapshot, see how CSS really behaves, and delete it"
    )
    parser.add_argument(
        "--indices",
        type=_indices,
        metavar="LIST",
        help="with --probe: what to make it of, one small index or a pattern that matches little",
    )
    parser.add_argument("--yes", action="store_true", help="with --probe: do not ask")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.probe and not options.indices:
        parser.error("--probe needs --indices LIST, for example --indices orders-2026: it backs up nothing unnamed")
    if not options.probe and (options.indices or options.yes):
        parser.error("--indices and --yes belong to --probe")
    if options.probe and not options.yes and not sys.stdin.isatty():
        parser.error("--probe asks before it goes on, and nobody is there to answer; --yes skips the question")


def _indices(text: str) -> str:
    try:
        return check_probe_indices(text)
    except CssUsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
