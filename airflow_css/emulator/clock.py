"""The emulator's time: real, turned ahead, or standing still."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

__all__ = ["TurnableClock", "real_now"]


def real_now() -> datetime:
    """Return the time of this machine, in UTC."""
    return datetime.now(UTC)


class TurnableClock:
    """
    Tells the time plus whatever it was turned ahead by. May be used from several threads.

    :param frozen: Stand still; then only ``advance`` moves it. Default no.
    :param start: What it shows at first, an aware moment; default the real time.
    """

    def __init__(self, *, frozen: bool = False, start: datetime | None = None) -> None:
        self._made_at = real_now()
        self._frozen = frozen
        self._shown = start or self._made_at
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the emulator's time, in UTC."""
        with self._lock:
            passed = timedelta() if self._frozen else real_now() - self._made_at
            return self._shown + passed

    def advance(self, seconds: float) -> datetime:
        """
        Turn the clock ahead and return what it shows then.

        :param seconds: 0 or more.
        :raises ValueError: if it is negative: what has happened cannot be undone.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock is turned ahead by 0 or more seconds, not by {seconds}")
        with self._lock:
            self._shown += timedelta(seconds=seconds)
        return self.now()
