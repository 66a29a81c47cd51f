"""
Exactly once, at the level of calls: create or adopt, and look before every creation but the very first.

Theory of operation. A creation can be answered, refused, or leave its fate open (no answer, a server error, a success
without an id). After an open fate, after "busy" and after "name taken" the list decides what happened. CSS runs one
operation per cluster and its names are unique, so a creation that arrives late meets "busy" or "name taken" instead of
making a second one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from airflow_css.client.clock import Clock
from airflow_css.protocol.adoption import Adopt, Create, SnapshotOrder, decide, is_ours
from airflow_css.protocol.errors import (
    CssBusyError,
    CssConflictError,
    CssError,
    CssReplyError,
    CssServerError,
    CssTransportError,
)
from airflow_css.protocol.models import CreatedSnapshot, Snapshot

__all__ = ["EnsuredSnapshot", "ensure"]

MOST_CREATIONS = 4
FIRST_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class EnsuredSnapshot:
    """
    The one snapshot that an order came to.

    :param id: The snapshot id: the backup id.
    :param name: Its name; it can differ from the order's after an earlier one failed.
    :param made_at: When CSS accepted the creation; ``None`` when an existing one was adopted.
    :param adopted: The adopted snapshot as listed; ``None`` when a new one was made.
    :param is_earlier_life: Whether the adopted one was made before the task instance was cleared.
    :param passed_over: Earlier snapshots of the same task instance that were not taken, each with the reason.
    """

    id: str
    name: str
    made_at: datetime | None = None
    adopted: Snapshot | None = None
    is_earlier_life: bool = False
    passed_over: tuple[tuple[Snapshot, str], ...] = ()


def ensure(
    order: SnapshotOrder,
    *,
    create: Callable[[SnapshotOrder], CreatedSnapshot],
    look: Callable[[], Sequence[Snapshot]],
    clock: Clock,
    look_first: bool = True,
) -> EnsuredSnapshot:
    """
    Return the one snapshot of an order, made now or found.

    :param order: What was asked for.
    :param create: Sends one creation.
    :param look: Lists the snapshots of the cluster.
    :param clock: Where the time comes from.
    :param look_first: ``False`` only for the very first creation of a task instance.
    :raises CssBusyError: if another operation is in the way; whoever waits for the turn calls again, and looks first.
    :raises CssConflictError: if another's snapshot has the name, or ``on_existing`` forbids an earlier one.
    :raises CssError: anything else that keeps the order from being fulfilled, after the list was asked.
    """
    decision = decide(order, look()) if look_first else Create(order.name)
    if isinstance(decision, Adopt):
        return _adopted(decision)
    pause = FIRST_PAUSE_SECONDS
    for number in range(1, MOST_CREATIONS + 1):
        try:
            return _made(create(order.under_name(decision.name)), decision, clock)
        except CssError as error:
            if not _must_look_after(error):
                raise
            listed = look()
            if number == 1 and not look_first and isinstance(error, CssBusyError | CssConflictError):
                # This run has made nothing yet, so what bears its mark is of a deleted run of the same id.
                order = replace(order, left_behind=tuple(s.id for s in listed if is_ours(s, order)))
            before, decision = decision, decide(order, listed)
            if isinstance(decision, Adopt):
                return _adopted(decision)
            if isinstance(error, CssBusyError):
                # Whoever waits for the turn asks again, and must not forget it.
                error.left_behind = order.left_behind
                raise
            if number == MOST_CREATIONS or _replaces_again(before, decision):
                raise
        clock.sleep(pause)
        pause *= 2
    raise AssertionError("the last creation either returns or raises")


def _must_look_after(error: CssError) -> bool:
    if isinstance(error, CssTransportError):
        return error.request_may_have_arrived
    return isinstance(error, CssBusyError | CssConflictError | CssServerError | CssReplyError)


def _replaces_again(before: Create, now: Create) -> bool:
    """Return whether what replaced an earlier snapshot has gone bad as well: one more is made once per try."""
    return bool(before.passed_over) and len(now.passed_over) > len(before.passed_over)


def _adopted(decision: Adopt) -> EnsuredSnapshot:
    snapshot = decision.snapshot
    return EnsuredSnapshot(snapshot.id, snapshot.name, adopted=snapshot, is_earlier_life=decision.is_earlier_life)


def _made(created: CreatedSnapshot, decision: Create, clock: Clock) -> EnsuredSnapshot:
    return EnsuredSnapshot(created.id, decision.name, made_at=clock.now(), passed_over=decision.passed_over)
