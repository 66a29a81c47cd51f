"""What a look is: which call, through which connection, with which keys."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssAuthError
from airflow_css.protocol.names import short_hash

if TYPE_CHECKING:
    from airflow_css.client.css import CssClient

__all__ = ["Kind", "LookKey", "Looker"]

READ_ANEW_SECONDS = 300.0
REFUSED_FOR_SECONDS = 600.0

# Keys that were refused in this process, with the refusal and until when it is remembered.
_refused: dict[str, tuple[CssAuthError, float]] = {}


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


class Looker:
    """
    Makes the looks of one group, in a thread.

    The connection is read again every five minutes, so that a change is picked up while tasks wait, and at once after a
    401. Refused keys are remembered by the process: they are not sent again by any group.

    :param key: What is looked at.
    """

    def __init__(self, key: LookKey) -> None:
        self.key = key
        self._hook: CssHook | None = None
        self._read_at = 0.0

    def look(self) -> Any:
        """
        Return what CSS shows.

        :raises CssError: any of the tree. A 401 means that the connection was read again and has no other keys.
        """
        hook = self._fresh_hook()
        self._refuse_refused(hook)
        try:
            return self._ask(hook.get_conn())
        except CssAuthError as error:
            if error.reply.status != 401:
                raise
            _refused[_fingerprint(hook)] = (error, time.monotonic() + REFUSED_FOR_SECONDS)
            if not hook.renew_keys():
                raise
        self._refuse_refused(hook)
        return self._ask(hook.get_conn())

    def _ask(self, client: CssClient) -> Any:
        if self.key.kind is Kind.CLUSTER:
            return client.get_cluster(self.key.cluster_id, once=True)
        return client.list_snapshots(self.key.cluster_id, once=True)

    def _fresh_hook(self) -> CssHook:
        now = time.monotonic()
        if self._hook is None:
            self._hook, self._read_at = self.key.hook_class(self.key.conn_id), now
        elif now - self._read_at > READ_ANEW_SECONDS:
            self._read_at = now
            self._hook.renew_keys()
        return self._hook

    def _refuse_refused(self, hook: CssHook) -> None:
        remembered = _refused.get(_fingerprint(hook))
        if remembered is None or time.monotonic() > remembered[1]:
            return
        if not hook.renew_keys():
            raise remembered[0]


def _fingerprint(hook: CssHook) -> str:
    keys = hook.settings.credentials
    return short_hash(keys.access_key, keys.secret_key, keys.security_token, length=64)
