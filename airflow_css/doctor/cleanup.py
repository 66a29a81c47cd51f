"""
How a probe leaves nothing behind: what it made is found by name, waited for, and deleted.

The names bear a random token, so nothing of anybody else's can be taken for the probe's.
"""

from __future__ import annotations

from collections.abc import Callable

from airflow_css.client.css import CssClient
from airflow_css.client.removal import remove
from airflow_css.doctor.probe_rules import ProbeOrder
from airflow_css.protocol.errors import CssBusyError, CssError
from airflow_css.protocol.models import Snapshot, SnapshotStatus

__all__ = ["clean_up", "wait_until_made"]

LONGEST_SECONDS = 3600.0
_LOOK_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
# A creation whose answer was lost may still arrive.
_LATE_LOOKS = 4
_LATE_PAUSE_SECONDS = 10.0


def wait_until_made(client: CssClient, order: ProbeOrder, tell: Callable[[str], None]) -> tuple[Snapshot, ...]:
    """
    Return the snapshots of a probe once none of them is in work, or after an hour.

    :param client: The client.
    :param order: What the probe makes.
    :param tell: Takes a line for people.
    """
    began, pause = client.clock.monotonic(), _LOOK_SECONDS
    while True:
        found = order.made(client.list_snapshots(order.cluster_id))
        if all(snapshot.status is not SnapshotStatus.BUILDING for snapshot in found):
            return found
        if client.clock.monotonic() - began > LONGEST_SECONDS:
            tell("It is still being made after an hour.")
            return found
        client.clock.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def clean_up(
    client: CssClient, order: ProbeOrder, tell: Callable[[str], None], *, open_names: frozenset[str]
) -> list[str]:
    """
    Delete what a probe made, and return the names and ids of what could not be deleted.

    :param client: The client.
    :param order: What the probe makes.
    :param tell: Takes a line for people.
    :param open_names: The names of creations that were sent and never answered.
    """
    try:
        _wait_for_late_ones(client, order, open_names)
        left = [s for s in wait_until_made(client, order, tell) if not _is_deleted(client, order, s, tell)]
    except CssError as error:
        tell(f"The list could not be read: {error}")
        return [order.name, order.other_name]
    return [snapshot.label for snapshot in left]


def _wait_for_late_ones(client: CssClient, order: ProbeOrder, open_names: frozenset[str]) -> None:
    for _ in range(_LATE_LOOKS):
        if open_names <= {snapshot.name for snapshot in order.made(client.list_snapshots(order.cluster_id))}:
            return
        client.clock.sleep(_LATE_PAUSE_SECONDS)


def _is_deleted(client: CssClient, order: ProbeOrder, snapshot: Snapshot, tell: Callable[[str], None]) -> bool:
    try:
        for _ in range(_LATE_LOOKS):
            try:
                remove(
                    snapshot.id,
                    delete=lambda snapshot_id: client.delete_snapshot(order.cluster_id, snapshot_id),
                    look=lambda: client.list_snapshots(order.cluster_id),
                    clock=client.clock,
                )
            except CssBusyError:
                client.clock.sleep(_LATE_PAUSE_SECONDS)
            else:
                return _is_gone(client, order, snapshot)
    except CssError as error:
        tell(f"{snapshot.name} could not be deleted: {error}")
    return False


def _is_gone(client: CssClient, order: ProbeOrder, snapshot: Snapshot) -> bool:
    for _ in range(_LATE_LOOKS):
        if all(listed.id != snapshot.id for listed in client.list_snapshots(order.cluster_id)):
            return True
        client.clock.sleep(_LATE_PAUSE_SECONDS)
    return False
