"""Time as the client sees it: one object to read it and to wait."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock", "chance"]


class Clock(Protocol):
    """Where the client gets its time from. Give another one to make time stand still, or run."""

    def now(self) -> datetime:
        """Return the current moment, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """
        Return after ``seconds`` have passed.

        :param seconds: Zero or more.
        """
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the current moment, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """
        Return after ``seconds`` have passed.

        :param seconds: Zero or more.
        """
        time.sleep(seconds)


def chance() -> float:
    """Return a random number from 0 to 1, for spreading looks and retries out."""
    return random.random()  # noqa: S311 - a jitter, not a secret
