"""
One pruning from start to end: plan, tell, delete one after the other, come back to the busy ones, and prove.

Before each deletion the list is read again and the plan made anew: a snapshot goes only if it is still as it was, and
still goes. One that cannot be deleted never keeps the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from airflow_css.operators.pruning_plan import PruneTask, PruningPlan, make_pruning_plan
from airflow_css.operators.pruning_report import tell_plan
from airflow_css.operators.removing import are_listed, busy_pause, delete_from
from airflow_css.operators.stay import ConditionStay
from airflow_css.protocol.conditions import Gone, Settled, Wait
from airflow_css.protocol.errors import (
    CssAuthError,
    CssBusyError,
    CssConfigError,
    CssError,
    CssSnapshotError,
    CssWaitTimeoutError,
)
from airflow_css.protocol.events import unreadable
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.retention import RetentionPlan, RetentionVerdict, plan_retention
from airflow_css.tasks.looks import with_other_keys
from airflow_css.tasks.metrics import Count

__all__ = ["Pruning"]

MOST_FAILURES_IN_A_ROW = 3
"""After so many the service is down, and asking on for each of the others would only add to its load."""

MOST_TOLD = 5
"""So many snapshots are named in the line for the night reader; the error names all."""


@dataclass(frozen=True)
class _Candidate:
    """One snapshot that goes, as it was when the plan was made."""

    id: str
    name: str
    description: str
    why_not_yet: str = ""
    is_curable: bool = True

    @property
    def label(self) -> str:
        return f"{self.name} ({self.id})"


def _reasons(candidates: Sequence[_Candidate]) -> str:
    return "; ".join(f"{candidate.label}: {candidate.why_not_yet}" for candidate in candidates)


@dataclass(frozen=True)
class _Journey:
    """What must survive a deferral."""

    plan: PruningPlan
    asked_at: float
    result: dict[str, Any] = field(default_factory=dict)
    left: tuple[_Candidate, ...] = ()
    failed: tuple[_Candidate, ...] = ()
    deleted: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    rounds: int = 0
    ended_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "plan": self.plan.as_json()}

    @classmethod
    def from_json(cls, facts: Any) -> _Journey:
        try:
            return cls(
                plan=PruningPlan.from_json(facts["plan"]),
                asked_at=float(facts["asked_at"]),
                result=dict(facts["result"]),
                left=tuple(_Candidate(**item) for item in facts["left"]),
                failed=tuple(_Candidate(**item) for item in facts["failed"]),
                deleted=tuple(str(item) for item in facts["deleted"]),
                skipped=tuple(str(item) for item in facts["skipped"]),
                rounds=int(facts["rounds"]),
                ended_at=None if facts["ended_at"] is None else float(facts["ended_at"]),
            )
        except (KeyError, TypeError, ValueError) as cause:
            raise unreadable(cause) from cause


class Pruning(ConditionStay[dict[str, Any], _Journey]):
    """
    One stay of a prune task in a worker.

    :param operator: The operator.
    :param context: Airflow's context.
    """

    def __init__(self, operator: PruneTask, context: Any) -> None:
        super().__init__(operator, context)
        self._operator = operator

    def _start(self) -> dict[str, Any]:
        plan = make_pruning_plan(self._operator, self._context)
        self._hook = self._operator.hook
        now = self._hook.clock.now()
        self._journey = _Journey(plan, asked_at=now.timestamp())
        judged = self._judge(self._list())
        tell_plan(self._operator.log, judged, plan)
        going = [_Candidate(s.id, s.name, s.description) for s in judged.to_delete]
        self._journey = replace(
            self._known(),
            result={"cluster_id": plan.cluster_id, **judged.as_json(), "dry_run": plan.dry_run},
            left=() if plan.dry_run else tuple(going),
        )
        return self._go_on()

    def _go_on(self) -> dict[str, Any]:
        while self._known().left:
            self._delete_all()
            if self._known().left:
                self._await_turn()
        journey = self._known()
        if journey.ended_at is None:
            self._journey = replace(journey, ended_at=self._hook.clock.now().timestamp())
            self._await_gone()
        return self._finish()

    def _list(self) -> Sequence[Snapshot]:
        cluster_id = self._known().plan.cluster_id
        return with_other_keys(self._hook, lambda: self._hook.get_conn().list_snapshots(cluster_id))

    def _judge(self, listed: Sequence[Snapshot]) -> RetentionPlan:
        journey = self._known()
        # Ages are measured from the same moment in every look, so that the plan stands still while it is carried out.
        now = datetime.fromtimestamp(journey.asked_at, UTC)
        return plan_retention(listed, journey.plan.rules, journey.plan.selection, now=now)

    def _delete_all(self) -> None:
        """Try each of those that are left once, the oldest first."""
        waiting, in_a_row = [], 0
        while self._known().left:
            candidate, *others = self._known().left
            self._journey = replace(self._known(), left=tuple(others))
            try:
                self._delete(candidate)
                in_a_row = 0
            except CssBusyError as busy:
                self._operator.log.info("The snapshot %s cannot be deleted now: %s", candidate.label, busy)
                waiting.append(replace(candidate, why_not_yet=str(busy)))
            except (CssAuthError, CssConfigError):
                # None of the others would fare better.
                raise
            except CssError as error:
                self._operator.log.warning("The snapshot %s could not be deleted: %s", candidate.label, error)
                self._fail(replace(candidate, why_not_yet=str(error), is_curable=error.curable))
                in_a_row += 1
                if in_a_row >= MOST_FAILURES_IN_A_ROW:
                    self._give_up([*waiting, *self._known().left])
                    return
        self._journey = replace(self._known(), left=tuple(waiting))

    def _fail(self, *candidates: _Candidate) -> None:
        journey = self._known()
        self._journey = replace(journey, failed=(*journey.failed, *candidates))

    def _give_up(self, candidates: Sequence[_Candidate]) -> None:
        self._fail(*(replace(c, why_not_yet=c.why_not_yet or "it was not tried") for c in candidates))
        self._journey = replace(self._known(), left=())

    def _delete(self, candidate: _Candidate) -> None:
        why_not = self._changed(candidate)
        journey = self._known()
        if why_not:
            self._operator.log.info("The snapshot %s is left alone: %s.", candidate.label, why_not)
            self._journey = replace(journey, skipped=(*journey.skipped, candidate.id))
            return
        delete_from(self._hook, journey.plan.cluster_id, candidate.id)
        self._operator.log.info("CSS deletes the snapshot %s of cluster %s.", candidate.label, journey.plan.cluster_id)
        self._metrics.count(Count.DELETED)
        self._journey = replace(journey, deleted=(*journey.deleted, candidate.id))

    def _changed(self, candidate: _Candidate) -> str:
        """Return why a snapshot must not go any more, as one clause; empty when it is as it was."""
        decisions = {d.snapshot.id: d for d in self._judge(self._list()).decisions}
        decision = decisions.get(candidate.id)
        if decision is None:
            return "it is gone already"
        if decision.snapshot.description != candidate.description:
            return "its description was changed"
        return "" if decision.verdict is RetentionVerdict.DELETE else f"by now it is {decision.reason}"

    def _await_turn(self) -> None:
        """Wait before the busy ones are tried again; when there is no time left they have failed."""
        journey = replace(self._known(), rounds=self._known().rounds + 1)
        self._journey = journey
        now = self._hook.clock.now().timestamp()
        deadline, not_before = journey.asked_at + journey.plan.turn_timeout, now + busy_pause(journey.rounds)
        if not_before > deadline:
            self._give_up(journey.left)
            return
        # Only the time is waited for: one that is being restored by now is found out by the next plan.
        condition = Settled([], not_before=not_before)
        self._await(Wait(condition, journey.asked_at, deadline, journey.plan.poll_interval))

    def _await_gone(self) -> None:
        journey = self._known()
        plan = journey.plan
        if not plan.waits or not journey.deleted or journey.ended_at is None:
            return
        if are_listed(self._hook, plan.cluster_id, journey.deleted, self._operator.log):
            deadline = journey.ended_at + plan.timeout
            self._await(Wait(Gone(list(journey.deleted)), journey.ended_at, deadline, plan.poll_interval))

    def _finish(self) -> dict[str, Any]:
        journey = self._known()
        self._operator.log.info(
            "Pruned: %d deleted, %d left alone, %d failed.",
            len(journey.deleted),
            len(journey.skipped),
            len(journey.failed),
        )
        if journey.failed:
            raise CssSnapshotError(
                f"{len(journey.failed)} snapshots could not be deleted, {len(journey.deleted)} were. "
                f"{_reasons(journey.failed)}",
                curable=any(candidate.is_curable for candidate in journey.failed),
            )
        return {**journey.result, "deleted": list(journey.deleted), "skipped": list(journey.skipped)}

    def _too_late(self, last_seen: str) -> CssWaitTimeoutError:
        journey = self._known()
        plan, gone = journey.plan, f"Deletions accepted: {len(journey.deleted)}"
        failed = f" Failed: {_reasons(journey.failed)}." if journey.failed else ""
        if journey.ended_at is None:
            return CssWaitTimeoutError(
                f"Snapshots that could not be deleted within {in_words(plan.turn_timeout)}: {_reasons(journey.left)}. "
                f"{gone}.{failed} A retry makes a new plan"
            )
        seen = last_seen or "not all of them were seen gone"
        return CssWaitTimeoutError(
            f"{gone}; {in_words(plan.timeout)} later {seen}.{failed} A retry makes a new plan; raise timeout if "
            "that is usual here"
        )

    def _read_journey(self, carried: Any) -> None:
        self._journey = _Journey.from_json(carried)

    def _label(self) -> str:
        journey = self._journey
        if journey is None:
            return "none that this try knows of"
        names = [candidate.label for candidate in (*journey.left, *journey.failed)]
        if not names and journey.ended_at is not None:
            # Nothing else can have failed by then than that they do not go.
            judged = {entry["id"]: entry["name"] for entry in journey.result["snapshots"]}
            names = [f"{judged[gone]} ({gone})" for gone in journey.deleted]
        more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
        return (", ".join(names[:MOST_TOLD]) + more) or "none in particular"
