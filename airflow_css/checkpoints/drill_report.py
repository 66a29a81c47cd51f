"""
The report of a restore drill: from what the tasks left behind to one JSON document.

Its form is versioned: what a reader of version 1 finds stays as it is, and more may be added. It is described by
``restore-drill.schema.json`` of the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

__all__ = ["SCHEMA", "SCHEMA_VERSION", "CheckEnd", "DrillFacts", "Outcome", "make_report"]

SCHEMA = "airflow-css/restore-drill"
SCHEMA_VERSION = 1
SUCCESS, SKIPPED = "success", "skipped"


class Outcome(StrEnum):
    """What a drill has shown."""

    PASSED = "passed"
    RESTORE_FAILED = "restore_failed"
    CHECK_FAILED = "check_failed"
    CLEAN_UP_FAILED = "clean_up_failed"


@dataclass(frozen=True)
class CheckEnd:
    """
    How a task of the user's check ended.

    :param task_id: The task.
    :param state: Airflow's word; empty when it has none.
    :param map_index: Index of a mapped task, -1 when not mapped.
    :param result: What it returned; ``None`` for nothing, and for mapped tasks.
    :param is_last: Whether no other task of the check comes after it.
    """

    task_id: str
    state: str
    map_index: int = -1
    result: Any = None
    is_last: bool = True


@dataclass(frozen=True)
class DrillFacts:
    """
    What the tasks of a drill left behind.

    :param run: The run: ``deployment``, ``dag_id``, ``run_id`` and ``logical_date``.
    :param began_at: When the drill began; ``None`` when it did not.
    :param checked_at: When the check had ended; ``None`` when that is not known.
    :param ended_at: When the report is made.
    :param restored: What the restore told, by the names of its XComs.
    :param restore_state: How the restore ended, in Airflow's word.
    :param checks: How the tasks of the check ended.
    :param clean_up_state: How the clean-up ended; ``None`` when there is none.
    :param reason: What the restore failed by; empty when it did not, or said nothing.
    """

    run: Mapping[str, str | None]
    began_at: datetime | None
    checked_at: datetime | None
    ended_at: datetime
    restored: Mapping[str, Any]
    restore_state: str
    checks: Sequence[CheckEnd] = field(default_factory=tuple)
    clean_up_state: str | None = None
    reason: str = ""

    @property
    def is_checked(self) -> bool:
        """Whether the check was passed: it came to an end that succeeded, and the rest at most had nothing to do."""
        # What only leads to a comparison compares nothing.
        is_ended = any(check.is_last and check.state == SUCCESS for check in self.checks)
        return is_ended and {check.state for check in self.checks} <= {SUCCESS, SKIPPED}

    @property
    def outcome(self) -> Outcome:
        """What the drill has shown; what comes first counts."""
        if self.restore_state != SUCCESS:
            return Outcome.RESTORE_FAILED
        if not self.is_checked:
            return Outcome.CHECK_FAILED
        # A clean-up that was skipped had nothing to do, which after a restore cannot be.
        return Outcome.PASSED if self.clean_up_state in (None, SUCCESS) else Outcome.CLEAN_UP_FAILED

    @property
    def taken_at(self) -> datetime | None:
        """The moment whose state the snapshot holds; ``None`` when it is not known."""
        text = self.restored.get("taken_at")
        return datetime.fromisoformat(str(text)) if text else None


def make_report(facts: DrillFacts) -> dict[str, Any]:
    """
    Return the report, as plain JSON.

    :param facts: What the tasks left behind.
    """
    told = facts.restored
    result = told.get("return_value") or {}
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "outcome": facts.outcome.value,
        "reason": _reason(facts),
        "run": dict(facts.run),
        "cluster_id": told.get("cluster_id"),
        "target_cluster_id": told.get("target_cluster_id"),
        "snapshot": _snapshot(facts),
        "indices": told.get("indices"),
        "restore": {"state": facts.restore_state, "duration_seconds": result.get("duration_seconds")},
        "check": {
            "state": _state_of_check(facts),
            "tasks": [
                {"task_id": c.task_id, "map_index": c.map_index, "state": c.state, "result": c.result}
                for c in facts.checks
            ],
        },
        "clean_up": {"state": facts.clean_up_state or "none"},
        "began_at": _text(facts.began_at),
        "ended_at": _text(facts.ended_at),
        "rto_seconds": _rto(facts),
        "rpo_seconds": _seconds(facts.taken_at, facts.began_at),
    }


def _reason(facts: DrillFacts) -> str:
    if facts.outcome is Outcome.PASSED:
        return "The backup was restored, and the check passed."
    if facts.outcome is Outcome.RESTORE_FAILED:
        return f"The restore is {facts.restore_state or 'not done'}. {facts.reason or 'See its log.'}"
    if facts.outcome is Outcome.CHECK_FAILED:
        bad = sorted({f"{c.task_id} ({c.state or 'not run'})" for c in facts.checks if c.state != SUCCESS})
        return f"The backup was restored, but the check did not pass: {', '.join(bad) or 'no task of it ran'}."
    return (
        f"The backup was restored and the check passed, but the clean-up is {facts.clean_up_state or 'not done'}: "
        "restored indices may be left"
    )


def _snapshot(facts: DrillFacts) -> dict[str, Any] | None:
    told = facts.restored
    if not told.get("snapshot_id"):
        return None
    return {"id": told["snapshot_id"], "name": told.get("snapshot_name"), "taken_at": _text(facts.taken_at)}


def _state_of_check(facts: DrillFacts) -> str:
    if facts.restore_state != SUCCESS:
        return "not_run"
    return "passed" if facts.is_checked else "failed"


def _rto(facts: DrillFacts) -> float | None:
    is_proven = facts.restore_state == SUCCESS and facts.is_checked
    return _seconds(facts.began_at, facts.checked_at) if is_proven else None


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    # Two clocks are involved, and neither may make a time less than none.
    return None if since is None or until is None else round(max(0.0, (until - since).total_seconds()), 3)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
