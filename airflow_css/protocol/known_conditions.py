"""All conditions by the word that names them in a trigger or an event."""

from __future__ import annotations

from typing import Any

from airflow_css.protocol.conditions import Condition, Gone, Settled
from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.events import RETRY_FINDS_IT
from airflow_css.protocol.freshness import SnapshotFresh
from airflow_css.protocol.sensed import ClusterIdle, SnapshotGone, SnapshotGood, SnapshotRestored

__all__ = ["KNOWN_CONDITIONS", "read_condition"]

KNOWN_CONDITIONS: dict[str, type[Condition]] = {
    kind.kind: kind
    for kind in (Gone, Settled, SnapshotGood, SnapshotRestored, SnapshotGone, ClusterIdle, SnapshotFresh)
}


def read_condition(facts: Any) -> Condition:
    """
    Return the condition that ``as_json`` described.

    :param facts: What it gave.
    :raises CssReplyError: if they are not that.
    """
    try:
        given = dict(facts)
        return KNOWN_CONDITIONS[given.pop("kind")](**given)
    except (KeyError, TypeError, ValueError) as cause:
        raise CssReplyError(
            f"What is waited for cannot be read ({type(cause).__name__}: {cause}). {RETRY_FINDS_IT}"
        ) from cause
