"""One deletion from start to end: look, refuse what must stay, wait while something works on it, delete, and prove."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from airflow_css.links.css import persist_link
from airflow_css.operators.deletion_plan import DeleteTask, DeletionPlan, make_deletion_plan
from airflow_css.operators.removing import are_listed, busy_pause, delete_from
from airflow_css.operators.stay import ConditionStay
from airflow_css.protocol.conditions import Gone, Settled, Wait
from airflow_css.protocol.errors import (
    CssBusyError,
    CssNotFoundError,
    CssWaitTimeoutError,
    ErrorReply,
)
from airflow_css.protocol.events import unreadable
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.protection import refuse_at_work, refuse_held, refuse_policys
from airflow_css.tasks.looks import with_other_keys
from airflow_css.tasks.metrics import Count

__all__ = ["Deletion"]


@dataclass(frozen=True)
class _Journey:
    """What must survive a deferral."""

    plan: DeletionPlan
    asked_at: float
    refusals: int = 0
    snapshot_id: str = ""
    snapshot_name: str = ""
    deleted_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Any) -> _Journey:
        try:
            return cls(
                plan=DeletionPlan.from_json(facts["plan"]),
                asked_at=float(facts["asked_at"]),
                refusals=int(facts["refusals"]),
                snapshot_id=str(facts["snapshot_id"]),
                snapshot_name=str(facts["snapshot_name"]),
                deleted_at=None if facts["deleted_at"] is None else float(facts["deleted_at"]),
            )
        except (KeyError, TypeError, ValueError) as cause:
            raise unreadable(cause) from cause


class Deletion(ConditionStay[dict[str, Any], _Journey]):
    """
    One stay of a delete task in a worker.

    :param operator: The operator.
    :param context: Airflow's context.
    """

    def __init__(self, operator: DeleteTask, context: Any) -> None:
        super().__init__(operator, context)
        self._operator = operator

    def tell_killed(self) -> None:
        """Log that a deletion that CSS has accepted goes on."""
        if self._journey is not None and self._journey.deleted_at is not None:
            self._operator.log.warning("Killed. CSS goes on deleting the snapshot %s.", self._label())

    def _start(self) -> dict[str, Any]:
        plan = make_deletion_plan(self._operator, self._context)
        self._hook = self._operator.hook
        self._journey = _Journey(plan, self._hook.clock.now().timestamp())
        return self._go_on()

    def _go_on(self) -> dict[str, Any]:
        while self._known().deleted_at is None:
            snapshot = with_other_keys(self._hook, self._find)
            if snapshot is None:
                return self._missing()
            self._refuse_protected(snapshot)
            wait = self._delete(snapshot)
            if wait is not None:
                self._await(wait)
        if self._known().plan.waits:
            self._await_gone()
        return self._result(deleted=True)

    def _find(self) -> Snapshot | None:
        journey = self._known()
        plan = journey.plan
        # Once it was seen only its id counts: another one may bear the name by now.
        wanted = journey.snapshot_id or plan.snapshot_id
        listed = self._hook.get_conn().list_snapshots(plan.cluster_id)
        named = (s for s in listed if s.id == wanted or (wanted is None and s.name == plan.snapshot_name))
        return next(named, None)

    def _refuse_protected(self, snapshot: Snapshot) -> None:
        if not self._known().snapshot_id:
            persist_link(self._context, self._hook, cluster_id=self._known().plan.cluster_id, snapshot_id=snapshot.id)
        self._journey = replace(self._known(), snapshot_id=snapshot.id, snapshot_name=snapshot.name)
        refuse_held(snapshot)
        if snapshot.is_automatic:
            plan = self._known().plan
            policy = with_other_keys(self._hook, lambda: self._hook.get_conn().get_snapshot_policy(plan.cluster_id))
            refuse_policys(snapshot, policy, allow_automatic=plan.allow_automatic)

    def _delete(self, snapshot: Snapshot) -> Wait | None:
        """Return what must be waited for before the snapshot can be deleted; nothing when CSS has accepted it."""
        plan = self._known().plan
        try:
            refuse_at_work(snapshot)
            delete_from(self._hook, plan.cluster_id, snapshot.id)
        except CssBusyError as busy:
            if plan.turn_timeout == 0:
                raise
            return self._turn(snapshot, busy)
        self._operator.log.info("CSS deletes the snapshot %s of cluster %s.", snapshot.label, plan.cluster_id)
        self._metrics.count(Count.DELETED)
        self._journey = replace(self._known(), deleted_at=self._hook.clock.now().timestamp())
        return None

    def _turn(self, snapshot: Snapshot, busy: CssBusyError) -> Wait:
        journey = self._known()
        refusals = 0 if snapshot.work else journey.refusals + 1
        self._journey = replace(journey, refusals=refusals)
        if refusals:
            pause = in_words(busy_pause(refusals))
            self._operator.log.info("CSS says busy (%s); next try in %s.", busy.reply.code, pause)
        not_before = self._hook.clock.now().timestamp() + busy_pause(refusals)
        deadline = journey.asked_at + journey.plan.turn_timeout
        condition = Settled([snapshot.id], not_before=not_before)
        return Wait(condition, journey.asked_at, deadline, journey.plan.poll_interval)

    def _await_gone(self) -> None:
        journey = self._known()
        plan, wanted = journey.plan, [journey.snapshot_id]
        # CSS mostly removes it at once, and then nobody needs to wait.
        if journey.deleted_at is not None and are_listed(self._hook, plan.cluster_id, wanted, self._operator.log):
            deadline = journey.deleted_at + plan.timeout
            self._await(Wait(Gone(wanted), journey.deleted_at, deadline, plan.poll_interval))

    def _missing(self) -> dict[str, Any]:
        journey = self._known()
        plan, log = journey.plan, self._operator.log
        if journey.snapshot_id:
            log.info("The snapshot %s is gone: it was removed while this task waited for its turn.", self._label())
            return self._result(deleted=False)
        if plan.is_retry and not plan.ignore_missing:
            log.warning(
                "The cluster %s has no snapshot %s any more; an earlier try of this task may have deleted it, so this "
                "counts as done.",
                plan.cluster_id,
                self._label(),
            )
        elif not plan.ignore_missing:
            message = f"The cluster {plan.cluster_id} has no snapshot {self._label()}."
            raise CssNotFoundError(
                ErrorReply(0, message=message, call="delete_snapshot"),
                "List its snapshots to see what it has; set ignore_missing=True if a missing one is fine.",
            )
        else:
            log.info("The cluster %s has no snapshot %s; there is nothing to delete.", plan.cluster_id, self._label())
        return self._result(deleted=False, was_missing=True)

    def _result(self, *, deleted: bool, was_missing: bool = False) -> dict[str, Any]:
        journey = self._known()
        if deleted and journey.plan.waits:
            self._operator.log.info("The snapshot %s is gone.", self._label())
        return {
            "snapshot_id": journey.snapshot_id or journey.plan.snapshot_id,
            "name": journey.snapshot_name or journey.plan.snapshot_name,
            "cluster_id": journey.plan.cluster_id,
            "deleted": deleted,
            "was_missing": was_missing,
        }

    def _too_late(self, last_seen: str) -> CssWaitTimeoutError:
        journey = self._known()
        if journey.deleted_at is None:
            return CssWaitTimeoutError(
                f"The snapshot {self._label()} could not be deleted within {in_words(journey.plan.turn_timeout)}, "
                "because something worked on it or on its cluster all the time; at the last look: "
                f"{last_seen or 'not known'}. Raise turn_timeout, or start this task at another time"
            )
        return CssWaitTimeoutError(
            f"CSS accepted the deletion of {self._label()} but still lists it {in_words(journey.plan.timeout)} later. "
            "A retry looks again; raise timeout if that is usual here"
        )

    def _read_journey(self, carried: Any) -> None:
        self._journey = _Journey.from_json(carried)

    def _label(self) -> str:
        journey = self._journey
        if journey is None:
            return "none that this try knows of"
        if journey.snapshot_id:
            return f"{journey.snapshot_name} ({journey.snapshot_id})"
        return str(journey.plan.snapshot_id or journey.plan.snapshot_name)
