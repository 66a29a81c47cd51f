"""An event loop whose time is the emulator's: hours of waiting take milliseconds."""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import timedelta
from typing import Any, TypeVar

from tests.turned_clock import TurnedClock

__all__ = ["VirtualTimeLoop", "run_in_virtual_time"]

T = TypeVar("T")

# Nothing here takes that long; a test that does has come to a stand.
STUCK_SECONDS = 20.0


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for the next timer, turns the clock to it, unless a thread may still bring something."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None or self._loop.threads_at_work > 0:
            ready = super().select(STUCK_SECONDS)
            if not ready:
                raise TimeoutError("nothing happens any more")
            return ready
        self._loop.jump(timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    A loop that turns a clock to its next timer as soon as there is nothing else to do.

    :param clock: The clock.
    """

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self._began = clock.now()
        self._under_way = 0
        self._hanging = 0
        self._held: dict[threading.Event, int] = {}
        super().__init__(_JumpingSelector(self))

    @property
    def threads_at_work(self) -> int:
        """How many calls run in threads, without those that hang on purpose."""
        return self._under_way - self._hanging

    def time(self) -> float:
        """Return what the clock shows, in seconds since the loop was made."""
        return (self._clock.now() - self._began) / timedelta(seconds=1)

    def jump(self, seconds: float) -> None:
        """
        Turn the clock ahead.

        :param seconds: By how much; rounded up to what a clock can show, so that the timer is due then.
        """
        self._clock.sleep(math.ceil(seconds * 1e6) / 1e6)

    def hang(self, until: threading.Event) -> None:
        """
        Let a thread hang while the time goes on.

        :param until: Ends it, set by ``let_go``.
        """
        self.call_soon_threadsafe(self._count_hanging, until)
        until.wait(STUCK_SECONDS)

    def let_go(self, hanging: threading.Event) -> None:
        """
        Let the threads go on that hang for an event; from now on the time waits for them again.

        :param hanging: What they wait for.
        """
        self._hanging -= self._held.pop(hanging, 0)
        hanging.set()

    def _count_hanging(self, until: threading.Event) -> None:
        if not until.is_set():
            self._held[until] = self._held.get(until, 0) + 1
            self._hanging += 1

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override] # typeshed's types cannot be written in 3.11
        """
        Run a call in a thread; the time stands still until its result has arrived.

        :param executor: Its threads.
        :param func: The call.
        :param args: What it is called with.
        """
        self._under_way += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._arrived)
        return future

    def _arrived(self, _future: asyncio.Future[Any]) -> None:
        self._under_way -= 1


def run_in_virtual_time(clock: TurnedClock, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """
    Return what a coroutine returns, in a loop of its own; nothing it began may be left over.

    :param clock: Is turned as time passes in the loop.
    :param main: Makes the coroutine.
    :raises AssertionError: if tasks are still under way, or an error was noticed by nobody.
    """
    unnoticed: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(clock)) as runner:
        runner.get_loop().set_exception_handler(lambda _loop, context: unnoticed.append(context))
        result, left = runner.run(_until_quiet(main))
    assert not left, left
    assert not unnoticed, unnoticed
    return result


async def _until_quiet(main: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, set[str]]:
    result = await main()
    # What was cancelled last ends in the next rounds.
    for _ in range(3):
        await asyncio.sleep(0)
    return result, {str(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()}
