"""What a deletion and a pruning do alike: delete, put off what is busy, and look whether it is gone."""

from __future__ import annotations

from collections.abc import Collection

from airflow_css.client.removal import remove
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssError
from airflow_css.tasks.looks import with_other_keys
from airflow_css.triggers.log import Log

__all__ = ["are_listed", "busy_pause", "delete_from"]

FIRST_BUSY_PAUSE_SECONDS = 5.0
LONGEST_BUSY_PAUSE_SECONDS = 300.0


def busy_pause(refusals: int) -> float:
    """
    Return how long to put off the next deletion, in seconds: 5 at first, doubling up to 300.

    :param refusals: How often CSS said "busy" of a snapshot that is at rest.
    """
    return float(min(FIRST_BUSY_PAUSE_SECONDS * 2 ** (refusals - 1), LONGEST_BUSY_PAUSE_SECONDS)) if refusals else 0.0


def delete_from(hook: CssHook, cluster_id: str, snapshot_id: str) -> None:
    """
    Return when CSS has accepted the deletion of a snapshot, or no longer lists it.

    :param hook: Brings client and clock; keys that are refused are read anew once.
    :param cluster_id: The cluster.
    :param snapshot_id: The snapshot.
    :raises CssBusyError: if something works on it.
    :raises CssError: if it cannot be deleted.
    """

    def delete() -> None:
        client = hook.get_conn()
        remove(
            snapshot_id,
            delete=lambda wanted: client.delete_snapshot(cluster_id, wanted),
            look=lambda: client.list_snapshots(cluster_id),
            clock=hook.clock,
        )

    with_other_keys(hook, delete)


def are_listed(hook: CssHook, cluster_id: str, snapshot_ids: Collection[str], log: Log) -> bool:
    """
    Return whether a cluster lists any of the snapshots; without an answer it may.

    :param hook: Brings the client.
    :param cluster_id: The cluster.
    :param snapshot_ids: The snapshots.
    :param log: Where a look without an answer is told.
    """
    try:
        listed = hook.get_conn().list_snapshots(cluster_id, once=True)
    except CssError as error:
        # The wait that follows looks again, and decides how many looks without an answer are forgiven.
        log.debug("No answer to whether they are gone: %s", error)
        return True
    return any(snapshot.id in snapshot_ids for snapshot in listed)
