"""
One look for all: whoever waits for the same thing in one triggerer shares its polls.

Theory of operation. A *group* is everybody who waits for one kind of look at one cluster through one connection. Each
waiter says when it wants the next look; the group looks at the earliest wish and gives the answer, or the error, to
all. A newcomer causes a look at once, unless the last one is less than two seconds old: then it gets that answer. The
group ends with its last waiter. A hub is the groups of one event loop.

A look runs on threads of our own: the loop's default ones are few and shared with every other provider. At most two
looks run at once through one connection, because after more than five refusals in a row the service locks a key for
everyone. One that hangs gives its place away after 15 seconds: the other clusters must not wait for it.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self, TypeVar

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssError, CssTransportError
from airflow_css.protocol.turns import TurnLine
from airflow_css.triggers.looking import LookKey, SignedIn

__all__ = ["Answer", "PollHub", "Waiter", "hub_of_this_loop"]

FRESH_SECONDS = 2.0
LONGEST_LOOK_SECONDS = 15.0
THREADS = 8
LOOKS_AT_ONCE_PER_CONNECTION = 2

T = TypeVar("T")

_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, PollHub] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Answer:
    """
    What a look brought.

    :param number: Number of the look within its group, from 1.
    :param value: What was read; ``None`` when there was an error.
    :param error: What went wrong; ``None`` when nothing did.
    """

    number: int
    value: Any = None
    error: CssError | None = None

    def read(self) -> Any:
        """
        Return what was read.

        :raises CssError: what went wrong.
        """
        if self.error is not None:
            # Many read it: each raise would add its part of a traceback to those of the others.
            raise self.error.with_traceback(None)
        return self.value


def hub_of_this_loop() -> PollHub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = PollHub()
    return hub


class PollHub:
    """The groups of one event loop."""

    def __init__(self) -> None:
        self._groups: dict[LookKey, _Group] = {}
        # Weak, because a gate knows the loop: what the hub held, would hold the loop that the hub belongs to.
        self._doors: weakref.WeakValueDictionary[tuple[str, type[CssHook]], _Door] = weakref.WeakValueDictionary()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="css-look")

    def join(self, key: LookKey) -> Waiter:
        """
        Return a waiter of the group with that key, to be used in a ``with`` statement.

        :param key: What is looked at.
        """
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(key, self._door(key), self.forget)
        return Waiter(group)

    def forget(self, key: LookKey) -> None:
        """
        Drop a group that nobody waits in any more.

        :param key: What was looked at.
        """
        self._groups.pop(key, None)

    def _door(self, key: LookKey) -> _Door:
        connection = key.conn_id, key.hook_class
        door = self._doors.get(connection)
        if door is None:
            door = self._doors[connection] = _Door(self._pool, SignedIn(*connection))
        return door


class _Door:
    """Lets at most two looks through a connection at once."""

    def __init__(self, pool: ThreadPoolExecutor, signed_in: SignedIn) -> None:
        self._pool = pool
        self._signed_in = signed_in
        self._gate = asyncio.Semaphore(LOOKS_AT_ONCE_PER_CONNECTION)
        self._inside: set[asyncio.Future[Any]] = set()

    async def begin(self, key: LookKey) -> asyncio.Future[Answer]:
        """Return a look that has begun, once there is room for it."""
        await self._gate.acquire()
        # Airflow finds its way back to the triggerer's process through the context.
        work = partial(copy_context().run, self._look, key)
        try:
            look = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except RuntimeError:
            # No thread is to be had just now; the room must be there for the next look.
            self._gate.release()
            raise
        self._inside.add(look)
        look.add_done_callback(self.make_room)
        return look

    def make_room(self, look: asyncio.Future[Answer]) -> None:
        """Let another look in: this one is over, or hangs."""
        if look in self._inside:
            self._inside.remove(look)
            self._gate.release()

    def _look(self, key: LookKey) -> Answer:
        try:
            return Answer(0, self._signed_in.look(key.ask))
        except CssError as error:
            return Answer(0, error=error)
        except Exception as error:  # noqa: BLE001 - a raise here would leave every waiter without an answer
            return Answer(0, error=CssTransportError(f"The look failed: {type(error).__name__}: {error}"))


class _Group:
    def __init__(self, key: LookKey, door: _Door, forget: Callable[[LookKey], None]) -> None:
        self.line = TurnLine()
        self.last: Answer | None = None
        self._key = key
        self._door = door
        self._forget = forget
        self._waiters: set[Waiter] = set()
        self._looked_at = float("-inf")
        self._changed = asyncio.Event()
        self._under_way: asyncio.Future[Answer] | None = None
        self._task: asyncio.Task[None] | None = None

    def is_fresh(self) -> bool:
        return self.last is not None and _now() - self._looked_at < FRESH_SECONDS

    def add(self, waiter: Waiter) -> None:
        self._waiters.add(waiter)
        if self._task is None:
            self._task = asyncio.create_task(self._poll())
        self._changed.set()

    def remove(self, waiter: Waiter) -> None:
        self._waiters.discard(waiter)
        if not self._waiters and self._task is not None:
            self._task.cancel()
            self._task = None
            self._forget(self._key)

    def tell(self) -> None:
        self._changed.set()

    async def _poll(self) -> None:
        while True:
            wishes = [waiter.wish for waiter in self._waiters if waiter.wish is not None]
            # The gap keeps an eager waiter from polling for all.
            due = max(min(wishes), self._looked_at + FRESH_SECONDS) if wishes else None
            if due is not None and due <= _now():
                self._publish(await self._look())
                continue
            self._changed.clear()
            await _at_most(self._changed.wait(), None if due is None else due - _now())

    async def _look(self) -> Answer:
        number = (self.last.number if self.last else 0) + 1
        if self._under_way is None:
            try:
                self._under_way = await self._door.begin(self._key)
            except RuntimeError as error:
                return Answer(number, error=CssTransportError(f"The look could not begin: {error}"))
        # A look that hangs is not cut off, since its thread cannot be; it counts as no answer, and is not begun again.
        done, _ = await asyncio.wait({self._under_way}, timeout=LONGEST_LOOK_SECONDS)
        if not done:
            self._door.make_room(self._under_way)
            return Answer(number, error=CssTransportError(f"No answer within {LONGEST_LOOK_SECONDS:g} seconds"))
        finished, self._under_way = self._under_way, None
        return replace(finished.result(), number=number)

    def _publish(self, answer: Answer) -> None:
        self.last = answer
        self._looked_at = _now()
        for waiter in tuple(self._waiters):
            waiter.give(answer)


class Waiter:
    """
    One who waits in a group. Use it in a ``with`` statement.

    :param group: The group.
    """

    def __init__(self, group: _Group) -> None:
        self.wish: float | None = None
        self._group = group
        self._seen = 0
        self._given: asyncio.Future[Answer] | None = None

    def __enter__(self) -> Self:
        if self._group.last is not None and not self._group.is_fresh():
            # An old answer is no news for a newcomer.
            self._seen = self._group.last.number
        self._group.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._group.remove(self)

    @property
    def line(self) -> TurnLine:
        """The line of those who wait for the cluster's turn."""
        return self._group.line

    async def next(self, delay: float, *, at_most: float) -> Answer | None:
        """
        Return the next answer, or ``None`` when the time is up.

        :param delay: After how many seconds the next look is wanted at the latest; another's look may come earlier.
        :param at_most: How many seconds to wait for it.
        """
        last = self._group.last
        if last is not None and last.number > self._seen:
            self._seen = last.number
            return last
        self.wish = _now() + delay
        self._given = asyncio.get_running_loop().create_future()
        self._group.tell()
        try:
            return await _at_most(self._given, max(0.0, at_most))
        finally:
            self.wish = None
            self._given = None

    def give(self, answer: Answer) -> None:
        """
        Take an answer.

        :param answer: What the group's look brought.
        """
        if self._given is not None and not self._given.done():
            self._seen = answer.number
            self._given.set_result(answer)


async def _at_most(awaitable: Awaitable[T], seconds: float | None) -> T | None:
    try:
        # Not wait_for: before Python 3.12 it forgets a cancellation that arrives together with the result.
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
