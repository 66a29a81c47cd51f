"""Waiting in the worker for a snapshot's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_css.client.clock import chance
from airflow_css.hooks.css import CssHook
from airflow_css.operators.plan import CreationPlan
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.watch import EndWatch
from airflow_css.tasks.looks import PatientLooks
from airflow_css.triggers.log import Log
from airflow_css.triggers.progress import Progress

if TYPE_CHECKING:
    from airflow_css.client.ensure import EnsuredSnapshot

__all__ = ["wait_in_worker"]


def wait_in_worker(hook: CssHook, plan: CreationPlan, made: EnsuredSnapshot, log: Log) -> Snapshot:
    """
    Return the good snapshot, once it has ended.

    :param hook: Brings client and clock.
    :param plan: The creation.
    :param made: The snapshot to wait for.
    :param log: Where the progress is told.
    :raises CssSnapshotFailedError: if it ended badly, is empty, or vanished.
    :raises CssWaitTimeoutError: if it did not end in time.
    """
    watch = watch_of(plan, made)
    looks = PatientLooks(hook, log)
    progress = Progress(made.name, made.id, log)
    while True:
        listed = looks.ask(lambda client: client.list_snapshots(plan.cluster_id, once=True))
        now = hook.clock.now()
        if listed is not None:
            done = watch.see(listed, now)
            if watch.last is not None and watch.is_listed:
                progress.tell(watch.last, watch.age(now), watch.usual)
            if done is not None:
                return done
        watch.refuse_late(now)
        hook.clock.sleep(watch.delay(now, chance()))


def watch_of(plan: CreationPlan, made: EnsuredSnapshot) -> EndWatch:
    """
    Return the wait that a creation came to.

    :param plan: The creation.
    :param made: The snapshot.
    """
    mark = plan.order.mark
    return EndWatch(
        made.id,
        made.name,
        plan.order.expected,
        plan.timeout,
        request=mark.request if mark else None,
        made_at=made.made_at,
        poll_interval=plan.poll_interval,
        last=made.adopted,
    )
