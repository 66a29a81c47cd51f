"""
Whose turn it is on a cluster: those who wait stand in the order in which they first asked.

When the cluster is seen idle only the first is let go. The next goes after the cluster was busy and idle again, or when
it did not become busy within 60 seconds. Exactly-once never depends on this; it only spares calls and worker starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_css.protocol.errors import CssBusyError

__all__ = ["Contradictions", "Ticket", "TurnLine"]

UNUSED_TURN_SECONDS = 60.0
MOST_CONTRADICTIONS = 10

_CONTRADICTION = (
    f"CSS has said so more than {MOST_CONTRADICTIONS} times in a row though the cluster shows no action and no status "
    "of work; it may be faulty. Look at it in the console, or ask the service's support."
)


@dataclass(frozen=True, order=True)
class Ticket:
    """
    A place in the line. Tickets compare by the order in which they are served.

    :param asked_at: When the turn was asked for first, in seconds since 1970; kept over repeated waits.
    :param name: Breaks ties.
    """

    asked_at: float
    name: str


@dataclass
class TurnLine:
    """The line before one cluster."""

    _waiting: dict[Ticket, float] = field(default_factory=dict)
    _let_go_at: float | None = None
    _was_busy_since: bool = True
    _answered: tuple[int, Ticket | None] = (-1, None)

    def enter(self, ticket: Ticket, not_before: float = 0.0) -> None:
        """
        Stand in line.

        :param ticket: The place.
        :param not_before: Not to be let go earlier, in seconds since 1970.
        """
        self._waiting[ticket] = not_before

    def leave(self, ticket: Ticket) -> None:
        """
        Leave the line, served or not.

        :param ticket: The place.
        """
        self._waiting.pop(ticket, None)

    def see(self, look: int, *, is_idle: bool, now: float) -> Ticket | None:
        """
        Return who may go now, after a look at the cluster; ``None`` for nobody.

        :param look: Number of the look. All who wait report each look; it counts once.
        :param is_idle: Whether the cluster was idle.
        :param now: When, in seconds since 1970.
        """
        if look != self._answered[0]:
            self._answered = (look, self._choose(is_idle=is_idle, now=now))
        return self._answered[1]

    def _choose(self, *, is_idle: bool, now: float) -> Ticket | None:
        if not is_idle:
            self._was_busy_since = True
            return None
        unused = self._let_go_at is not None and now - self._let_go_at >= UNUSED_TURN_SECONDS
        if not (self._was_busy_since or unused):
            return None
        chosen = min((t for t, not_before in self._waiting.items() if not_before <= now), default=None)
        if chosen is not None:
            self._let_go_at = now
            self._was_busy_since = False
        return chosen


@dataclass(frozen=True)
class Contradictions:
    """
    How often in a row CSS said "busy" of a cluster that looked idle.

    :param count: How often so far.
    """

    count: int = 0

    def after(self, *, was_busy: bool) -> Contradictions:
        """
        Return the count after another "busy".

        :param was_busy: Whether the cluster was seen at work since the "busy" before; then nothing contradicts.
        """
        return Contradictions(0 if was_busy else self.count + 1)

    @property
    def backoff_seconds(self) -> float:
        """How long to put off the next creation: 5 seconds at first, doubling up to 60."""
        return min(5.0 * 2.0 ** (self.count - 1), 60.0) if self.count else 0.0

    def refuse_too_many(self, busy: CssBusyError) -> None:
        """
        Return while there is hope.

        :param busy: The latest "busy".
        :raises CssBusyError: after more than ten contradictions in a row.
        """
        if self.count > MOST_CONTRADICTIONS:
            raise CssBusyError(busy.reply, _CONTRADICTION, curable=True) from busy
