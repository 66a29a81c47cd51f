"""
Why there is no good backup that is new enough: what was found, and the way out.

Only what list and policy prove is said. What the policy tells is left out when it could not be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_css.protocol.freshness import SnapshotFresh, age_of, is_ahead
from airflow_css.protocol.models import Snapshot, SnapshotPolicy, SnapshotStatus
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.waiting import newest_good

__all__ = ["Reason", "why_stale"]

# A week and a day show the last time of a weekly policy, too.
LOOKED_BACK = timedelta(days=8)
STARTS_WITHIN = timedelta(minutes=30)
MOST_DUES = 200


@dataclass(frozen=True)
class Reason:
    """
    Why, and what to do.

    :param fact: What list and policy show, as a clause.
    :param way_out: What to do, as an order.
    :param newest: The snapshot that was not good enough; ``None`` when there is none.
    """

    fact: str
    way_out: str
    newest: Snapshot | None = None

    def __str__(self) -> str:
        return f"{self.fact}; {self.way_out}"


def why_stale(
    wanted: SnapshotFresh, listed: Sequence[Snapshot], policy: SnapshotPolicy | None, now: datetime
) -> Reason:
    """
    Return why no snapshot is good and new enough.

    :param wanted: What was asked for. It is not met.
    :param listed: The snapshots of the cluster.
    :param policy: The policy for automatic snapshots; ``None`` when it could not be read.
    :param now: When they were read.
    """
    asked_for, reachable = wanted.asked_for(listed), wanted.reachable(listed)
    newest = newest_good(reachable)
    if newest is None and (elsewhere := newest_good(asked_for)) is not None:
        return _in_another_bucket(elsewhere, wanted.bucket_of(listed))
    if newest is not None and is_ahead(newest, now):
        return _in_the_future(newest, now)
    if newest is not None:
        reason = _too_old(wanted, newest, reachable, now)
    elif reachable:
        return _none_good(reachable)
    else:
        reason = _none(wanted, listed)
    return _with_cause(reason, wanted, listed, policy, now)


def _in_another_bucket(newest: Snapshot, bucket: str) -> Reason:
    return Reason(
        f"the newest good snapshot {newest.name} ({newest.id}) lies in the bucket {newest.bucket}, but the cluster "
        f"reads {bucket} now",
        "make a new snapshot, or set the bucket back in the snapshot settings of the cluster",
        newest,
    )


def _in_the_future(newest: Snapshot, now: datetime) -> Reason:
    ahead = in_words(((newest.began_at or now) - now).total_seconds())
    return Reason(
        f"the newest good snapshot {newest.name} ({newest.id}) starts {ahead} in the future, so its age is not known",
        "set the clock of the machine that runs this task right, then look again",
        newest,
    )


def _too_old(wanted: SnapshotFresh, newest: Snapshot, reachable: Sequence[Snapshot], now: datetime) -> Reason:
    age = age_of(newest, now)
    old = "of unknown age" if age is None else f"{in_words(age)} old"
    fact = (
        f"the newest good snapshot {newest.name} ({newest.id}) is {old}, at most {in_words(wanted.max_age)} are allowed"
    )
    later = [s for s in reachable if s.began_at and newest.began_at and s.began_at > newest.began_at]
    if later:
        last = max(later, key=lambda s: s.began_at or now)
        fact += f", and the later {last.name} ({last.id}) is {_fault(last)}"
    return Reason(fact, "see why none was made since, and make one", newest)


def _none(wanted: SnapshotFresh, listed: Sequence[Snapshot]) -> Reason:
    if not listed:
        return Reason("the cluster has no snapshot", "make one")
    if all(s.is_damaged for s in listed):
        return Reason("the cluster has no backup: all its snapshots hold damaged states", "make one of a good state")
    number = "the only snapshot" if len(listed) == 1 else f"none of the {len(listed)} snapshots"
    verb = "is not" if len(listed) == 1 else "is"
    return Reason(
        f"{number} of the cluster {verb} one {wanted.described()}", "make one, or correct what this task looks for"
    )


_WAYS_OUT = {
    "FAILED": "see the failed tasks of the cluster in the console for the cause, then make one",
    "partial": "see to the health of the cluster, then make one",
    "empty": "correct the index list of whoever makes them",
    "being made": "wait for its end, for example with a timeout",
}


def _none_good(reachable: Sequence[Snapshot]) -> Reason:
    faults = Counter(_fault(s) for s in reachable)
    last = max(reachable, key=lambda s: s.began_at.timestamp() if s.began_at else 0.0)
    worst = _fault(last)
    if len(faults) == 1:
        what = f"the only snapshot is {worst}" if len(reachable) == 1 else f"all {len(reachable)} snapshots are {worst}"
    else:
        what = "no snapshot is good: " + ", ".join(f"{number} {fault}" for fault, number in sorted(faults.items()))
    return Reason(
        f"{what} (the newest is {last.name}, {last.id})", _WAYS_OUT.get(worst, "look at it in the console"), last
    )


def _fault(snapshot: Snapshot) -> str:
    if snapshot.status is SnapshotStatus.BUILDING:
        return "being made"
    if snapshot.status is SnapshotStatus.FAILED:
        return "FAILED"
    if snapshot.status is SnapshotStatus.PART_FAILED or snapshot.failed_shards:
        return "partial"
    return "empty" if snapshot.status is SnapshotStatus.COMPLETED else f"in the unknown state {snapshot.status_word}"


Cause = Callable[[SnapshotFresh, Sequence[Snapshot], SnapshotPolicy, datetime], "tuple[str, str] | None"]


def _with_cause(
    reason: Reason, wanted: SnapshotFresh, listed: Sequence[Snapshot], policy: SnapshotPolicy | None, now: datetime
) -> Reason:
    causes: tuple[Cause, ...] = (_policy_off, _likely_cancelled)
    for cause in causes if policy is not None and wanted.made_by != "manual" else ():
        found = cause(wanted, listed, policy, now) if policy else None
        if found:
            return Reason(f"{reason.fact}; {found[0]}", found[1], reason.newest)
    return reason


def _policy_off(
    wanted: SnapshotFresh, listed: Sequence[Snapshot], policy: SnapshotPolicy, _now: datetime
) -> tuple[str, str] | None:
    # Where other snapshots are looked at as well, a policy that is off matters only if nobody lives by it.
    if policy.enabled or (wanted.made_by is None and any(s.is_automatic for s in listed)):
        return None
    return "the policy for automatic snapshots is off", "turn it on in the console, or make one with a task"


def _likely_cancelled(
    _wanted: SnapshotFresh, listed: Sequence[Snapshot], policy: SnapshotPolicy, now: datetime
) -> tuple[str, str] | None:
    dues = list(_dues(policy, now))
    if not dues or any(s.is_automatic and _began_near(s, dues[-1]) for s in listed):
        return None
    for snapshot in listed:
        if snapshot.mark is not None and not snapshot.is_automatic and _ran_at(snapshot, dues[-1], now):
            return (
                f"an automatic one was due at {dues[-1]:%Y-%m-%d %H:%M} UTC while {snapshot.name} was being made, so "
                "CSS likely cancelled it"
            ), "move the policy's time, or the task that makes the other one"
    return None


def _dues(policy: SnapshotPolicy, now: datetime) -> Iterator[datetime]:
    due = policy.next_due(now - LOOKED_BACK)
    for _ in range(MOST_DUES):
        if due is None or due > now:
            return
        yield due
        due = policy.next_due(due)


def _began_near(snapshot: Snapshot, due: datetime) -> bool:
    return snapshot.began_at is not None and abs(snapshot.began_at - due) <= STARTS_WITHIN


def _ran_at(snapshot: Snapshot, moment: datetime, now: datetime) -> bool:
    return snapshot.began_at is not None and snapshot.began_at <= moment <= (snapshot.ended_at or now)
