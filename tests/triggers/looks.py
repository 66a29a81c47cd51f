"""A service that answers looks as a test tells it, behind a real connection: no socket, so that its timing is exact."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from airflow_css.client.clock import Clock
from airflow_css.emulator.clock import TurnableClock
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssAuthError, ErrorReply
from airflow_css.triggers.looking import Kind, LookKey
from tests.turned_clock import TurnedClock
from tests.virtual_time import VirtualTimeLoop, run_in_virtual_time

__all__ = ["Service"]

CONN_ID = "css_stand_in"


@dataclass
class Service:
    """
    Answers looks.

    :param answer: What a look brings, by the number of the look; it may raise, or block.
    :param good_key: The access key that is accepted; ``None`` for every one.
    """

    answer: Callable[[int], Any] = lambda number: number
    good_key: str | None = None
    clock: TurnableClock = field(default_factory=lambda: TurnableClock(frozen=True))
    looked_at: list[tuple[float, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin the time, and make the hook that leads here."""
        self._began = self.clock.now()
        self.hook_class = _hook_class(self)

    def connect(self, key: str = "stand-in-key", conn_id: str = CONN_ID) -> None:
        """
        Write the connection anew.

        :param key: Its access key; its secret key is derived from it.
        :param conn_id: Which one.
        """
        os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(
            {
                "conn_type": "huaweicloud_css",
                "login": key,
                "password": f"secret-of-{key}",
                "host": "http://127.0.0.1:9",
                "extra": {"region": "eu-west-101", "project_id": "6204a5bd270343b5885144cf9c8c158d"},
            }
        )

    def key(self, number: int = 0, *, kind: Kind = Kind.SNAPSHOTS, conn_id: str = CONN_ID) -> LookKey:
        """
        Return what to look at.

        :param number: The cluster's.
        :param kind: The kind of the look.
        :param conn_id: The connection.
        """
        return LookKey(kind, conn_id, f"00000000-0000-0000-0000-{number:012}", self.hook_class)

    def run(self, main: Callable[[VirtualTimeLoop], Any]) -> Any:
        """
        Return what a coroutine returns, in virtual time.

        :param main: Makes the coroutine out of the loop.
        """
        import asyncio

        self.connect()

        async def begin() -> Any:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualTimeLoop)
            return await main(loop)

        return run_in_virtual_time(TurnedClock(self.clock), begin)

    @property
    def times(self) -> list[float]:
        """When the looks were, in seconds from the start."""
        return [at for at, _ in self.looked_at]

    def look(self, cluster_id: str, access_key: str) -> Any:
        """
        Answer one look.

        :param cluster_id: The cluster.
        :param access_key: Signs it.
        :raises CssAuthError: if another key is the good one.
        """
        with self._lock:
            self.looked_at.append(((self.clock.now() - self._began).total_seconds(), cluster_id))
            number = len(self.looked_at)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self.good_key not in {None, access_key}:
                self.refused.append(access_key)
                raise CssAuthError(ErrorReply(401, "APIGW.0301", "Incorrect IAM authentication information"))
            return self.answer(number)
        finally:
            with self._lock:
                self._at_once -= 1


@dataclass(frozen=True)
class _Client:
    service: Service
    access_key: str

    def list_snapshots(self, cluster_id: str, *, once: bool) -> Any:
        assert once
        return self.service.look(cluster_id, self.access_key)

    get_cluster = list_snapshots


def _hook_class(service: Service) -> type[CssHook]:
    class HookToService(CssHook):
        clock: ClassVar[Clock] = TurnedClock(service.clock)  # type: ignore[misc] # an instance's name for the same

        def get_conn(self) -> Any:
            return _Client(service, self.settings.credentials.access_key)

    return HookToService


def failing(error: Exception, *, first: int, last: int) -> Callable[[int], Any]:
    """
    Return answers of which some are an error.

    :param error: The error.
    :param first: Number of the first look that fails.
    :param last: Number of the last one.
    """

    def answer(number: int) -> Any:
        if first <= number <= last:
            raise error
        return number

    return answer


def threads_of_looks() -> Iterator[threading.Thread]:
    """Yield the threads that make looks."""
    return (thread for thread in threading.enumerate() if thread.name.startswith("css-look"))
