"""What the watches have in common: how long they may still last, and when the next look is due."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from airflow_css.protocol.errors import CssWaitTimeoutError
from airflow_css.protocol.waiting import next_delay

__all__ = ["Timed"]


class Timed(ABC):
    """A wait that is given up after a time; whoever does the waiting asks it when to look again."""

    poll_interval: float | None
    """Lower bound between two looks, in seconds; ``None`` for none."""
    usual: float | None = None
    """How long it usually takes, in seconds; ``None`` when unknown."""

    @abstractmethod
    def age(self, now: datetime) -> float:
        """
        Return for how long what is waited for has gone on, in seconds.

        :param now: The moment.
        """

    @abstractmethod
    def seconds_left(self, now: datetime) -> float:
        """
        Return how long the wait may still last, in seconds; not above zero when the time is up.

        :param now: The moment.
        """

    @abstractmethod
    def late(self, now: datetime) -> CssWaitTimeoutError:
        """
        Return the error of a wait whose time is up.

        :param now: The moment.
        """

    def refuse_late(self, now: datetime) -> None:
        """
        Return when there is time left.

        :param now: The moment.
        :raises CssWaitTimeoutError: if the time is up.
        """
        if self.seconds_left(now) <= 0:
            raise self.late(now)

    def delay(self, now: datetime, chance: float) -> float:
        """
        Return how long to wait before the next look, in seconds, not beyond the time that is left.

        :param now: The moment.
        :param chance: A random number from 0 to 1.
        """
        delay = next_delay(self.age(now), expected=self.usual, chance=chance, at_least=self.poll_interval)
        return min(delay, max(0.0, self.seconds_left(now)))
