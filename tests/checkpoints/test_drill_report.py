"""The report of a drill: for all ends of its tasks it obeys the schema, and claims only what was shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it brings no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.checkpoints.drill_report import CheckEnd, DrillFacts, Outcome, make_report
from tests.docs.markdown import ROOT

SCHEMA = json.loads((ROOT / "docs/how-to/restore-drill.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())

BEGAN = datetime(2026, 11, 24, 3, tzinfo=UTC)
RUN = {"deployment": "prod", "dag_id": "drill", "run_id": "run", "logical_date": None}
RESTORED: dict[str, Any] = {
    "snapshot_id": "id-1",
    "snapshot_name": "orders-1",
    "cluster_id": "source",
    "target_cluster_id": "source",
    "taken_at": (BEGAN - timedelta(hours=5)).isoformat(),
    "indices": [{"source": "orders", "target": "drill-1-orders"}],
    "return_value": {"duration_seconds": 300.0},
}

STATES = st.sampled_from(["success", "failed", "skipped", "upstream_failed", ""])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=2))
CHECKS = st.lists(st.builds(CheckEnd, st.text(min_size=1), STATES, st.integers(-1, 3), JSON, st.booleans()), max_size=4)
FACTS = st.builds(
    DrillFacts,
    run=st.just(RUN),
    began_at=st.none() | MOMENTS,
    checked_at=st.none() | MOMENTS,
    ended_at=MOMENTS,
    restored=st.sampled_from([{}, RESTORED, {**RESTORED, "return_value": None, "taken_at": None, "indices": None}]),
    restore_state=STATES,
    checks=CHECKS,
    clean_up_state=st.none() | STATES,
    reason=st.text(),
)


def _facts(**changes: Any) -> DrillFacts:
    usual: dict[str, Any] = {
        "run": RUN,
        "began_at": BEGAN,
        "checked_at": BEGAN + timedelta(minutes=20),
        "ended_at": BEGAN + timedelta(minutes=30),
        "restored": RESTORED,
        "restore_state": "success",
        "checks": (CheckEnd("drill.check", "success", result=3),),
        "clean_up_state": "success",
    }
    return DrillFacts(**{**usual, **changes})


@given(FACTS)
def test_every_report_obeys_the_schema(facts: DrillFacts) -> None:
    """Whatever the tasks left behind, the report is plain JSON of the documented form."""
    report = make_report(facts)
    assert json.loads(json.dumps(report)) == report
    VALIDATOR.validate(report)


@given(FACTS)
def test_nothing_is_claimed_that_was_not_shown(facts: DrillFacts) -> None:
    """A passed drill has a restore and a check that succeeded, nothing that failed, and a clean-up if there is one."""
    report = make_report(facts)
    states = {check.state for check in facts.checks}
    last = {check.state for check in facts.checks if check.is_last}
    is_shown = facts.restore_state == "success" and "success" in last and states <= {"success", "skipped"}
    assert (report["rto_seconds"] is None) or is_shown
    assert (report["outcome"] == "passed") == (is_shown and facts.clean_up_state in (None, "success"))


@given(FACTS)
def test_no_time_is_negative(facts: DrillFacts) -> None:
    """Two clocks are involved; neither makes a time less than none, and what is not known stays unknown."""
    report = make_report(facts)
    for name in ("rto_seconds", "rpo_seconds"):
        assert report[name] is None or report[name] >= 0
    if facts.began_at is None:
        assert report["rto_seconds"] is report["rpo_seconds"] is None


def test_the_times_are_those_of_the_definitions() -> None:
    """The RTO runs from the drill's begin to the end of the check, the RPO from the backup to the drill's begin."""
    report = make_report(_facts())
    assert (report["rto_seconds"], report["rpo_seconds"]) == (20 * 60, 5 * 3600)


@pytest.mark.parametrize(
    ("changes", "outcome", "said"),
    [
        ({}, Outcome.PASSED, "the check passed"),
        ({"restore_state": "failed", "reason": "No good one."}, Outcome.RESTORE_FAILED, "No good one."),
        ({"restore_state": "upstream_failed"}, Outcome.RESTORE_FAILED, "See its log."),
        ({"checks": (CheckEnd("drill.check", "failed"),)}, Outcome.CHECK_FAILED, "drill.check (failed)"),
        ({"checks": (CheckEnd("drill.check", "skipped"),)}, Outcome.CHECK_FAILED, "drill.check (skipped)"),
        (
            {"checks": (CheckEnd("drill.ask", "success", is_last=False), CheckEnd("drill.compare", "skipped"))},
            Outcome.CHECK_FAILED,
            "drill.compare (skipped)",
        ),
        ({"checks": ()}, Outcome.CHECK_FAILED, "no task of it ran"),
        ({"clean_up_state": "failed"}, Outcome.CLEAN_UP_FAILED, "restored indices may be left"),
        ({"clean_up_state": None}, Outcome.PASSED, "the check passed"),
    ],
)
def test_a_report_says_what_failed(changes: dict[str, Any], outcome: Outcome, said: str) -> None:
    """Each way to fail has its word and a sentence that names it."""
    report = make_report(_facts(**changes))
    assert report["outcome"] == outcome
    assert said in report["reason"]


def test_the_schema_is_not_so_loose_that_anything_passes() -> None:
    """A report of another version, or without its times, is no report of this version."""
    report = make_report(_facts())
    for wrong in ({**report, "schema_version": 2}, {k: v for k, v in report.items() if k != "rto_seconds"}):
        assert not VALIDATOR.is_valid(wrong)
