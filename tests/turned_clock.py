"""A clock for tests: waiting takes no time, because it turns the emulator's clock instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from airflow_css.emulator.clock import TurnableClock

__all__ = ["TurnedClock"]


class TurnedClock:
    """
    The emulator's clock, as a client sees it.

    :param clock: The emulator's clock. Each sleep turns it ahead.
    """

    def __init__(self, clock: TurnableClock) -> None:
        self._clock = clock
        self.slept: list[float] = []
        self._planned: list[tuple[datetime, Callable[[], object]]] = []

    def now(self) -> datetime:
        """Return the emulator's moment."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return the emulator's moment in seconds."""
        return self._clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """
        Turn the emulator's clock ahead, and remember by how much.

        :param seconds: Zero or more.
        """
        self.slept.append(seconds)
        self._clock.advance(seconds)
        due = [step for step in self._planned if step[0] <= self.now()]
        self._planned = [step for step in self._planned if step not in due]
        for _, happen in due:
            happen()

    def at(self, seconds: float, happen: Callable[[], object]) -> None:
        """
        Let something happen during the first sleep that ends then or later.

        :param seconds: From now.
        :param happen: What happens.
        """
        self._planned.append((self.now() + timedelta(seconds=seconds), happen))
