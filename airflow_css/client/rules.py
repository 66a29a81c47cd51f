"""How patient the sender is. Apart from it, so that a connection can be read without loading ``requests``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

__all__ = ["SendingRules"]


@dataclass(frozen=True)
class SendingRules:
    """
    Time-outs and retries of one client.

    :param connect_seconds: Seconds to wait for a connection. Default 10.
    :param read_seconds: Seconds to wait for the next part of an answer. Default 60.
    :param tries: How often a call is sent at most, 1 or more. Default 4.
    :param longest_pause_seconds: Upper bound of one pause, also when the answer asked for more. Default 60.
    :param in_all_seconds: No further try begins after this many seconds. Default 180.
    :param verify: Whether to check the server's certificate, or the path of a CA bundle. Default yes.
    :param proxy: Address of the proxy that requests go through, as ``check_proxy`` returns it. Default what the
        environment says. It may hold a password and is not printed.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    tries: int = 4
    longest_pause_seconds: float = 60.0
    in_all_seconds: float = 180.0
    verify: bool | str = True
    proxy: str = field(default="", repr=False)

    def brief(self) -> Self:
        """Return the patience for what must be known before the real call: at most 20 seconds and two tries."""
        return replace(
            self,
            connect_seconds=min(self.connect_seconds, 5.0),
            read_seconds=min(self.read_seconds, 10.0),
            tries=2,
            longest_pause_seconds=2.0,
            in_all_seconds=20.0,
        )

    def for_one_look(self) -> Self:
        """Return the rules for whoever asks again anyway: one try, at most 15 seconds, never longer than these."""
        return replace(
            self, connect_seconds=min(self.connect_seconds, 5.0), read_seconds=min(self.read_seconds, 10.0), tries=1
        )
