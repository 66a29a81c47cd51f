"""
What somebody waits for, as a value that travels: a look decides whether it has come.

A condition is told what a look brought and says "met", with what was found, or "not yet", or raises what makes waiting
pointless. Worker, sensor and trigger judge by the same object, which passes through the database as plain JSON.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from airflow_css.protocol.errors import CssWaitTimeoutError
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.timed import Timed

__all__ = ["Condition", "Gone", "Settled", "Wait"]


@dataclass
class Condition(ABC):
    """What is waited for. What a look taught it stays with the object and does not travel."""

    kind: ClassVar[str] = ""
    looks_at: ClassVar[str] = "snapshots"
    """``snapshots`` for the cluster's list, ``cluster`` for the cluster itself."""

    @abstractmethod
    def see(self, seen: Any, now: datetime) -> Mapping[str, Any] | None:
        """
        Return what was found, as plain JSON, when the condition is met; ``None`` to wait on.

        :param seen: What the look brought: a list of snapshots, or a cluster.
        :param now: When.
        :raises CssError: if waiting on is pointless.
        """

    @abstractmethod
    def state(self) -> str:
        """Return what the last look showed, as one clause for people."""

    def is_doubtful(self) -> bool:
        """Return whether the last look showed something that somebody should look at; default never."""
        return False

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"kind": self.kind, **{k: v for k, v in asdict(self).items() if not k.startswith("_")}}


@dataclass
class Gone(Condition):
    """
    Met when none of the snapshots is listed any more.

    :param snapshot_ids: The snapshots.
    """

    kind = "gone"

    snapshot_ids: Sequence[str]
    _left: tuple[Snapshot, ...] = field(default=(), repr=False)

    def see(self, seen: Sequence[Snapshot], now: datetime) -> Mapping[str, Any] | None:  # noqa: ARG002 - the time does not matter here
        """
        Return the ids once all are gone.

        :param seen: The snapshots of the cluster.
        :param now: When they were read.
        """
        self._left = tuple(s for s in seen if s.id in self.snapshot_ids)
        return None if self._left else {"snapshot_ids": list(self.snapshot_ids)}

    def state(self) -> str:
        """Return which ones are still there."""
        names = ", ".join(s.label for s in self._left)
        return f"still listed: {names}" if names else "the list was not read yet"


@dataclass
class Settled(Condition):
    """
    Met when none of the snapshots is being made or restored; what is not listed is at rest as well.

    :param snapshot_ids: The snapshots.
    :param not_before: Not to be met earlier, in seconds since 1970.
    :param rest_seconds: For how long they must have been at rest. Default not at all.
    """

    kind = "settled"

    snapshot_ids: Sequence[str]
    not_before: float = 0.0
    rest_seconds: float = 0.0
    _at_work: tuple[Snapshot, ...] = field(default=(), repr=False)
    _rests_since: datetime | None = field(default=None, repr=False)

    def see(self, seen: Sequence[Snapshot], now: datetime) -> Mapping[str, Any] | None:
        """
        Return the ids once all are at rest.

        :param seen: The snapshots of the cluster.
        :param now: When they were read.
        """
        self._at_work = tuple(s for s in seen if s.id in self.snapshot_ids and s.work)
        self._rests_since = None if self._at_work else self._rests_since or now
        has_rested = self._rests_since is not None and (now - self._rests_since).total_seconds() >= self.rest_seconds
        is_met = has_rested and now.timestamp() >= self.not_before
        return {"snapshot_ids": list(self.snapshot_ids)} if is_met else None

    def state(self) -> str:
        """Return which ones are at work."""
        works = ", ".join(f"{s.label} is being {s.work}" for s in self._at_work)
        return works or "CSS says busy"


@dataclass
class Wait(Timed):
    """
    One wait for a condition, whoever does the waiting.

    :param condition: What is waited for.
    :param asked_at: When the wait began, in seconds since 1970; it may go on in another process.
    :param deadline: When to give up, in seconds since 1970.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    """

    condition: Condition
    asked_at: float
    deadline: float
    poll_interval: float | None = None
    _told: str = ""

    def news(self) -> str:
        """Return what changed since it was asked last; empty when nothing did."""
        state = self.condition.state()
        if state == self._told:
            return ""
        self._told = state
        return state

    def age(self, now: datetime) -> float:
        """
        Return for how long it has been waited, in seconds.

        :param now: The moment.
        """
        return max(0.0, now.timestamp() - self.asked_at)

    def seconds_left(self, now: datetime) -> float:
        """
        Return how long the wait may still last, in seconds; not above zero when the time is up.

        :param now: The moment.
        """
        return self.deadline - now.timestamp()

    def late(self, now: datetime) -> CssWaitTimeoutError:  # noqa: ARG002 - the words do not need the moment
        """
        Return the error of a wait whose time is up.

        :param now: The moment.
        """
        waited, state = in_words(self.deadline - self.asked_at), self.condition.state()
        error = CssWaitTimeoutError(
            f"What was waited for did not come within {waited}; {state}. Raise timeout if that is usual here"
        )
        error.last_seen = state
        return error
