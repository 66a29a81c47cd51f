"""
Which snapshots to keep, and why: a plan with one verdict and one reason for each snapshot of a cluster.

Theory of operation. First come the reasons why a snapshot is not to be judged: CSS made it, its mark is not understood,
or it is out of scope. What is left is sorted into groups. In a group the good ones with a date are the history, and the
keep rules judge the history alone, so that a failed snapshot never takes the place of a good one. A bad one goes as
soon as a newer good one exists. Damaged states that a checkpoint kept are a history of their own, whatever the groups:
the rules keep some of them, but none saves itself as the newest good one, or costs a backup its place. Before that come
the brakes, which no rule overrides: work in progress, holds, unknown age, the newest good one, a date in the future,
the minimum age. At last ``max_delete`` postpones all but the oldest.

Two properties follow: another rule or hold never makes more go, and a plan made from what a plan left lets nothing go.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.keeping import kept_by
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import Mark, has_unknown_mark
from airflow_css.protocol.rules import RetentionRules, check_rules
from airflow_css.protocol.selection import Selection

__all__ = ["Decision", "RetentionPlan", "RetentionVerdict", "plan_retention"]


class RetentionVerdict(StrEnum):
    """What happens to a snapshot."""

    KEEP = "keep"
    DELETE = "delete"
    POSTPONED = "postponed"
    PROTECTED = "protected"
    OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True)
class Decision:
    """
    What happens to one snapshot, and why.

    :param snapshot: As listed.
    :param verdict: What happens to it.
    :param reason: Why, as one clause for people.
    """

    snapshot: Snapshot
    verdict: RetentionVerdict
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; the moment as ISO 8601."""
        began = self.snapshot.began_at
        return {
            "id": self.snapshot.id,
            "name": self.snapshot.name,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "began_at": began.isoformat() if began else None,
        }


@dataclass(frozen=True)
class RetentionPlan:
    """
    What happens to each snapshot of a list.

    :param decisions: One for each, in the order of the list.
    """

    decisions: tuple[Decision, ...]

    def with_verdict(self, verdict: RetentionVerdict) -> tuple[Decision, ...]:
        """
        Return the decisions of one kind, the oldest snapshot first.

        :param verdict: Which.
        """
        return tuple(sorted((d for d in self.decisions if d.verdict is verdict), key=_age_order))

    @property
    def to_delete(self) -> tuple[Snapshot, ...]:
        """The snapshots that go, in the order in which they should: the oldest first."""
        return tuple(decision.snapshot for decision in self.with_verdict(RetentionVerdict.DELETE))

    @property
    def counts(self) -> dict[str, int]:
        """How many snapshots have each verdict; all verdicts are in it."""
        found = Counter(decision.verdict for decision in self.decisions)
        return {verdict.value: found[verdict] for verdict in RetentionVerdict}

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values: ``counts`` and ``snapshots``."""
        return {"counts": self.counts, "snapshots": [decision.as_json() for decision in self.decisions]}


@dataclass(frozen=True)
class _Judged:
    """A verdict before it is bound to its snapshot."""

    verdict: RetentionVerdict
    reason: str


def plan_retention(
    snapshots: Sequence[Snapshot], rules: RetentionRules, selection: Selection, *, now: datetime
) -> RetentionPlan:
    """
    Return what happens to each snapshot of a cluster. Nothing is deleted by this.

    :param snapshots: All that the cluster lists: what is left out cannot be seen as the newest good one.
    :param rules: What to keep.
    :param selection: Which may be judged at all.
    :param now: From when ages are measured; aware.
    :raises CssUsageError: if a rule is illegal, nothing says what to keep, or ``now`` has no time zone.
    """
    check_rules(rules)
    selection.check()
    if now.utcoffset() is None:
        raise CssUsageError("now", now, "it has a time zone", "2026-11-23T00:00:00+00:00")
    judged: dict[int, _Judged] = {}
    groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, snapshot in enumerate(snapshots):
        why = _not_to_judge(snapshot, selection)
        if why is None:
            groups[_group_of(snapshot, rules)].append(place)
        else:
            judged[place] = why
    for places in groups.values():
        group = _Group([snapshots[place] for place in places], rules, now)
        judged.update(zip(places, group.judge(), strict=True))
    decisions = [Decision(s, judged[place].verdict, judged[place].reason) for place, s in enumerate(snapshots)]
    return RetentionPlan(tuple(_postpone(decisions, rules.max_delete)))


def _not_to_judge(snapshot: Snapshot, selection: Selection) -> _Judged | None:
    if snapshot.is_automatic:
        return _Judged(RetentionVerdict.PROTECTED, "automatic: CSS removes it by its policy")
    if has_unknown_mark(snapshot.description):
        return _Judged(RetentionVerdict.PROTECTED, "mark of an unknown version")
    why = selection.why_not(snapshot)
    return _Judged(RetentionVerdict.OUT_OF_SCOPE, why) if why else None


def _group_of(snapshot: Snapshot, rules: RetentionRules) -> tuple[str, ...]:
    if snapshot.is_damaged:
        # Else the newest backup could go because a newer snapshot holds the damage.
        return ("damaged", *_marked_group(snapshot.mark, rules))
    if rules.group_by is None:
        return ()
    if snapshot.mark is None:
        # Nothing tells who asked for what; what is in them tells best which are each other's history.
        return ("foreign", *(sorted(snapshot.indices) if "request" in rules.group_by else ()))
    return _marked_group(snapshot.mark, rules)


def _marked_group(mark: Mark | None, rules: RetentionRules) -> tuple[str, ...]:
    return tuple(str(getattr(mark, word)) for word in sorted(rules.group_by or ()))


@dataclass(frozen=True)
class _Group:
    """The snapshots that are each other's history."""

    snapshots: Sequence[Snapshot]
    rules: RetentionRules
    now: datetime

    def judge(self) -> Iterator[_Judged]:
        """Yield the verdict of each, in their order."""
        history = sorted(_dated(s for s in self.snapshots if s.is_good), reverse=True)
        moments = [began for began, _ in history]
        kept = kept_by(moments, self.rules.counts, self.rules.within, zone=self.rules.zone, now=self.now)
        kept_ids = {identity: reasons for (_, identity), reasons in zip(history, kept, strict=True)}
        newest = next((entry for entry in history if entry[0] <= self.now), None)
        for snapshot in self.snapshots:
            began = snapshot.began_at
            if why := _brake(snapshot, self.rules):
                yield _Judged(RetentionVerdict.PROTECTED, why)
            elif began is None:
                yield _Judged(RetentionVerdict.PROTECTED, "its age is unknown")
            elif newest == (began, snapshot.id) and not snapshot.is_damaged:
                yield _Judged(RetentionVerdict.KEEP, "kept: newest good of its group")
            elif reasons := kept_ids.get(snapshot.id):
                yield _Judged(RetentionVerdict.KEEP, f"kept by {', '.join(reasons)}")
            else:
                yield self._not_kept(snapshot, began, newest[0] if newest else None)

    def _not_kept(self, snapshot: Snapshot, began: datetime, newest_good: datetime | None) -> _Judged:
        if began > self.now:
            return _Judged(RetentionVerdict.PROTECTED, "its date lies in the future")
        bad = _badness(snapshot)
        if bad and (newest_good is None or newest_good <= began):
            return _Judged(RetentionVerdict.KEEP, f"kept: {bad}, but no newer good one exists")
        span = self.rules.minimum_age
        if span is not None and began >= span.before(self.now, self.rules.zone):
            return _Judged(RetentionVerdict.KEEP, f"kept: not older than {self.rules.older_than}")
        reason = f"goes: {bad}, and a newer good one exists" if bad else "goes: no rule keeps it"
        return _Judged(RetentionVerdict.DELETE, reason)


