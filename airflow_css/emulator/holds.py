"""A held request: it waits inside the emulator until somebody lets it go on."""

from __future__ import annotations

import threading
from typing import Any, Literal

__all__ = ["Hold", "When"]

When = Literal["before", "after"]

LONGEST_HOLD_SECONDS = 600.0


class Hold:
    """
    Stops one request at a known point, so that a test can end a process there.

    :param number: Names it for those who drive holds over HTTP.
    :param call: Which call it waits for; ``None`` for any.
    :param when: ``before`` or ``after`` the call's effect.
    """

    def __init__(self, number: int, call: str | None, when: When) -> None:
        self.number = number
        self.call = call
        self.when = when
        self._reached = threading.Event()
        self._released = threading.Event()
        self._lost = False

    @property
    def is_reached(self) -> bool:
        """Whether a request has come to this point."""
        return self._reached.is_set()

    @property
    def is_released(self) -> bool:
        """Whether it was let go."""
        return self._released.is_set()

    def wait_until_reached(self, timeout: float = 30.0) -> None:
        """
        Return once a request is held here.

        :param timeout: How long to wait, in seconds; default 30.
        :raises TimeoutError: if none came.
        """
        if not self._reached.wait(timeout):
            raise TimeoutError(f"no {self.call or 'call'} reached the hold within {timeout} s")

    def release(self) -> None:
        """Let the request go on: its effect happens if it has not, and its answer is sent."""
        self._released.set()

    def lose(self) -> None:
        """Let the request get lost: an effect that has not happened never will, and no answer is sent."""
        self._lost = True
        self._released.set()

    def stop_here(self) -> bool:
        """Hold the calling thread until it is let go, 10 minutes at most; return whether the request got lost."""
        self._reached.set()
        self._released.wait(LONGEST_HOLD_SECONDS)
        return self._lost

    def shown(self) -> dict[str, Any]:
        """Return what the control call shows."""
        return {
            "id": self.number,
            "call": self.call,
            "when": self.when,
            "reached": self.is_reached,
            "released": self.is_released,
        }
