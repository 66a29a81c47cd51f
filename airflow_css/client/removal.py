"""
Deleting, at the level of calls: an answer that leaves the fate open is followed by a look, never believed.

Theory of operation. A deletion can be accepted, refused, or leave its fate open (no answer, a server error, a success
that is none, "missing"). Then the list decides: what is not listed is gone, what is listed is deleted again. "Being
deleted" counts as accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_css.client.clock import Clock
from airflow_css.protocol.errors import (
    CssApiError,
    CssError,
    CssNotFoundError,
    CssReplyError,
    CssServerError,
    CssTransportError,
)
from airflow_css.protocol.models import Snapshot

__all__ = ["remove"]

MOST_DELETIONS = 4
FIRST_PAUSE_SECONDS = 2.0
BEING_DELETED = "CSS.3016"


def remove(
    snapshot_id: str,
    *,
    delete: Callable[[str], None],
    look: Callable[[], Sequence[Snapshot]],
    clock: Clock,
) -> None:
    """
    Return when CSS has accepted the deletion of a snapshot, or no longer lists it.

    :param snapshot_id: The snapshot.
    :param delete: Sends one deletion.
    :param look: Lists the snapshots of the cluster.
    :param clock: Where the time comes from.
    :raises CssBusyError: if an operation is in the way; whoever waits calls again.
    :raises CssError: anything else that keeps it listed.
    """
    pause = FIRST_PAUSE_SECONDS
    for number in range(1, MOST_DELETIONS + 1):
        try:
            return delete(snapshot_id)
        except CssError as error:
            if _is_being_deleted(error):
                return None
            if not _must_look_after(error):
                raise
            if all(snapshot.id != snapshot_id for snapshot in look()):
                return None
            if number == MOST_DELETIONS:
                raise
        clock.sleep(pause)
        pause *= 2
    raise AssertionError("the last deletion either returns or raises")


def _is_being_deleted(error: CssError) -> bool:
    return isinstance(error, CssApiError) and error.reply.code == BEING_DELETED


def _must_look_after(error: CssError) -> bool:
    if isinstance(error, CssTransportError):
        return error.request_may_have_arrived
    return isinstance(error, CssNotFoundError | CssServerError | CssReplyError)
