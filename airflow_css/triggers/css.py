"""The triggers: they look, judge, wait, and send one event. Many of them cost as many calls as one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from airflow_css.client.clock import chance
from airflow_css.protocol.errors import CssWaitTimeoutError
from airflow_css.protocol.events import ENDED, IDLE
from airflow_css.protocol.models import Cluster
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.turns import Ticket
from airflow_css.protocol.waiting import Expectations, next_delay, pointless_to_wait
from airflow_css.protocol.watch import EndWatch
from airflow_css.triggers.base import CssTrigger
from airflow_css.triggers.looking import Kind
from airflow_css.triggers.poll_hub import hub_of_this_loop
from airflow_css.triggers.progress import Progress

__all__ = ["ClusterIdleTrigger", "SnapshotTrigger"]


class SnapshotTrigger(CssTrigger):
    """
    Waits for a snapshot's end.

    :param css_conn_id: The connection.
    :param cluster_id: The cluster.
    :param snapshot_id: The snapshot.
    :param snapshot_name: Its name.
    :param timeout: Seconds from the snapshot's own start until the wait is given up.
    :param made_at: When CSS accepted the creation, in seconds since 1970; ``None`` when it was found.
    :param indices: The index list as it was sent; ``None`` for all.
    :param allow_partial: Accept a snapshot in which shards failed. Default no.
    :param fail_if_empty: Refuse one in which nothing was backed up. Default yes.
    :param request: Fingerprint of the request, for the usual duration; ``None`` when unknown.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param carry: Plain JSON that comes back in the event, untouched.
    """

    def __init__(
        self,
        *,
        css_conn_id: str,
        cluster_id: str,
        snapshot_id: str,
        snapshot_name: str,
        timeout: float,
        made_at: float | None = None,
        indices: str | None = None,
        allow_partial: bool = False,
        fail_if_empty: bool = True,
        request: str | None = None,
        poll_interval: float | None = None,
        carry: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(css_conn_id=css_conn_id, cluster_id=cluster_id, carry=carry)
        self.snapshot_id = snapshot_id
        self.snapshot_name = snapshot_name
        self.timeout = timeout
        self.made_at = made_at
        self.indices = indices
        self.allow_partial = allow_partial
        self.fail_if_empty = fail_if_empty
        self.request = request
        self.poll_interval = poll_interval

    def _arguments(self) -> dict[str, Any]:
        own = ("snapshot_id", "snapshot_name", "timeout", "made_at", "indices", "allow_partial", "fail_if_empty")
        more = ("request", "poll_interval")
        return super()._arguments() | {name: getattr(self, name) for name in (*own, *more)}

    def _watch(self) -> EndWatch:
        return EndWatch(
            self.snapshot_id,
            self.snapshot_name,
            Expectations(self.indices, allow_partial=self.allow_partial, fail_if_empty=self.fail_if_empty),
            self.timeout,
            request=self.request,
            made_at=None if self.made_at is None else datetime.fromtimestamp(self.made_at, UTC),
            poll_interval=self.poll_interval,
        )

    async def _wait(self) -> dict[str, Any]:
        watch = self._watch()
        progress = Progress(self.snapshot_name, self.snapshot_id, self.log, holds_worker=False)

        def judge(listed: Any, now: datetime) -> dict[str, Any] | None:
            done = watch.see(listed, now)
            if watch.last is not None and watch.is_listed:
                progress.tell(watch.last, watch.age(now), watch.usual)
            return None if done is None else {"outcome": ENDED, "snapshot": done.as_json()}

        with hub_of_this_loop().join(self._key(Kind.SNAPSHOTS)) as waiter:
            return await self._look_until(watch, partial(self._next, waiter), judge)


class ClusterIdleTrigger(CssTrigger):
    """
    Waits for the cluster's turn.

    Those who wait in one triggerer are let go one by one, in the order in which they asked.

    :param css_conn_id: The connection.
    :param cluster_id: The cluster.
    :param name: Breaks ties in the order, and tells who waits.
    :param asked_at: When the turn was asked for first, in seconds since 1970; kept over repeated waits.
    :param deadline: When to give up, in seconds since 1970.
    :param not_before: Not to be let go earlier, in seconds since 1970. Default at once.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param carry: Plain JSON that comes back in the event, untouched.
    """

    def __init__(
        self,
        *,
        css_conn_id: str,
        cluster_id: str,
        name: str,
        asked_at: float,
        deadline: float,
        not_before: float = 0.0,
        poll_interval: float | None = None,
        carry: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(css_conn_id=css_conn_id, cluster_id=cluster_id, carry=carry)
        self.name = name
        self.asked_at = asked_at
        self.deadline = deadline
        self.not_before = not_before
        self.poll_interval = poll_interval

    def _arguments(self) -> dict[str, Any]:
        own = ("name", "asked_at", "deadline", "not_before", "poll_interval")
        return super()._arguments() | {name: getattr(self, name) for name in own}

    async def _wait(self) -> dict[str, Any]:
        ticket = Ticket(self.asked_at, self.name)
        was_busy = False
        seen: Cluster | None = None
        told, told_at = "", self._now().timestamp()
        with hub_of_this_loop().join(self._key(Kind.CLUSTER)) as waiter:
            waiter.line.enter(ticket, self.not_before)
            try:
                delay = 0.0
                while True:
                    left = self.deadline - self._now().timestamp()
                    answer = await waiter.next(delay, at_most=max(left, 0.0))
                    cluster: Cluster | None = self._read(answer)
                    now = self._now().timestamp()
                    if cluster is not None and answer is not None:
                        seen = cluster
                        pointless = pointless_to_wait(cluster)
                        if pointless is not None:
                            raise pointless
                        was_busy = was_busy or not cluster.is_idle
                        if cluster.doing != told:
                            told, told_at = cluster.doing, now
                            self._tell(cluster, now)
                        if waiter.line.see(answer.number, is_idle=cluster.is_idle, now=now) == ticket:
                            return {"outcome": IDLE, "was_busy": was_busy}
                    if now >= self.deadline:
                        raise CssWaitTimeoutError(self._too_late(seen))
                    delay = self._delay(now, now - told_at)
            finally:
                waiter.line.leave(ticket)

    def _delay(self, now: float, unchanged_for: float) -> float:
        """Look often just after a change and ever less later: a short operation must not be noticed late."""
        if self.not_before > now:
            return min(self.not_before, self.deadline) - now
        return next_delay(unchanged_for, expected=None, chance=chance(), at_least=self.poll_interval)

    def _tell(self, cluster: Cluster, now: float) -> None:
        waited = in_words(now - self.asked_at)
        self.log.info("Waiting for the turn on cluster %s (%s) for %s.", cluster.label, cluster.doing, waited)

    def _too_late(self, cluster: Cluster | None) -> str:
        doing = cluster.doing if cluster else "not answering"
        return (
            f"The cluster {self.cluster_id} did not become free within {in_words(self.deadline - self.asked_at)}; it "
            f"is {doing}. Raise turn_timeout, or start the tasks of this cluster at different times"
        )
