"""
Exactly once: which of the listed snapshots is the one that was asked for, or what to make instead.

Theory of operation. A task instance marks what it makes. So the list of a cluster shows, after any accident, whether
the snapshot exists already. ``decide`` reads the list and says: adopt this one, create under that name, or refuse. It
never says delete. Every creation but the very first one of a task instance is preceded by this look.

A look searches the mark first and the name second: a name template may render differently on each try, a mark never
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from airflow_css.protocol.errors import CssConflictError, CssUsageError, ErrorReply
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.names import fold_name, sibling_name
from airflow_css.protocol.provenance import Mark, has_unknown_mark
from airflow_css.protocol.waiting import Expectations, Judgement, Verdict, judge_created

__all__ = ["Adopt", "Create", "OnExisting", "SnapshotOrder", "check_on_existing", "decide", "is_ours"]

OnExisting = Literal["adopt", "fail", "new"]
ON_EXISTING: tuple[OnExisting, ...] = ("adopt", "fail", "new")


@dataclass(frozen=True)
class SnapshotOrder:
    """
    One snapshot that was asked for.

    :param cluster_id: The cluster.
    :param name: The legal name.
    :param description: The description to send, mark included.
    :param mark: What the description's mark says; ``None`` outside a run: then the name alone identifies the snapshot.
    :param expected: What counts as good; its index list is what is sent.
    :param on_existing: What to do with a snapshot of an earlier life: ``adopt``, ``fail`` or ``new``.
    :param left_behind: Ids of what bears this mark but was there before this task instance made anything: a deleted run
        of the same id made it, so it counts as of an earlier life.
    """

    cluster_id: str
    name: str
    description: str | None = None
    mark: Mark | None = None
    expected: Expectations = field(default_factory=Expectations)
    on_existing: OnExisting = "adopt"
    left_behind: tuple[str, ...] = ()

    def under_name(self, name: str) -> SnapshotOrder:
        """
        Return the same order under another name.

        :param name: The legal name.
        """
        return replace(self, name=name)


@dataclass(frozen=True)
class Adopt:
    """
    Use this snapshot.

    :param snapshot: As listed.
    :param is_earlier_life: Whether it was made before the task instance was cleared.
    """

    snapshot: Snapshot
    is_earlier_life: bool = False


@dataclass(frozen=True)
class Create:
    """
    Make one under this name.

    :param name: The legal name.
    :param passed_over: Snapshots of this task instance that were not taken, each with the reason.
    """

    name: str
    passed_over: tuple[tuple[Snapshot, str], ...] = ()


def check_on_existing(value: str) -> OnExisting:
    """
    Return the value, which is one of ``adopt``, ``fail`` and ``new``.

    :param value: What the user gave.
    :raises CssUsageError: if it is another word.
    """
    for legal in ON_EXISTING:
        if value == legal:
            return legal
    raise CssUsageError("on_existing", value, f"it is one of {', '.join(ON_EXISTING)}", "adopt")


def decide(order: SnapshotOrder, listed: Sequence[Snapshot]) -> Adopt | Create:
    """
    Return what to do about an order, given what the cluster has.

    :param order: What was asked for.
    :param listed: The snapshots of the cluster.
    :raises CssConflictError: if another's snapshot has the name, or ``on_existing`` is ``fail`` and one is there.
    """
    ours = [s for s in listed if is_ours(s, order)]
    mine = [s for s in ours if _is_this_life(s, order)]
    adopted, passed_over = _choose(mine, order)
    if adopted is not None:
        return Adopt(adopted)
    earlier = [s for s in ours if s not in mine]
    if earlier:
        decision = _from_earlier_life(earlier, order)
        if isinstance(decision, Adopt):
            return decision
        passed_over += decision
    return Create(_free_name(order, listed, ours), passed_over)


def is_ours(snapshot: Snapshot, order: SnapshotOrder) -> bool:
    """
    Return whether a snapshot was made for this order, in whatever life.

    :param snapshot: As listed.
    :param order: What was asked for.
    """
    if order.mark is not None:
        return order.mark.is_same_instance(snapshot.mark)
    return snapshot.name == order.name and snapshot.mark is None and not has_unknown_mark(snapshot.description)


def _is_this_life(snapshot: Snapshot, order: SnapshotOrder) -> bool:
    if order.mark is None or snapshot.mark is None:
        return True
    if snapshot.status is SnapshotStatus.BUILDING:
        # Whatever happened to the task meanwhile, nothing newer can be had, and a second one would only stand in line.
        return True
    return snapshot.id not in order.left_behind and snapshot.mark.life == order.mark.life


def _choose(
    candidates: Sequence[Snapshot], order: SnapshotOrder
) -> tuple[Snapshot | None, tuple[tuple[Snapshot, str], ...]]:
    """Of several a running one, else the newest acceptable one; and why the others were passed over."""
    acceptable: list[Snapshot] = []
    passed_over: list[tuple[Snapshot, str]] = []
    for snapshot in candidates:
        judgement = _judge(snapshot, order)
        if judgement.verdict is Verdict.FAILED:
            passed_over.append((snapshot, judgement.reason))
        else:
            acceptable.append(snapshot)
    best = max(acceptable, key=_preference, default=None)
    return best, tuple(passed_over)


def _judge(snapshot: Snapshot, order: SnapshotOrder) -> Judgement:
    if order.mark is not None and snapshot.mark is not None and snapshot.mark.request != order.mark.request:
        return Judgement(Verdict.FAILED, "it was made for another index list")
    return judge_created(snapshot, order.expected)


def _preference(snapshot: Snapshot) -> tuple[bool, float]:
    began = snapshot.began_at.timestamp() if snapshot.began_at else 0.0
    return (snapshot.status is SnapshotStatus.BUILDING, began)


def _from_earlier_life(earlier: Sequence[Snapshot], order: SnapshotOrder) -> Adopt | tuple[tuple[Snapshot, str], ...]:
    if order.on_existing == "fail":
        newest = max(earlier, key=_preference)
        raise CssConflictError(
            ErrorReply(
                0, message=f"This task instance made the snapshot {newest.name} ({newest.id}) in an earlier life."
            ),
            "Set on_existing to 'adopt' to use it or to 'new' to make another one, then clear the task.",
        )
    if order.on_existing == "new":
        return tuple((s, "it is of an earlier life and on_existing is 'new'") for s in earlier)
    adopted, passed_over = _choose(earlier, order)
    return Adopt(adopted, is_earlier_life=True) if adopted is not None else passed_over


def _free_name(order: SnapshotOrder, listed: Sequence[Snapshot], ours: Sequence[Snapshot]) -> str:
    holder = next((s for s in listed if s.name == order.name), None)
    if holder is None:
        return order.name
    if order.mark is None and holder in ours:
        # Without a mark nothing tells a second one of ours from a stranger's, so none is made.
        reason = f"is no backup of what is asked for: {_judge(holder, order).reason}"
        raise CssConflictError(
            ErrorReply(
                0,
                message=f"The snapshot {holder.name} ({holder.id}) is there but {reason}.",
            ),
            "Use another name.",
        )
    if holder in ours:
        return sibling_name(order.name, [s.name for s in listed])
    raise CssConflictError(
        ErrorReply(0, message=f"The snapshot name {order.name} is taken by {_maker(holder, order)}."),
        f"Use a template that differs, for example {_differing_name(order.name)!r}.",
    )


def _maker(holder: Snapshot, order: SnapshotOrder) -> str:
    known = f"snapshot {holder.id}"
    mark = holder.mark
    if mark is None:
        kind = "a newer version of this package" if has_unknown_mark(holder.description) else "somebody else"
        return f"{known}, made by {kind}" + (f" ({holder.description})" if holder.description else "")
    if order.mark is not None and mark.deployment != order.mark.deployment:
        return f"{known}, made by another Airflow deployment ({holder.description})"
    if order.mark is not None and mark.task == order.mark.task:
        return f"{known}, made by this task in another run ({holder.description})"
    return f"{known}, made by another task instance ({holder.description})"


_IDS = "{{ ti.dag_id }}-{{ ti.task_id }}-{{ run_id }}-{{ ti.map_index }}"


def _differing_name(name: str) -> str:
    # Run ids are equal in every DAG of one schedule: two DAGs that both took advice without the ids would meet again.
    return f"{fold_name(name)[:20].rstrip('-_')}-{_IDS}"
