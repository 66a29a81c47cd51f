"""The trigger that waits for a restore's end: it looks at the list of the source, then at the target."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_css.protocol.events import ENDED
from airflow_css.protocol.restoring import RestoreWatch
from airflow_css.protocol.waiting import Forgiveness
from airflow_css.triggers.base import LAST_LOOK_SECONDS, CssTrigger
from airflow_css.triggers.looking import Kind, LookKey
from airflow_css.triggers.poll_hub import hub_of_this_loop

__all__ = ["RestoreTrigger"]


class RestoreTrigger(CssTrigger):
    """
    Waits for a restore's end.

    :param css_conn_id: The connection.
    :param cluster_id: The cluster that owns the snapshot.
    :param target_cluster_id: The cluster that is restored to.
    :param snapshot_id: The snapshot.
    :param snapshot_name: Its name.
    :param word_before: Its restore word before the call; empty when a running restore was found.
    :param began_at: When CSS accepted the restore, in seconds since 1970.
    :param timeout: Seconds from then until the wait is given up.
    :param was_seen: Whether the restore was seen running already. Default no.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param carry: Plain JSON that comes back in the event, untouched.
    """

    def __init__(
        self,
        *,
        css_conn_id: str,
        cluster_id: str,
        target_cluster_id: str,
        snapshot_id: str,
        snapshot_name: str,
        word_before: str,
        began_at: float,
        timeout: float,
        was_seen: bool = False,
        poll_interval: float | None = None,
        carry: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(css_conn_id=css_conn_id, cluster_id=cluster_id, carry=carry)
        self.target_cluster_id = target_cluster_id
        self.snapshot_id = snapshot_id
        self.snapshot_name = snapshot_name
        self.word_before = word_before
        self.began_at = began_at
        self.timeout = timeout
        self.was_seen = was_seen
        self.poll_interval = poll_interval

    def _arguments(self) -> dict[str, Any]:
        own = ("target_cluster_id", "snapshot_id", "snapshot_name", "word_before", "began_at", "timeout", "was_seen")
        return super()._arguments() | {name: getattr(self, name) for name in (*own, "poll_interval")}

    def _watch(self) -> RestoreWatch:
        return RestoreWatch(
            self.snapshot_id,
            self.snapshot_name,
            self.word_before,
            datetime.fromtimestamp(self.began_at, UTC),
            self.timeout,
            poll_interval=self.poll_interval,
            was_seen=self.was_seen,
        )

    async def _wait(self) -> dict[str, Any]:
        watch = self._watch()
        hub = hub_of_this_loop()
        # Each look is forgiven by its own count: a list that comes must not hide a target that never answers.
        of_target = Forgiveness()
        target_key = LookKey(Kind.CLUSTER, self.css_conn_id, self.target_cluster_id, self.hook_class)

        async def look(delay: float, at_most: float) -> Any:
            listed = await self._next(source, delay, at_most)
            if listed is None:
                return None
            return listed, self._read(await target.next(0.0, at_most=LAST_LOOK_SECONDS), of_target)

        def judge(seen: Any, now: datetime) -> dict[str, Any] | None:
            listed, cluster = seen
            end = watch.see(listed, cluster, now) if cluster is not None else None
            if end is not None:
                return {"outcome": ENDED, "snapshot": end.snapshot.as_json(), "is_inferred": end.is_inferred}
            if news := watch.news():
                self.log.info("Restore of %s: %s.", self.snapshot_name, news)
            return None

        with hub.join(self._key(Kind.SNAPSHOTS)) as source, hub.join(target_key) as target:
            return await self._look_until(watch, look, judge)
