"""
Waiting in the worker for a cluster to become free, then doing what it was waited for.

CSS runs one snapshot or restore at a time. "Busy" may also be said of a cluster that looks idle; then the next try
is put off ever longer, and after ten such contradictions in a row given up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from airflow_css.client.clock import chance
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import (
    CssAuthError,
    CssBusyError,
    CssError,
    CssWaitTimeoutError,
)
from airflow_css.protocol.models import Cluster, SnapshotStatus
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.turns import Contradictions
from airflow_css.protocol.waiting import next_delay, pointless_to_wait
from airflow_css.tasks.looks import PatientLooks, renews_refused_keys
from airflow_css.triggers.log import Log

__all__ = ["Turn", "TurnInWorker", "at_work", "late_turn"]

if TYPE_CHECKING:
    from airflow_css.client.css import CssClient

T = TypeVar("T")


@dataclass(frozen=True)
class Turn:
    """
    What is waited for.

    :param cluster_id: The cluster that must be available and idle.
    :param timeout: Seconds to wait for it to become free; 0 for not at all.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param source_id: Another cluster that must be at rest, too: the one that is restored from. Default none.
    """

    cluster_id: str
    timeout: float
    poll_interval: float | None = None
    source_id: str = ""


class TurnInWorker:
    """
    Takes a cluster's turn.

    :param hook: Brings client and clock.
    :param turn: Whose, and how long to wait for it.
    :param log: Where the waiting is told.
    """

    def __init__(self, hook: CssHook, turn: Turn, log: Log) -> None:
        self._hook = hook
        self._turn = turn
        self._log = log
        self._looks = PatientLooks(hook, log)
        self._contradictions = Contradictions()
        self._told = ""

    def take(self, attempt: Callable[[], T]) -> T:
        """
        Return what the attempt returns, after waiting for the turn as long as is allowed.

        :param attempt: Does what is waited for, or raises ``CssBusyError``; then it is called again.
        :raises CssWaitTimeoutError: if the cluster did not become free in time.
        :raises CssBusyError: if no waiting is allowed, or "busy" is said of an idle cluster again and again.
        :raises CssStateError: if waiting is pointless: the cluster is down, or its snapshot function is off.
        """
        was_renewed = False
        asked_at = self._hook.clock.now()
        while True:
            try:
                return attempt()
            except CssAuthError as error:
                # Once: a backend that gives other keys at each read would make this a loop without end.
                if was_renewed or not renews_refused_keys(self._hook, error):
                    raise
                was_renewed = True
            except CssBusyError as busy:
                if self._turn.timeout == 0:
                    raise
                was_renewed = False
                self._await_turn(busy, asked_at)

    def _await_turn(self, busy: CssBusyError, asked_at: datetime) -> None:
        began = self._hook.clock.now()
        was_busy = False
        while True:
            cluster = self._looks.ask(lambda client: at_work(client, self._turn))
            if cluster is not None:
                if cluster.is_idle:
                    break
                was_busy = True
                self._tell(cluster, asked_at)
            delay = next_delay(
                self._seconds_since(began), expected=None, chance=chance(), at_least=self._turn.poll_interval
            )
            self._pause(delay, busy, asked_at)
        self._settle(busy, asked_at, was_busy=was_busy)

    def _settle(self, busy: CssBusyError, asked_at: datetime, *, was_busy: bool) -> None:
        """Pause before the next try: tasks of one cluster see it idle at the same moment."""
        self._contradictions = self._contradictions.after(was_busy=was_busy)
        self._contradictions.refuse_too_many(busy)
        if was_busy:
            self._pause(2 * chance(), busy, asked_at)
            return
        backoff = self._contradictions.backoff_seconds
        self._log.info(
            "CSS says busy (%s) though the cluster looks idle; next try in %s.", busy.reply.code, in_words(backoff)
        )
        self._pause(backoff, busy, asked_at)

    def _pause(self, seconds: float, busy: CssBusyError, asked_at: datetime) -> None:
        left = self._turn.timeout - self._seconds_since(asked_at)
        if left <= 0:
            raise late_turn(self._hook, self._turn) from busy
        self._hook.clock.sleep(min(seconds, left))

    def _tell(self, cluster: Cluster, asked_at: datetime) -> None:
        doing = cluster.doing
        if doing == self._told:
            return
        self._told = doing
        waited = in_words(self._seconds_since(asked_at))
        running = in_the_way(self._hook, cluster.id)
        self._log.info("Waiting for the turn on cluster %s (%s; %s) since %s.", cluster.label, doing, running, waited)

    def _seconds_since(self, moment: datetime) -> float:
        return (self._hook.clock.now() - moment).total_seconds()


def at_work(client: CssClient, turn: Turn) -> Cluster:
    """
    Return the cluster that is waited for: the first that is at work, or the one whose turn it is when none is.

    :param client: Asks CSS, once for each cluster.
    :param turn: The turn.
    :raises CssStateError: if waiting is pointless.
    """
    cluster = client.get_cluster(turn.cluster_id, once=True)
    pointless = pointless_to_wait(cluster)
    if pointless is not None:
        raise pointless
    if cluster.is_idle and turn.source_id not in ("", turn.cluster_id):
        source = client.get_cluster(turn.source_id, once=True)
        # One that is down can still be restored from.
        if not source.is_idle and not source.is_unavailable:
            return source
    return cluster


def late_turn(hook: CssHook, turn: Turn) -> CssWaitTimeoutError:
    """
    Return the error of a turn that did not come in time.

    :param hook: Asks what is in the way.
    :param turn: Whose turn it was, and how long it was waited for.
    """
    try:
        cluster = at_work(hook.get_conn(), turn)
        # Neither is at work: then it is something in the list of the one that is restored from.
        cluster_id = cluster.id if not cluster.is_idle else turn.source_id or turn.cluster_id
    except CssError:
        cluster_id = turn.cluster_id
    return CssWaitTimeoutError(
        f"The cluster {cluster_id} did not become free within {in_words(turn.timeout)}; "
        f"{in_the_way(hook, cluster_id)}. Raise turn_timeout, or start the tasks of this cluster at different "
        "times"
    )


def in_the_way(hook: CssHook, cluster_id: str) -> str:
    """
    Return what keeps a cluster busy, for people. Never raises: it only explains.

    :param hook: Asks CSS.
    :param cluster_id: The cluster.
    """
    try:
        listed = hook.get_conn().list_snapshots(cluster_id, once=True)
    except Exception:  # noqa: BLE001 - an explanation must never hide what it explains
        return "what is in the way could not be read"
    running = [s for s in listed if s.status is SnapshotStatus.BUILDING or s.restore_status == "restoring"]
    if not running:
        return "no snapshot is in the way, so it is another operation"
    return "in the way: " + ", ".join(f"{s.name} ({s.description or s.id})" for s in running)
