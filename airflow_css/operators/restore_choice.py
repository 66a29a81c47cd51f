"""Which snapshot is restored: the one that was asked for, or the newest that will do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from airflow_css.operators.restore_plan import RestorePlan
from airflow_css.protocol.errors import CssNotFoundError, CssStateError, ErrorReply
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.phrases import in_words

__all__ = ["choose_snapshot"]


def choose_snapshot(
    plan: RestorePlan, listed: Sequence[Snapshot], now: datetime, *, known_id: str | None = None
) -> Snapshot:
    """
    Return the snapshot to restore, which can be restored.

    :param plan: The restore.
    :param listed: The snapshots of the cluster.
    :param now: The moment, for ages.
    :param known_id: The one that was chosen before; a newer one must not change a choice.
    :raises CssNotFoundError: if there is none.
    :raises CssStateError: if it is not good enough, or too old.
    """
    wanted_id = known_id or plan.snapshot_id
    if wanted_id is not None or plan.snapshot_name is not None:
        return _usable(plan, _named(plan, listed, wanted_id))
    return _newest(plan, listed, now)


def _named(plan: RestorePlan, listed: Sequence[Snapshot], wanted_id: str | None) -> Snapshot:
    for snapshot in listed:
        if snapshot.id == wanted_id or (wanted_id is None and snapshot.name == plan.snapshot_name):
            return snapshot
    message = f"The cluster {plan.cluster_id} has no snapshot {wanted_id or plan.snapshot_name}."
    raise CssNotFoundError(
        ErrorReply(0, message=message, call="restore_snapshot"), "List its snapshots to see what it has."
    )


def _usable(plan: RestorePlan, snapshot: Snapshot) -> Snapshot:
    if snapshot.is_good or (plan.allow_partial and _holds_something(snapshot)):
        return snapshot
    # One that is being made will be usable by itself.
    is_made = snapshot.status is SnapshotStatus.BUILDING
    would_do = not plan.allow_partial and _holds_something(snapshot)
    way_out = (
        "Wait for its end with a SnapshotSensor before this task."
        if is_made
        else "Restore another one, for example with latest_good=True"
        + (", or set allow_partial=True if a part will do." if would_do else ".")
    )
    message = f"The snapshot {snapshot.name} ({snapshot.id}) cannot be relied on: {_state(snapshot)}."
    raise CssStateError(ErrorReply(0, message=message, call="restore_snapshot"), way_out, curable=is_made)


def _holds_something(snapshot: Snapshot) -> bool:
    if snapshot.status not in (SnapshotStatus.COMPLETED, SnapshotStatus.PART_FAILED):
        return False
    return snapshot.total_shards is None or snapshot.total_shards > (snapshot.failed_shards or 0)


def _state(snapshot: Snapshot) -> str:
    if snapshot.status is SnapshotStatus.COMPLETED and snapshot.total_shards == 0:
        return "it is empty"
    shards = f", {snapshot.failed_shards} of its shards failed" if snapshot.failed_shards else ""
    return f"it is {snapshot.status_word}{shards}"


def _newest(plan: RestorePlan, listed: Sequence[Snapshot], now: datetime) -> Snapshot:
    backups = [s for s in listed if not s.is_damaged]
    named = [s for s in backups if s.name.startswith(plan.name_prefix or "") and _is_owned(plan, s)]
    usable = [s for s in named if s.is_good or (plan.allow_partial and _holds_something(s))]
    newest = max(usable, key=lambda s: s.began_at.timestamp() if s.began_at else 0.0, default=None)
    which = f" whose name begins with {plan.name_prefix}" if plan.name_prefix else ""
    which += f" of this {plan.scope}" if plan.scope else ""
    if newest is None:
        message = f"The cluster {plan.cluster_id} has no good snapshot{which}; it lists {len(named)} that are not good."
        raise CssNotFoundError(
            ErrorReply(0, message=message, call="restore_snapshot"), "Make one, or widen name_prefix and scope."
        )
    if plan.max_age is not None and (
        newest.began_at is None or now - newest.began_at > timedelta(seconds=plan.max_age)
    ):
        age = in_words((now - newest.began_at).total_seconds()) if newest.began_at else "of unknown age"
        message = f"The newest good snapshot{which}, {newest.name} ({newest.id}), is {age} old."
        raise CssStateError(
            ErrorReply(0, message=message, call="restore_snapshot"),
            f"Make a new one, or raise max_age above {in_words(plan.max_age)} if it will do.",
        )
    return newest


def _is_owned(plan: RestorePlan, snapshot: Snapshot) -> bool:
    owner = plan.owner
    return owner is None or (snapshot.mark is not None and not owner.why_not(snapshot.mark))
