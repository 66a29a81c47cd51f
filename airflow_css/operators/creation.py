"""
One creation from start to end: plan, take the turn, make or adopt, wait, and tell.

In the worker the waits happen here. Deferrable, each wait is handed to a trigger, and the method that Airflow resumes
goes on with what the event carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_css.links.css import persist_link
from airflow_css.operators.announce import announce
from airflow_css.operators.attempt import CreationAttempt
from airflow_css.operators.create_task import CreateTask
from airflow_css.operators.ending import wait_in_worker
from airflow_css.operators.journey import Journey
from airflow_css.operators.outlets import tell_outlets
from airflow_css.operators.plan import make_plan
from airflow_css.operators.stay import Stay
from airflow_css.protocol.errors import CssBusyError, CssReplyError, CssWaitTimeoutError
from airflow_css.protocol.events import ENDED, IDLE, RETRY_FINDS_IT, read_event, read_snapshot
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.waiting import Verdict, judge_created
from airflow_css.tasks.looks import with_other_keys
from airflow_css.tasks.metrics import Count, Level, Time
from airflow_css.tasks.turn import TurnInWorker, late_turn
from airflow_css.triggers.css import ClusterIdleTrigger, SnapshotTrigger

if TYPE_CHECKING:
    from airflow_css.client.ensure import EnsuredSnapshot

__all__ = ["Creation"]


class Creation(Stay[str, Journey]):
    """
    One stay of a create task in a worker.

    :param operator: The operator.
    :param context: Airflow's context.
    """

    counts_bad_end = Count.FAILED

    def __init__(self, operator: CreateTask, context: Any) -> None:
        super().__init__(operator, context)
        self._operator = operator

    def resume_at_turn(self, event: Any) -> str:
        """
        Return the backup id, or defer again: what a task does when its turn has come.

        :param event: What the trigger sent.
        """
        return self._told(lambda: self._resume_at_turn(event))

    def resume_at_end(self, event: Any) -> str:
        """
        Return the backup id: what a task does when the snapshot has ended.

        :param event: What the trigger sent.
        """
        return self._told(lambda: self._resume_at_end(event))

    def tell_killed(self) -> None:
        """Log that the snapshot is left alone: CSS forbids deleting one that is being made."""
        if self._journey is not None and self._journey.snapshot_id:
            self._operator.log.warning("Killed. The snapshot %s is left alone; the next try adopts it.", self._label())

    def check_earlier(self, earlier: Sequence[Snapshot]) -> None:
        """
        Look at what this task instance made before it was cleared; a checkpoint may refuse to go on.

        :param earlier: The snapshots, whether used again or passed over.
        """

    def _label(self) -> str:
        journey = self._journey
        if journey is None or not journey.snapshot_id:
            return "none that this try knows of"
        return f"{journey.snapshot_name} ({journey.snapshot_id})"

    def _start(self) -> str:
        operator = self._operator
        plan = make_plan(operator, self._context)
        self._hook = operator.hook
        self._journey = Journey(plan, operator.hook.clock.now().timestamp())
        self._metrics.count_retry()
        if operator.deferrable:
            return self._take_turn_or_defer(look_first=plan.look_first, was_busy=True)
        made = TurnInWorker(operator.hook, plan.turn, operator.log).take(CreationAttempt(operator.hook, plan))
        self._keep(made)
        snapshot = wait_in_worker(operator.hook, plan, made, operator.log) if plan.waits else _as_begun(made)
        return self._finish(snapshot)

    def _take_turn_or_defer(self, *, look_first: bool, was_busy: bool) -> str:
        plan = self._known().plan
        try:
            made = with_other_keys(self._hook, CreationAttempt(self._hook, replace(plan, look_first=look_first)))
        except CssBusyError as busy:
            if plan.turn_timeout == 0:
                raise
            return self._defer_for_turn(busy, was_busy=was_busy)
        self._keep(made)
        is_good = made.adopted is not None and judge_created(made.adopted, plan.order.expected).verdict is Verdict.GOOD
        if is_good or not plan.waits:
            return self._finish(_as_begun(made))
        return self._defer_for_end()

    def _defer_for_turn(self, busy: CssBusyError, *, was_busy: bool) -> str:
        journey = self._known()
        contradictions = journey.contradictions.after(was_busy=was_busy)
        contradictions.refuse_too_many(busy)
        plan = journey.plan.remembering(busy.left_behind)
        now = self._hook.clock.now().timestamp()
        deadline = journey.asked_at + plan.turn_timeout
        trigger = ClusterIdleTrigger(
            css_conn_id=plan.css_conn_id,
            cluster_id=plan.cluster_id,
            name=plan.run,
            asked_at=journey.asked_at,
            deadline=deadline,
            not_before=now + contradictions.backoff_seconds,
            poll_interval=plan.poll_interval,
            carry=Journey(plan, journey.asked_at, contradictions).as_json(),
        )
        return self._defer(trigger, "resume_at_turn", max(0.0, deadline - now))

    def _defer_for_end(self) -> str:
        journey = self._known()
        plan = journey.plan
        mark = plan.order.mark
        trigger = SnapshotTrigger(
            css_conn_id=plan.css_conn_id,
            cluster_id=plan.cluster_id,
            snapshot_id=journey.snapshot_id,
            snapshot_name=journey.snapshot_name,
            timeout=plan.timeout,
            made_at=journey.made_at,
            indices=plan.order.expected.indices,
            allow_partial=plan.order.expected.allow_partial,
            fail_if_empty=plan.order.expected.fail_if_empty,
            request=mark.request if mark else None,
            poll_interval=plan.poll_interval,
            carry=journey.as_json(),
        )
        return self._defer(trigger, "execute_complete", plan.timeout)

    def _resume_at_turn(self, event: Any) -> str:
        self._read_journey(event)
        try:
            arrived = read_event(event, good=IDLE)
        except CssWaitTimeoutError as error:
            # The trigger knows only that the cluster is at work; here it can be asked with what.
            raise late_turn(self._hook, self._known().plan.turn) from error
        return self._take_turn_or_defer(look_first=True, was_busy=bool(arrived.get("was_busy")))

    def _resume_at_end(self, event: Any) -> str:
        self._read_journey(event)
        snapshot = read_snapshot(read_event(event, good=ENDED).get("snapshot"))
        if snapshot.id != self._known().snapshot_id:
            raise CssReplyError(f"The trigger sent the end of another snapshot ({snapshot.id}). {RETRY_FINDS_IT}")
        # The trigger has judged it already, but perhaps by the rules of another version.
        if judge_created(snapshot, self._known().plan.order.expected).verdict is not Verdict.GOOD:
            raise CssReplyError(
                f"The trigger sent {snapshot.status_word or 'no word'} for a good end. {RETRY_FINDS_IT}"
            )
        return self._finish(snapshot)

    def _read_journey(self, event: Any) -> None:
        # Before the outcome is looked at: a failure must be told with its cluster and snapshot, too.
        self._journey = Journey.from_json(event.get("carry") if isinstance(event, dict) else None)

    def _keep(self, made: EnsuredSnapshot) -> None:
        """Push the ids before any wait: whatever happens to this process, everybody can see what was made."""
        earlier = tuple(snapshot for snapshot, _ in made.passed_over)
        self.check_earlier((*earlier, made.adopted) if made.adopted and made.is_earlier_life else earlier)
        journey = self._known()
        self._journey = journey.with_snapshot(made.id, made.name, made.made_at)
        self._push(backup_id=made.id, snapshot_name=made.name, cluster_id=journey.plan.cluster_id)
        persist_link(self._context, self._hook, cluster_id=journey.plan.cluster_id, snapshot_id=made.id)
        announce(self._operator.log, self._hook, journey.plan, made)
        self._metrics.count(Count.CREATED if made.adopted is None else Count.ADOPTED)
        self._metrics.time(Time.TURN, self._hook.clock.now().timestamp() - journey.asked_at)

    def _finish(self, snapshot: Snapshot) -> str:
        cluster_id = self._known().plan.cluster_id
        persist_link(self._context, self._hook, cluster_id=cluster_id, snapshot_id=snapshot.id)
        self._push(snapshot=snapshot.as_json())
        # Only here, where the task ends: what another process wrote into the events before a wait is lost.
        tell_outlets(self._operator, self._context, cluster_id, snapshot)
        if self._known().plan.waits:
            self._measure(snapshot)
        return snapshot.id

    def _measure(self, snapshot: Snapshot) -> None:
        metrics, made_at = self._metrics, self._known().made_at
        metrics.time(Time.DURATION, snapshot.duration_seconds)
        # One that was found was made by another try, and perhaps long ago.
        metrics.time(Time.WAIT, None if made_at is None else self._hook.clock.now().timestamp() - made_at)
        metrics.level(Level.SHARDS, snapshot.total_shards)
        metrics.level(Level.FAILED_SHARDS, snapshot.failed_shards)

    def _push(self, **values: Any) -> None:
        for key, value in values.items():
            self._context["ti"].xcom_push(key=key, value=value)


def _as_begun(made: EnsuredSnapshot) -> Snapshot:
    building = SnapshotStatus.BUILDING
    return made.adopted or Snapshot(made.id, made.name, building, building.value, started_at=made.made_at)
