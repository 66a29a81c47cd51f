"""What a look is: which call, through which connection, with which keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssAuthError, CssConfigError, CssTransportError
from airflow_css.protocol.fingerprint import short_hash

if TYPE_CHECKING:
    from airflow_css.client.css import CssClient

__all__ = ["Kind", "LookKey", "SignedIn"]

READ_ANEW_SECONDS = 300.0
REFUSED_FOR_SECONDS = 600.0

# Keys that were refused in this process, with the refusal and until when it is remembered.
_refused: dict[str, tuple[CssAuthError, float]] = {}
# Two connections may hold the same keys, and the service counts the refusals of a key.
_at_once: dict[str, threading.Semaphore] = {}
AT_ONCE_PER_KEY = 2
LONGEST_WAIT_FOR_ROOM_SECONDS = 1.0


class Kind(Enum):
    """What is looked at."""

    SNAPSHOTS = "snapshots"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class LookKey:
    """
    What makes two looks the same.

    :param kind: What is looked at.
    :param conn_id: The connection.
    :param cluster_id: The cluster.
    :param hook_class: The hook that reads the connection.
    """

    kind: Kind
    conn_id: str
    cluster_id: str
    hook_class: type[CssHook] = CssHook

    def ask(self, client: CssClient) -> Any:
        """
        Return what CSS shows, asked for once: the next look is the repetition.

        :param client: Sends the call.
        """
        if self.kind is Kind.CLUSTER:
            return client.get_cluster(self.cluster_id, once=True)
        return client.list_snapshots(self.cluster_id, once=True)


class SignedIn:
    """
    A connection as all looks through it share it: its keys, and the client with its open connections.

    The connection is read again every five minutes, so that a change is picked up while tasks wait, and at once after a
    401. As long as its keys work it need not be readable: Airflow says of a connection that it cannot read just now, as
    during its own restart, that there is none. Refused keys are remembered by the process: nobody sends them again.

    :param conn_id: The connection.
    :param hook_class: The hook that reads it.
    """

    def __init__(self, conn_id: str, hook_class: type[CssHook]) -> None:
        self._conn_id = conn_id
        self._hook_class = hook_class
        self._hook: CssHook | None = None
        self._read_at = 0.0
        self._lock = threading.Lock()

    def look(self, ask: Callable[[CssClient], Any]) -> Any:
        """
        Return what a look brought. It blocks, and may be called from several threads.

        :param ask: Makes the look.
        :raises CssError: any of the tree. A 401 means that the connection was read again and has no other keys.
        """
        hook = self._current_hook()
        keys = ""
        try:
            keys = _fingerprint(hook)
            return self._ask(hook.get_conn(), keys, ask)
        except CssAuthError as error:
            if error.reply.status != 401 or not self._has_others_than(keys):
                raise
        hook = self._current_hook()
        return self._ask(hook.get_conn(), _fingerprint(hook), ask)

    def _ask(self, client: CssClient, keys: str, ask: Callable[[CssClient], Any]) -> Any:
        room = _at_once.setdefault(keys, threading.Semaphore(AT_ONCE_PER_KEY))
        # A refusal comes at once. Who waits longer waits for a look that hangs, and must not hang with it.
        has_room = room.acquire(timeout=LONGEST_WAIT_FOR_ROOM_SECONDS)
        try:
            return self._ask_unless_refused(client, keys, ask)
        finally:
            if has_room:
                room.release()

    def _ask_unless_refused(self, client: CssClient, keys: str, ask: Callable[[CssClient], Any]) -> Any:
        remembered = _refused.get(keys)
        if remembered is not None and self._now() <= remembered[1]:
            raise copy(remembered[0])
        try:
            return ask(client)
        except CssAuthError as error:
            if error.reply.status == 401:
                # A copy, because a traceback would keep alive whatever the look could see.
                _refused[keys] = (copy(error), self._now() + REFUSED_FOR_SECONDS)
            raise

    def _now(self) -> float:
        return self._hook_class.clock.monotonic()

    def _current_hook(self) -> CssHook:
        # The lock is for reading the connection. Keys may have to be renewed first, and who has good ones must not wait
        # for that.
        with self._lock:
            return self._fresh_hook()

    def _fresh_hook(self) -> CssHook:
        if self._hook is None:
            self._hook = self._read()
        elif self._now() - self._read_at > READ_ANEW_SECONDS:
            with suppress(Exception):
                self._read_again(self._hook)
        return self._hook

    def _has_others_than(self, keys: str) -> bool:
        """Return whether the connection has other keys by now, reading it again unless another look just did."""
        with suppress(Exception):
            hook = self._current_hook()
            # A source that has only refused keys says so; the connection may name another one by now.
            with suppress(CssAuthError):
                if _fingerprint(hook) != keys:
                    return True
            with self._lock:
                hook = self._read_again(hook)
            return _fingerprint(hook) != keys
        return False

    def _read_again(self, known: CssHook) -> CssHook:
        # What has not changed keeps its client, whose connections are open.
        read = self._read()
        if read.settings != known.settings:
            self._hook = read
        return read

    def _read(self) -> CssHook:
        self._read_at = self._now()
        hook = self._hook_class(self._conn_id)
        # The task said it in its own log before it began to wait.
        hook.tells_warnings = False
        try:
            hook.settings  # noqa: B018 - reads the connection
        except CssConfigError as error:
            if isinstance(error.__cause__, AirflowNotFoundException):
                raise CssTransportError(f"{error}; if it does, Airflow could not read it just now") from error
            raise
        return hook


def _fingerprint(hook: CssHook) -> str:
    keys = hook.settings.credentials
    return short_hash(keys.access_key, keys.secret_key, keys.security_token, length=64)
