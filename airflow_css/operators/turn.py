"""
Waiting in the worker for a cluster to become free, then creating.

CSS runs one snapshot or restore at a time. "Busy" may also be said of a cluster that looks idle; then the next creation
is put off ever longer, and after ten such contradictions in a row given up.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_css.client.clock import chance
from airflow_css.hooks.css import CssHook
from airflow_css.operators.plan import CreationPlan
from airflow_css.protocol.errors import (
    CssAuthError,
    CssBusyError,
    CssWaitTimeoutError,
)
from airflow_css.protocol.models import Cluster, SnapshotStatus
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.turns import Contradictions
from airflow_css.protocol.waiting import next_delay, pointless_to_wait
from airflow_css.tasks.looks import PatientLooks, renews_refused_keys
from airflow_css.triggers.log import Log

if TYPE_CHECKING:
    from airflow_css.client.ensure import EnsuredSnapshot

__all__ = ["TurnInWorker", "late_turn"]


class TurnInWorker:
    """
    Takes the cluster's turn for one creation.

    :param hook: Brings client and clock.
    :param plan: The creation.
    :param log: Where the waiting is told.
    """

    def __init__(self, hook: CssHook, plan: CreationPlan, log: Log) -> None:
        self._hook = hook
        self._plan = plan
        self._log = log
        self._looks = PatientLooks(hook, log)
        self._contradictions = Contradictions()
        self._told = ""

    def take(self) -> EnsuredSnapshot:
        """
        Return the snapshot, made or adopted, after waiting for the turn as long as the plan allows.

        :raises CssWaitTimeoutError: if the cluster did not become free in time.
        :raises CssBusyError: if the plan allows no waiting, or "busy" is said of an idle cluster again and again.
        :raises CssStateError: if waiting is pointless: the cluster is down, or its snapshot function is off.
        """
        look_first, order, was_renewed = self._plan.look_first, self._plan.order, False
        asked_at = self._hook.clock.now()
        while True:
            try:
                return self._hook.get_conn().fulfil(order, look_first=look_first)
            except CssAuthError as error:
                # Once: a backend that gives other keys at each read would make this a loop without end.
                if was_renewed or not renews_refused_keys(self._hook, error):
                    raise
                was_renewed = True
            except CssBusyError as busy:
                if self._plan.turn_timeout == 0:
                    raise
                was_renewed = False
                order = replace(order, left_behind=busy.left_behind or order.left_behind)
                self._await_turn(busy, asked_at)
            look_first = True

    def _await_turn(self, busy: CssBusyError, asked_at: datetime) -> None:
        began = self._hook.clock.now()
        was_busy = False
        while True:
            cluster = self._looks.ask(lambda client: client.get_cluster(self._plan.cluster_id, once=True))
            if cluster is not None:
                pointless = pointless_to_wait(cluster)
                if pointless is not None:
                    raise pointless from busy
                if cluster.is_idle:
                    break
                was_busy = True
                self._tell(cluster, asked_at)
            delay = next_delay(
                self._seconds_since(began), expected=None, chance=chance(), at_least=self._plan.poll_interval
            )
            self._pause(delay, busy, asked_at)
        self._settle(busy, asked_at, was_busy=was_busy)

    def _settle(self, busy: CssBusyError, asked_at: datetime, *, was_busy: bool) -> None:
        """Pause before the next creation: tasks of one cluster see it idle at the same moment."""
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
        left = self._plan.turn_timeout - self._seconds_since(asked_at)
        if left <= 0:
            raise late_turn(self._hook, self._plan) from busy
        self._hook.clock.sleep(min(seconds, left))

    def _tell(self, cluster: Cluster, asked_at: datetime) -> None:
        doing = cluster.doing
        if doing == self._told:
            return
        self._told = doing
        waited = in_words(self._seconds_since(asked_at))
        running = in_the_way(self._hook, self._plan.cluster_id)
        self._log.info("Waiting for the turn on cluster %s (%s; %s) since %s.", cluster.label, doing, running, waited)

    def _seconds_since(self, moment: datetime) -> float:
        return (self._hook.clock.now() - moment).total_seconds()


def late_turn(hook: CssHook, plan: CreationPlan) -> CssWaitTimeoutError:
    """
    Return the error of a turn that did not come in time.

    :param hook: Asks what is in the way.
    :param plan: The creation.
    """
    return CssWaitTimeoutError(
        f"The cluster {plan.cluster_id} did not become free within {in_words(plan.turn_timeout)}; "
        f"{in_the_way(hook, plan.cluster_id)}. Raise turn_timeout, or start the tasks of this cluster at different "
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
