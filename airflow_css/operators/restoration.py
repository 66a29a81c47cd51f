"""
One restore from start to end: plan, take the turn, send or join, wait, and prove.

In the worker the waits happen here. Deferrable, each wait is handed to a trigger, and the method that Airflow resumes
goes on with what the event carries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from airflow_css.client.clock import chance
from airflow_css.links.css import persist_link
from airflow_css.operators.restore_attempt import BegunRestore, RestoreAttempt, SnapshotInUseError
from airflow_css.operators.restore_memory import RestoreMemory, SentRestore
from airflow_css.operators.restore_plan import RestorePlan, RestoreTask, make_restore_plan
from airflow_css.operators.restore_result import RestoreResult
from airflow_css.operators.stay import Stay
from airflow_css.protocol.conditions import Settled, Wait
from airflow_css.protocol.errors import (
    CssBusyError,
    CssError,
    CssReplyError,
    CssSnapshotFailedError,
    CssStateError,
    CssWaitTimeoutError,
    ErrorReply,
)
from airflow_css.protocol.events import ENDED, IDLE, MET, RETRY_FINDS_IT, read_event, read_snapshot, unreadable
from airflow_css.protocol.restoring import RestoreEnd, RestoreWatch
from airflow_css.protocol.turns import Contradictions
from airflow_css.tasks.awaiting import await_in_worker
from airflow_css.tasks.looks import PatientLooks, with_other_keys
from airflow_css.tasks.metrics import Count, Time
from airflow_css.tasks.turn import TurnInWorker, at_work, late_turn
from airflow_css.triggers.css import ClusterIdleTrigger
from airflow_css.triggers.restore import RestoreTrigger

__all__ = ["Restoration"]

# More than the longest distance of two looks: whoever restored the snapshot before must see how it ended.
REST_SECONDS = 90.0


@dataclass(frozen=True)
class _Journey:
    """What must survive a deferral."""

    plan: RestorePlan
    asked_at: float
    contradictions: Contradictions = field(default_factory=Contradictions)
    sent: SentRestore | None = None
    result: RestoreResult | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Any) -> _Journey:
        try:
            return cls(
                plan=RestorePlan.from_json(facts["plan"]),
                asked_at=float(facts["asked_at"]),
                contradictions=Contradictions(int(facts["contradictions"]["count"])),
                sent=SentRestore(**facts["sent"]) if facts["sent"] else None,
                result=RestoreResult.from_json(facts["result"]) if facts["result"] else None,
            )
        except (KeyError, TypeError, ValueError) as cause:
            raise unreadable(cause) from cause


class Restoration(Stay[dict[str, Any], _Journey]):
    """
    One stay of a restore task in a worker.

    :param operator: The operator.
    :param context: Airflow's context.
    """

    counts_bad_end = Count.RESTORE_FAILED
    ways_to_be_sure: ClassVar[str] = (
        "Give names that are new each time, set existing_indices='replace', or look with verify"
    )

    def __init__(self, operator: RestoreTask, context: Any) -> None:
        super().__init__(operator, context)
        self._operator = operator

    def resume_at_turn(self, event: Any) -> dict[str, Any]:
        """
        Return what was restored, or defer again: what a task does when its turn has come.

        :param event: What the trigger sent.
        """
        return self._told(lambda: self._resume_at_turn(event))

    def resume_at_end(self, event: Any) -> dict[str, Any]:
        """
        Return what was restored: what a task does when the restore has ended.

        :param event: What the trigger sent.
        """
        return self._told(lambda: self._resume_at_end(event))

    def way_out(self) -> str:
        """Return what to do after a restore that failed, as an order."""
        replaces = self._journey is not None and self._journey.plan.replaces
        return (
            "Rename the indices with rename_pattern and rename_replacement"
            if replaces
            else "Rename the indices, or give them up with existing_indices='replace'"
        )

    def tell_killed(self) -> None:
        """Log that the restore goes on: CSS has no call to stop one."""
        if self._journey is not None and self._journey.result is not None:
            self._operator.log.warning(
                "Killed. CSS has no call to stop a restore: that of %s goes on.", self._journey.result.snapshot_name
            )

    @cached_property
    def _memory(self) -> RestoreMemory:
        return RestoreMemory(self._context, self._known().plan.life)

    def _told(self, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return super()._told(lambda: self._forgetting(step))

    def _forgetting(self, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return step()
        except CssSnapshotFailedError as error:
            if self._journey is not None:
                # That restore is over; the next try begins another one.
                self._memory.forget()
            raise CssSnapshotFailedError(f"{error}. {self.way_out()}", error.snapshot, curable=error.curable) from error

    def _label(self) -> str:
        result = self._journey.result if self._journey else None
        return f"{result.snapshot_name} ({result.snapshot_id})" if result else "none that this try restored"

    def _start(self) -> dict[str, Any]:
        operator = self._operator
        plan = make_restore_plan(operator, self._context)
        self._hook = operator.hook
        self._journey = _Journey(plan, operator.hook.clock.now().timestamp())
        self._metrics.count_retry()
        if not plan.replaces:
            operator.log.warning(
                "Where the target has an index of such a name already, it is left as it is, and CSS is not documented "
                "to report it. %s.",
                self.ways_to_be_sure,
            )
        if plan.renaming is not None and plan.renaming.matches_twice:
            operator.log.warning(
                "The rename_pattern %r also matches the empty end of each name; (.+) matches a name once.",
                plan.rename_pattern,
            )
        if operator.deferrable:
            return self._begin_or_defer(was_busy=True)
        begun = TurnInWorker(operator.hook, plan.turn, operator.log).take(self._begin_when_at_rest)
        self._keep(begun)
        return self._finish(self._wait_in_worker(begun)) if plan.waits else self._finish(None)

    def _attempt(self) -> RestoreAttempt:
        return RestoreAttempt(self._hook, self._known().plan, self._memory, self._operator.log)

    def _begin_when_at_rest(self) -> BegunRestore:
        while True:
            try:
                return self._attempt()()
            except SnapshotInUseError as in_use:
                if self._known().plan.turn_timeout == 0:
                    raise
                rest = self._rest(in_use)
                await_in_worker(self._hook, self._known().plan.cluster_id, rest, self._operator.log)

    def _rest(self, in_use: SnapshotInUseError) -> Wait:
        """Return the wait for a snapshot that another restores: it needs a while to see its own end."""
        journey = self._known()
        deadline = journey.asked_at + journey.plan.turn_timeout
        rest = Settled([in_use.snapshot_id], rest_seconds=REST_SECONDS)
        return Wait(rest, journey.asked_at, deadline, journey.plan.poll_interval)

    def _begin_or_defer(self, *, was_busy: bool) -> dict[str, Any]:
        plan = self._known().plan
        try:
            begun = with_other_keys(self._hook, self._attempt())
        except SnapshotInUseError as in_use:
            if plan.turn_timeout == 0:
                raise
            return self._defer_until(self._rest(in_use), "resume_at_turn")
        except CssBusyError as busy:
            if plan.turn_timeout == 0:
                raise
            return self._defer_for_turn(busy, was_busy=was_busy)
        self._keep(begun)
        return self._defer_for_end(begun) if plan.waits else self._finish(None)

    def _keep(self, begun: BegunRestore) -> None:
        """Push the facts before any wait: whatever happens to this process, everybody can see what was begun."""
        plan = self._known().plan
        result = RestoreResult.of(plan, begun)
        self._journey = replace(self._known(), sent=begun.sent, result=result)
        ti = self._context["ti"]
        for key, value in result.as_json().items():
            if key in ("snapshot_id", "snapshot_name", "cluster_id", "target_cluster_id", "indices", "taken_at"):
                ti.xcom_push(key=key, value=value)
        persist_link(self._context, self._hook, cluster_id=plan.cluster_id, snapshot_id=result.snapshot_id)
        result.announce(self._operator.log, is_joined=begun.is_joined)
        self._metrics.count(Count.RESTORE_JOINED if begun.is_joined else Count.RESTORE_SENT)
        self._metrics.time(Time.TURN, self._hook.clock.now().timestamp() - self._known().asked_at)

    def _watch(self, begun: BegunRestore) -> RestoreWatch:
        plan = self._known().plan
        return RestoreWatch(
            begun.snapshot.id,
            begun.snapshot.name,
            begun.sent.word_before,
            begun.sent.moment,
            plan.timeout,
            poll_interval=plan.poll_interval,
            was_seen=begun.was_seen,
        )

    def _wait_in_worker(self, begun: BegunRestore) -> RestoreEnd:
        plan, hook, log = self._known().plan, self._hook, self._operator.log
        watch = self._watch(begun)
        at_source, at_target = PatientLooks(hook, log), PatientLooks(hook, log)
        while True:
            listed = at_source.ask(lambda client: client.list_snapshots(plan.cluster_id, once=True))
            target = at_target.ask(lambda client: client.get_cluster(plan.target_cluster_id, once=True))
            now = hook.clock.now()
            if listed is not None and target is not None:
                end = watch.see(listed, target, now)
                if end is not None:
                    return end
                if news := watch.news():
                    log.info("Restore of %s: %s.", begun.snapshot.name, news)
            watch.refuse_late(now)
            hook.clock.sleep(watch.delay(now, chance()))

    def _defer_for_turn(self, busy: CssBusyError, *, was_busy: bool) -> dict[str, Any]:
        journey = self._known()
        contradictions = journey.contradictions.after(was_busy=was_busy)
        contradictions.refuse_too_many(busy)
        plan, now = journey.plan, self._hook.clock.now().timestamp()
        deadline = journey.asked_at + plan.turn_timeout
        trigger = ClusterIdleTrigger(
            css_conn_id=plan.css_conn_id,
            cluster_id=self._in_the_way(),
            name=plan.run,
            asked_at=journey.asked_at,
            deadline=deadline,
            not_before=now + contradictions.backoff_seconds,
            poll_interval=plan.poll_interval,
            carry=replace(journey, contradictions=contradictions).as_json(),
        )
        return self._defer(trigger, "resume_at_turn", max(0.0, deadline - now))

    def _in_the_way(self) -> str:
        plan = self._known().plan
        try:
            return at_work(self._hook.get_conn(), plan.turn).id
        except CssStateError:
            raise
        except CssError:
            # The trigger looks again, and forgives.
            return plan.target_cluster_id

    def _defer_for_end(self, begun: BegunRestore) -> dict[str, Any]:
        journey = self._known()
        plan = journey.plan
        trigger = RestoreTrigger(
            css_conn_id=plan.css_conn_id,
            cluster_id=plan.cluster_id,
            target_cluster_id=plan.target_cluster_id,
            snapshot_id=begun.snapshot.id,
            snapshot_name=begun.snapshot.name,
            word_before=begun.sent.word_before,
            began_at=begun.sent.sent_at,
            timeout=plan.timeout,
            was_seen=begun.was_seen,
            poll_interval=plan.poll_interval,
            carry=journey.as_json(),
        )
        return self._defer(trigger, "execute_complete", plan.timeout)

    def _resume_at_turn(self, event: Any) -> dict[str, Any]:
        self._read_journey(event)
        # The turn of the clusters, or the rest of the snapshot.
        is_rest = event.get("outcome") == MET
        try:
            arrived = read_event(event, good=MET if is_rest else IDLE)
        except CssWaitTimeoutError as error:
            # The trigger knows only that the cluster is at work; here it can be asked with what.
            raise late_turn(self._hook, self._known().plan.turn) from error
        return self._begin_or_defer(was_busy=is_rest or bool(arrived.get("was_busy")))

    def _resume_at_end(self, event: Any) -> dict[str, Any]:
        self._read_journey(event)
        arrived = read_event(event, good=ENDED)
        snapshot = read_snapshot(arrived.get("snapshot"))
        result = self._known().result
        if result is None or snapshot.id != result.snapshot_id:
            raise CssReplyError(f"The trigger sent the end of another restore ({snapshot.id}). {RETRY_FINDS_IT}")
        return self._finish(RestoreEnd(snapshot, is_inferred=bool(arrived.get("is_inferred"))))

    def _read_journey(self, event: Any) -> None:
        # Before the outcome is looked at: a failure must be told with its cluster and snapshot, too.
        self._journey = _Journey.from_json(event.get("carry") if isinstance(event, Mapping) else None)

    def _finish(self, end: RestoreEnd | None) -> dict[str, Any]:
        journey = self._known()
        if journey.result is None or journey.sent is None:
            raise AssertionError("what ends was begun")
        if end is None:
            return journey.result.as_json()
        seconds = self._hook.clock.now().timestamp() - journey.sent.sent_at
        result = journey.result.ended(end, seconds)
        self._metrics.time(Time.RESTORE_DURATION, seconds)
        self._operator.log.info("%s", result.sentence())
        self._verify(result)
        return result.as_json()

    def _verify(self, result: RestoreResult) -> None:
        """Let the user's own check decide, which alone can look into the cluster."""
        verify = self._operator.verify
        if verify is not None and verify(result.new_names) is False:
            message = f"The restore of {result.snapshot_name} ended, but verify says that it is not as it should be."
            raise CssStateError(ErrorReply(0, message=message), "Look at the indices of the target.")
