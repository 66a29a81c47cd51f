"""The trigger that waits for a condition: something that shows in the list of snapshots, or at the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from airflow_css.protocol.conditions import Wait
from airflow_css.protocol.events import MET
from airflow_css.protocol.known_conditions import read_condition
from airflow_css.triggers.base import CssTrigger
from airflow_css.triggers.looking import Kind
from airflow_css.triggers.poll_hub import hub_of_this_loop
from airflow_css.triggers.progress import tell_news

__all__ = ["ConditionTrigger"]


class ConditionTrigger(CssTrigger):
    """
    Waits until a condition is met.

    :param css_conn_id: The connection.
    :param cluster_id: The cluster.
    :param condition: What is waited for, as ``Condition.as_json`` gives it.
    :param asked_at: When the wait began, in seconds since 1970.
    :param deadline: When to give up, in seconds since 1970.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param carry: Plain JSON that comes back in the event, untouched.
    """

    def __init__(
        self,
        *,
        css_conn_id: str,
        cluster_id: str,
        condition: Mapping[str, Any],
        asked_at: float,
        deadline: float,
        poll_interval: float | None = None,
        carry: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(css_conn_id=css_conn_id, cluster_id=cluster_id, carry=carry)
        self.condition = dict(condition)
        self.asked_at = asked_at
        self.deadline = deadline
        self.poll_interval = poll_interval

    def _arguments(self) -> dict[str, Any]:
        own = ("condition", "asked_at", "deadline", "poll_interval")
        return super()._arguments() | {name: getattr(self, name) for name in own}

    async def _wait(self) -> dict[str, Any]:
        wait = Wait(read_condition(self.condition), self.asked_at, self.deadline, self.poll_interval)

        def judge(seen: Any, now: datetime) -> dict[str, Any] | None:
            found = wait.condition.see(seen, now)
            if found is not None:
                return {"outcome": MET, "found": dict(found)}
            tell_news(wait, self.log)
            return None

        with hub_of_this_loop().join(self._key(Kind(wait.condition.looks_at))) as waiter:
            return await self._look_until(wait, partial(self._next, waiter), judge)
