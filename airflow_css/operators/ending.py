"""Waiting in the worker for a snapshot's end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_css.client.clock import chance
from airflow_css.hooks.css import CssHook
from airflow_css.operators.log import Log
from airflow_css.operators.looks import PatientLooks
from airflow_css.operators.plan import CreationPlan
from airflow_css.operators.progress import Progress
from airflow_css.protocol.errors import CssSnapshotFailedError, CssWaitTimeoutError
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.waiting import Absence, Verdict, expected_duration, judge_created, next_delay

if TYPE_CHECKING:
    from airflow_css.client.ensure import EnsuredSnapshot

__all__ = ["EndInWorker"]

_VANISHED = (
    "The snapshot {name} ({id}) is not listed any more, so nothing proves that a backup exists. Likely causes: its "
    "creation failed and CSS shows it only among the cluster's failed tasks, somebody deleted it, or the snapshot "
    "bucket was changed"
)


class EndInWorker:
    """
    Waits for one snapshot's end.

    :param hook: Brings client and clock.
    :param plan: The creation.
    :param made: The snapshot to wait for.
    :param log: Where the progress is told.
    """

    def __init__(self, hook: CssHook, plan: CreationPlan, made: EnsuredSnapshot, log: Log) -> None:
        self._hook = hook
        self._plan = plan
        self._made = made
        self._looks = PatientLooks(hook, log)
        self._absence = Absence(created_at=made.made_at)
        self._progress = Progress(made.name, made.id, log)
        self._began: datetime | None = made.made_at
        self._last: Snapshot | None = made.adopted
        self._expected: float | None = None

    def wait(self) -> Snapshot:
        """
        Return the good snapshot.

        :raises CssSnapshotFailedError: if it ended badly, is empty, or vanished.
        :raises CssWaitTimeoutError: if it did not end in time.
        """
        while True:
            listed = self._looks.ask(lambda client: client.list_snapshots(self._plan.cluster_id, once=True))
            if listed is not None:
                done = self._judge(listed)
                if done is not None:
                    return done
            age = self._age()
            if age >= self._plan.timeout:
                raise CssWaitTimeoutError(self._too_late(age), self._last, curable=True)
            delay = next_delay(
                age,
                expected=self._expected,
                chance=chance(),
                at_least=self._plan.poll_interval,
            )
            self._hook.clock.sleep(min(delay, self._plan.timeout - age))

    def _judge(self, listed: Sequence[Snapshot]) -> Snapshot | None:
        snapshot = next((s for s in listed if s.id == self._made.id), None)
        if self._absence.is_gone(listed=snapshot is not None, now=self._hook.clock.now()):
            raise CssSnapshotFailedError(_VANISHED.format(name=self._made.name, id=self._made.id), self._last)
        if snapshot is None:
            return None
        self._last = snapshot
        self._began = snapshot.began_at or self._began
        mark = self._plan.order.mark
        self._expected = expected_duration(listed, mark.request if mark else None)
        judgement = judge_created(snapshot, self._plan.order.expected)
        if judgement.verdict is Verdict.FAILED:
            retry = "A retry makes another one" if judgement.curable else "Correct the index list, then clear the task"
            raise CssSnapshotFailedError(
                f"The snapshot {snapshot.name} ({snapshot.id}) is no backup: {judgement.reason}. {retry}",
                snapshot,
                curable=judgement.curable,
            )
        self._progress.tell(snapshot, self._age(), self._expected)
        return snapshot if judgement.verdict is Verdict.GOOD else None

    def _age(self) -> float:
        if self._began is None:
            self._began = self._hook.clock.now()
        return max(0.0, (self._hook.clock.now() - self._began).total_seconds())

    def _too_late(self, age: float) -> str:
        status = self._last.status_word if self._last else "never listed"
        usual = (
            f"usually it takes {in_words(self._expected)}"
            if self._expected
            else "how long it usually takes is not known"
        )
        return (
            f"The snapshot {self._made.name} ({self._made.id}) did not end within {in_words(self._plan.timeout)}: it "
            f"is {status} for {in_words(age)}; {usual}. CSS goes on with it, and a retry adopts it; "
            "raise timeout if it is merely large"
        )
