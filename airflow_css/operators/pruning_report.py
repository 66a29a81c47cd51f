"""The plan of a retention in the log: one line for each snapshot, what goes first."""

from __future__ import annotations

from airflow_css.operators.pruning_plan import PruningPlan
from airflow_css.protocol.retention import RetentionPlan, RetentionVerdict
from airflow_css.triggers.log import Log

__all__ = ["tell_plan"]

MOST_LINES = 50
"""Of one kind; all of them are in the XCom."""

_TITLES = {
    RetentionVerdict.DELETE: "To delete",
    RetentionVerdict.POSTPONED: "Postponed",
    RetentionVerdict.PROTECTED: "Protected",
    RetentionVerdict.KEEP: "Kept",
    RetentionVerdict.OUT_OF_SCOPE: "Out of scope",
}


def tell_plan(log: Log, judged: RetentionPlan, plan: PruningPlan) -> None:
    """
    Log what happens to each snapshot, and why.

    :param log: Where to tell it.
    :param judged: The verdicts.
    :param plan: The pruning.
    """
    if not plan.selection.owner.deployment and plan.selection.owner.scope != "package":
        log.warning(
            "This Airflow has no deployment name. It takes the snapshots of every other Airflow without one for its "
            "own; set the extra 'deployment' of the connection, or [airflow_css] deployment."
        )
    _warn_of_vain_holds(log, judged, plan)
    if plan.dry_run:
        log.info("This is a dry run: nothing is deleted.")
    for verdict, title in _TITLES.items():
        decisions = judged.with_verdict(verdict)
        log.info("%s: %d.", title, len(decisions))
        for decision in decisions[:MOST_LINES]:
            snapshot = decision.snapshot
            began = f"{snapshot.began_at:%Y-%m-%d %H:%M:%S} UTC" if snapshot.began_at else "of unknown age"
            log.info("  %s, %s: %s", snapshot.label, began, decision.reason)
        if len(decisions) > MOST_LINES:
            log.info("  ... and %d more; the XCom return_value has all of them.", len(decisions) - MOST_LINES)


def _warn_of_vain_holds(log: Log, judged: RetentionPlan, plan: PruningPlan) -> None:
    ids = {decision.snapshot.id for decision in judged.decisions}
    names = {decision.snapshot.name for decision in judged.decisions}
    vain = [hold for hold in plan.rules.hold_ids if hold not in ids]
    vain += [hold for hold in plan.rules.hold_names if hold not in names]
    if vain:
        log.warning(
            "No snapshot of the cluster %s is held by %s: none has that id or name. If it is misspelt, correct "
            "hold_ids or hold_names; what it was to hold is not protected by it.",
            plan.cluster_id,
            ", ".join(vain),
        )
