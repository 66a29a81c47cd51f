"""What every trigger shares: one event, whatever happens, and the forgiveness of single looks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_css.client.clock import chance
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssError, CssReplyError
from airflow_css.protocol.events import FAILED, write_error
from airflow_css.protocol.timed import Timed
from airflow_css.protocol.waiting import FORGIVEN_ERRORS, Forgiveness
from airflow_css.triggers.looking import Kind, LookKey
from airflow_css.triggers.poll_hub import FRESH_SECONDS, Answer, Waiter

__all__ = ["LAST_LOOK_SECONDS", "CssTrigger"]

LAST_LOOK_SECONDS = 20.0
"""How long a look at the very end of a wait is waited for: a good end seen late is good."""


class CssTrigger(BaseTrigger):
    """
    What all triggers share: one event, whatever happens, and the forgiveness of single looks.

    :param css_conn_id: The connection.
    :param cluster_id: The cluster.
    :param carry: Plain JSON that comes back in the event, untouched.
    """

    hook_class: ClassVar[type[CssHook]] = CssHook

    def __init__(self, *, css_conn_id: str, cluster_id: str, carry: Mapping[str, Any] | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow 3.3 leaves it without annotations
        self.css_conn_id = css_conn_id
        self.cluster_id = cluster_id
        self.carry = dict(carry or {})
        self._forgiveness = Forgiveness()

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another process needs to go on."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self._arguments()

    def _arguments(self) -> dict[str, Any]:
        return {"css_conn_id": self.css_conn_id, "cluster_id": self.cluster_id, "carry": self.carry}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event, good or bad, and end."""
        try:
            event = await self._wait()
        except CssError as error:
            event = {"outcome": FAILED, "error": write_error(error)}
        except Exception as error:  # without an event the task would end without any word of ours
            self.log.exception("The trigger failed")
            event = {"outcome": FAILED, "error": write_error(CssReplyError(f"The trigger failed: {error!r}"))}
        # The generator must end right after the event: Airflow cancels one that goes on as if a user had killed the
        # task.
        yield TriggerEvent({**event, "carry": self.carry})  # type: ignore[no-untyped-call] # as above

    @abstractmethod
    async def _wait(self) -> dict[str, Any]:
        """Return the event of success, or raise."""

    async def _look_until(
        self,
        watch: Timed,
        look: Callable[[float, float], Awaitable[Any]],
        judge: Callable[[Any, datetime], dict[str, Any] | None],
    ) -> dict[str, Any]:
        """Return the event that the judge gives; what a look brings is ``None`` when nothing came, and not judged."""
        delay, at_most = 0.0, LAST_LOOK_SECONDS
        while True:
            seen = await look(delay, at_most)
            now = self._now()
            event = None if seen is None else judge(seen, now)
            if event is not None:
                return event
            watch.refuse_late(now)
            delay, left = watch.delay(now, chance()), watch.seconds_left(now)
            # A look at the very end is waited for, since a good end seen late is good; unless one just before it was
            # answered, after which there is no other one so soon.
            is_last = seen is not None and left < FRESH_SECONDS
            at_most = left if is_last else left + LAST_LOOK_SECONDS

    def _key(self, kind: Kind) -> LookKey:
        return LookKey(kind, self.css_conn_id, self.cluster_id, self.hook_class)

    def _now(self) -> datetime:
        return self.hook_class.clock.now()

    async def _next(self, waiter: Waiter, delay: float, at_most: float) -> Any:
        """Return what the next look brings; ``None`` for one that is forgiven, or that does not come in time."""
        return self._read(await waiter.next(delay, at_most=at_most))

    def _read(self, answer: Answer | None, forgiveness: Forgiveness | None = None) -> Any:
        """Return what a look brought; ``None`` for a look that is forgiven, or that did not come in time."""
        forgiveness = forgiveness or self._forgiveness
        if answer is None:
            return None
        try:
            value = answer.read()
        except FORGIVEN_ERRORS as error:
            if not forgiveness.allows(self._now()):
                raise
            self.log.warning("Look %d in a row without an answer: %s", forgiveness.in_a_row, error)
            return None
        forgiveness.reset()
        return value
