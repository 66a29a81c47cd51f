"""What is said once a snapshot is made or adopted: which one, why, and what may get in its way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_css.hooks.css import CssHook
from airflow_css.operators.plan import CreationPlan
from airflow_css.protocol.errors import CssError
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.waiting import expected_duration
from airflow_css.triggers.log import Log

if TYPE_CHECKING:
    from airflow_css.client.ensure import EnsuredSnapshot

__all__ = ["announce"]

_WHEN_UNKNOWN = timedelta(hours=1)


def announce(log: Log, hook: CssHook, plan: CreationPlan, made: EnsuredSnapshot) -> None:
    """
    Log what became of an order, and warn of what the user should know.

    :param log: Where to tell it.
    :param hook: Asks for the automatic policy, when a snapshot was made.
    :param plan: The creation.
    :param made: What it came to.
    """
    for snapshot, reason in made.passed_over:
        log.warning(
            "The snapshot %s (%s) of this task was passed over: %s. It is left as it is.",
            snapshot.name,
            snapshot.id,
            reason,
        )
    if not hook.deployment:
        log.info(
            "This Airflow has no deployment name. Two Airflows on one cluster could mistake each other's snapshots "
            "for their own; set the extra 'deployment' of the connection, or [airflow_css] deployment."
        )
    if made.adopted is None:
        log.info("CSS makes the snapshot %s (%s) of cluster %s.", made.name, made.id, plan.cluster_id)
        _warn_of_automatic(log, hook, plan)
    elif made.is_earlier_life:
        _warn_of_age(log, hook, made)
    else:
        log.info("The snapshot %s (%s) of this task is there already and is used.", made.name, made.id)


def _warn_of_age(log: Log, hook: CssHook, made: EnsuredSnapshot) -> None:
    began = made.adopted.began_at if made.adopted else None
    age = in_words((hook.clock.now() - began).total_seconds()) if began else "unknown"
    log.warning(
        "The snapshot %s (%s) was made before this task was cleared and is used again; its age is %s. It holds the "
        "state before this run's first change. Set on_existing='new' to have another one.",
        made.name,
        made.id,
        age,
    )


def _warn_of_automatic(log: Log, hook: CssHook, plan: CreationPlan) -> None:
    """CSS cancels an automatic snapshot that falls due while this one is made."""
    try:
        client = hook.get_conn()
        policy = client.get_snapshot_policy(plan.cluster_id, once=True)
        if not policy.enabled:
            return
        listed = client.list_snapshots(plan.cluster_id, once=True)
    except CssError as error:
        # Keys that may create need not be allowed to read the policy.
        log.debug("The policy for automatic snapshots could not be read: %s", error)
        return
    mark = plan.order.mark
    usual = expected_duration(listed, mark.request if mark else None)
    now = hook.clock.now()
    due = policy.next_due(now)
    if due is not None and due <= now + (timedelta(seconds=usual) if usual else _WHEN_UNKNOWN):
        log.warning(
            "An automatic snapshot is due at %s UTC (policy %s %s). If this one still runs then, CSS cancels the "
            "automatic one. Start this task at another time, or move the policy's.",
            f"{due:%Y-%m-%d %H:%M}",
            policy.frequency,
            policy.period,
        )