def _dated(snapshots: Iterator[Snapshot]) -> Iterator[tuple[datetime, str]]:
    # The id decides between two of the same moment, so that the order of the list does not matter.
    return ((s.began_at, s.id) for s in snapshots if s.began_at is not None)


def _brake(snapshot: Snapshot, rules: RetentionRules) -> str:
    """Return why a snapshot is never touched, as one clause; empty when it may be."""
    return _in_progress(snapshot) or _held(snapshot, rules)


def _in_progress(snapshot: Snapshot) -> str:
    if snapshot.status is SnapshotStatus.BUILDING:
        return "being made"
    if snapshot.status is SnapshotStatus.UNKNOWN:
        return f"in a state that this version does not know ({snapshot.status_word})"
    return "being restored" if snapshot.restore_status == "restoring" else ""


def _held(snapshot: Snapshot, rules: RetentionRules) -> str:
    if snapshot.mark is not None and snapshot.mark.hold:
        return "held by its mark"
    if snapshot.id in rules.hold_ids:
        return "held by its id"
    return "held by its name" if snapshot.name in rules.hold_names else ""


def _badness(snapshot: Snapshot) -> str:
    """Return what keeps a finished snapshot from being good; empty when it is."""
    if snapshot.is_good:
        return ""
    if snapshot.status is SnapshotStatus.FAILED:
        return "failed"
    return "partial" if snapshot.status is SnapshotStatus.PART_FAILED or snapshot.failed_shards else "empty"


def _postpone(decisions: Sequence[Decision], max_delete: int | None) -> Iterator[Decision]:
    going = sorted((d for d in decisions if d.verdict is RetentionVerdict.DELETE), key=_age_order)
    late = {id(decision) for decision in going[max_delete:]} if max_delete is not None else set()
    for decision in decisions:
        if id(decision) in late:
            reason = f"goes later: max_delete is {max_delete} for each try, and older ones go first"
            yield Decision(decision.snapshot, RetentionVerdict.POSTPONED, reason)
        else:
            yield decision


def _age_order(decision: Decision) -> tuple[float, str]:
    began = decision.snapshot.began_at
    return (began.timestamp() if began else 0.0, decision.snapshot.id)
