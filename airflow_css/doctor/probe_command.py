"""``airflow-css doctor --probe``: asks, probes, and prints a table without ids and keys."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from airflow_css import __version__
from airflow_css.client.css import CssClient
from airflow_css.diagnosis.checks import longest_of_late
from airflow_css.diagnosis.examination import Subject
from airflow_css.doctor.assumptions import Outcome, WalkedRow, as_table, walk
from airflow_css.doctor.probe import Probed, probe
from airflow_css.doctor.probe_rules import ProbeOrder, why_not_now
from airflow_css.protocol.errors import CssError
from airflow_css.protocol.models import Cluster
from airflow_css.protocol.names import is_cluster_id

__all__ = ["ProbeOptions", "run_probe"]

FAILED = 1
STOPPED = 130
_CONSENT = """\
The probe makes one snapshot, {name}, of {indices} in {cluster}.
While it is made, no other snapshot or restore can begin there, and an automatic one that falls due is cancelled.
It also sends creations and a deletion that CSS should refuse. In the end it deletes what it made, and nothing else.
It takes as long as a snapshot of these indices takes, and uses the bucket of the cluster meanwhile.
"""
_EMPTY = """\
warning: The snapshot held no index: nothing in the cluster matches {indices}. What was seen is of an empty snapshot; \
name an index that is there with --indices."""


@dataclass(frozen=True)
class ProbeOptions:
    """
    What was said on the command line.

    :param cluster: Id or name of a cluster that was found.
    :param indices: The indices, checked.
    :param has_consent: Whether to go on without asking.
    :param as_json: Whether to print JSON.
    """

    cluster: str
    indices: str
    has_consent: bool
    as_json: bool


def run_probe(hook: Subject, options: ProbeOptions, ask: Callable[[str], str] = input) -> int:
    """
    Probe a cluster, print what was seen, and return the exit code.

    :param hook: The hook of a connection in which nothing failed.
    :param options: What was said on the command line.
    :param ask: Shows a question and returns the answer.
    """
    client = hook.get_conn()
    try:
        cluster, obstacle = _look(client, options.cluster)
    except CssError as error:
        return _refuse(str(error))
    if obstacle:
        return _refuse(obstacle)
    order = ProbeOrder(cluster.id, options.indices, secrets.token_hex(6))
    if not options.has_consent and not _is_agreed(order, cluster, ask):
        return _refuse("Nothing was done.")
    with _stopping_like_ctrl_c():
        probed = probe(client, order, _tell)
    if probed.is_empty:
        _tell(_EMPTY.format(indices=order.indices))
    rows = walk(probed.notes, probed.reasons)
    print_it = _print_json if options.as_json else _print_text
    print_it(probed, rows, _place(hook, cluster, client.clock.now()))
    return _exit_code(probed, rows)


def _look(client: CssClient, named: str) -> tuple[Cluster, str]:
    found = None if is_cluster_id(named) else client.find_cluster(named)
    cluster = client.get_cluster(found.id if found else named)
    longest = longest_of_late(client.list_snapshots(cluster.id))
    return cluster, why_not_now(cluster, client.get_snapshot_policy(cluster.id), longest, client.clock.now())


def _is_agreed(order: ProbeOrder, cluster: Cluster, ask: Callable[[str], str]) -> bool:
    _tell(_CONSENT.format(name=order.name, indices=order.indices, cluster=cluster.label).rstrip())
    return ask("Go on? [y/N] ").strip().lower() in {"y", "yes"}


@contextlib.contextmanager
def _stopping_like_ctrl_c() -> Iterator[None]:
    """Let a request to end, as a container gets when it stops, delete what was made, like Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _place(hook: Subject, cluster: Cluster, now: datetime) -> str:
    where = hook.settings.region or "no region named"
    return f"{where}, {cluster.engine} {cluster.engine_version}, airflow-css {__version__}, {now:%Y-%m-%d}"


def _print_text(probed: Probed, rows: tuple[WalkedRow, ...], place: str) -> None:
    lines = ["", place, "", *as_table(rows), ""]
    sys.stdout.write("\n".join([*lines, *_endings(probed), ""]))


def _endings(probed: Probed) -> list[str]:
    lines = [f"It ended early: {probed.trouble}"] if probed.trouble else []
    lines += [
        f"LEFT BEHIND: {label}. Delete it in the console (Cluster Snapshots), or with CssHook().delete_snapshot()."
        for label in probed.left_behind
    ]
    return lines or ["Nothing is left behind."]


def _print_json(probed: Probed, rows: tuple[WalkedRow, ...], place: str) -> None:
    report = {
        "place": place,
        "is_empty": probed.is_empty,
        "rows": [row.as_json() for row in rows],
        "trouble": probed.trouble,
        "left_behind": list(probed.left_behind),
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


def _exit_code(probed: Probed, rows: tuple[WalkedRow, ...]) -> int:
    if probed.was_interrupted:
        return STOPPED
    is_contradicted = any(row.outcome is Outcome.CONTRADICTED for row in rows)
    return FAILED if probed.trouble or probed.left_behind or is_contradicted else 0


def _refuse(reason: str) -> int:
    _tell(reason)
    return FAILED


def _tell(line: str) -> None:
    # Not where the table goes: that is for pasting, or for a program.
    sys.stderr.write(f"{line}\n")
