"""When the probe may run at all, and what it makes. No request is made here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotPolicy
from airflow_css.protocol.names import join_indices

__all__ = ["NAME_PREFIX", "ProbeOrder", "check_probe_indices", "why_not_now"]

NAME_PREFIX = "airflow-css-probe-"
_SHORTEST = timedelta(minutes=10)
_WHEN_UNKNOWN = timedelta(minutes=30)
_EVERYTHING = frozenset({"*", "_all", "*,*"})


@dataclass(frozen=True)
class ProbeOrder:
    """
    What the probe makes.

    :param cluster_id: Where.
    :param indices: Of which indices, as it is sent.
    :param token: Tells this probe's snapshots from all others.
    """

    cluster_id: str
    indices: str
    token: str

    @property
    def name(self) -> str:
        """The name of the one snapshot that is made."""
        return f"{NAME_PREFIX}{self.token}"

    @property
    def other_name(self) -> str:
        """The name of the one that CSS is expected to refuse."""
        return f"{self.name}-refused"

    @property
    def description(self) -> str:
        """A description in the form in which tasks write theirs; its mark is of no version, so nobody adopts it."""
        return f"probe of airflow-css {self.token} [af0 probe]"

    def made(self, listed: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
        """
        Return those of the listed snapshots that this probe made.

        :param listed: The snapshots of the cluster.
        """
        return tuple(snapshot for snapshot in listed if snapshot.name in {self.name, self.other_name})


def check_probe_indices(indices: str) -> str:
    """
    Return the index list of a probe, as it is sent.

    :param indices: One small index, or a pattern that matches little.
    :raises CssUsageError: if it breaks a rule, or takes everything.
    """
    joined = join_indices(indices)
    if any(item in _EVERYTHING for item in joined.split(",")):
        rule = "it would back up everything; name one small index, or a pattern that matches little"
        raise CssUsageError("indices of a probe", indices, rule, "customers-2026-*")
    return joined


def why_not_now(cluster: Cluster, policy: SnapshotPolicy, longest: float | None, now: datetime) -> str:
    """
    Return why no probe may be made now; empty when it may.

    :param cluster: The cluster.
    :param policy: Its automatic policy.
    :param longest: How long a snapshot of late took, in seconds; ``None`` when unknown.
    :param now: An aware moment.
    """
    if not cluster.is_idle:
        return f"The cluster is not idle ({cluster.doing}). Try again when it is."
    if not policy.enabled:
        return ""
    due = policy.next_due(now)
    if due is None:
        return f"It is not understood when an automatic snapshot is due ({policy.frequency} {policy.period!r})."
    margin = _WHEN_UNKNOWN if longest is None else max(_SHORTEST, timedelta(seconds=longest))
    if due - now > margin:
        return ""
    return (
        f"An automatic snapshot is due at {due:%H:%M} UTC, and CSS would cancel it while the probe runs. Try again "
        "after it."
    )
