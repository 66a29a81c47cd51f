"""The plan of a retention: each snapshot gets one verdict, with a reason that a person can follow."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from airflow_css.protocol.retention import RetentionPlan, RetentionVerdict, plan_retention
from airflow_css.protocol.rules import RetentionRules
from airflow_css.protocol.selection import NameFilter, Ownership, Selection

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUN = RunIdentity("prod", "orders", "backup", "run1")
OURS = Selection(Ownership("prod", "orders"))
LAST_ONE = RetentionRules(keep_last=1)


def _snapshot(days: float, run: RunIdentity | None = RUN, *, hold: bool = False, **fields: Any) -> Snapshot:
    """Return a good one that began so many days ago; its name tells how many."""
    text = f"{days:g}".replace(".", "-")
    made: dict[str, Any] = {
        "id": f"id-{text}",
        "name": f"orders-{text}",
        "status": SnapshotStatus.COMPLETED,
        "description": "" if run is None else write_mark(make_mark(run, "orders-*", hold=hold)),
        "total_shards": 5,
        "restore_status": "none",
        "started_at": NOW - timedelta(days=days),
    }
    return Snapshot(**(made | fields))


def _said(plan: RetentionPlan) -> dict[str, tuple[str, str]]:
    return {d.snapshot.id: (d.verdict.value, d.reason) for d in plan.decisions}


def _plan(*snapshots: Snapshot, rules: RetentionRules = LAST_ONE, selection: Selection = OURS) -> dict[str, Any]:
    return _said(plan_retention(snapshots, rules, selection, now=NOW))


def test_what_no_rule_keeps_goes() -> None:
    """Without anything special, the rules decide, and the reasons name them."""
    rules = RetentionRules(keep_daily=2, keep_monthly=2)
    said = _plan(_snapshot(0), _snapshot(0.25), _snapshot(1), _snapshot(2), _snapshot(40), rules=rules)
    assert said == {
        "id-0": ("keep", "kept: newest good of its group"),
        "id-0-25": ("delete", "goes: no rule keeps it"),
        "id-1": ("keep", "kept by keep_daily (2026-11-22)"),
        "id-2": ("delete", "goes: no rule keeps it"),
        "id-40": ("keep", "kept by keep_monthly (2026-10)"),
    }


OLD = 100
UNTOUCHABLE = {
    "being made": (_snapshot(OLD, status=SnapshotStatus.BUILDING), "protected"),
    "in a state that this version does not know (FROZEN)": (
        _snapshot(OLD, status=SnapshotStatus.UNKNOWN, status_word="FROZEN"),
        "protected",
    ),
    "being restored": (_snapshot(OLD, restore_status="restoring"), "protected"),
    "automatic: CSS removes it by its policy": (_snapshot(OLD, None, is_automatic=True), "protected"),
    "held by its mark": (_snapshot(OLD, hold=True), "protected"),
    "held by its id": (_snapshot(OLD, id="id-held"), "protected"),
    "held by its name": (_snapshot(OLD, name="orders-held"), "protected"),
    "its age is unknown": (_snapshot(OLD, started_at=None), "protected"),
    "mark of an unknown version": (_snapshot(OLD, None, description="[af2 a1b2c3]"), "protected"),
    "its date lies in the future": (_snapshot(-0.5), "protected"),
    "made by another DAG": (_snapshot(OLD, replace(RUN, dag_id="stock")), "out_of_scope"),
    "made by another Airflow deployment": (_snapshot(OLD, replace(RUN, deployment="dev")), "out_of_scope"),
    "not made by this package": (_snapshot(OLD, None), "out_of_scope"),
    "kept: newest good of its group": (_snapshot(OLD, replace(RUN, task_id="other")), "keep"),
    "kept: failed, but no newer good one exists": (_snapshot(-0.0, status=SnapshotStatus.FAILED), "keep"),
    "kept: not older than 150d": (_snapshot(OLD), "keep"),
}


@pytest.mark.parametrize("reason", UNTOUCHABLE)
def test_what_must_not_go_stays(reason: str) -> None:
    """Each kind of snapshot that no rule may delete stays, and the reason says of which kind it is."""
    snapshot, verdict = UNTOUCHABLE[reason]
    rules = RetentionRules(keep_last=1, hold_ids=["id-held"], hold_names=["orders-held"])
    if "150d" in reason:
        rules = replace(rules, older_than="150d")
    # A date in the future is the newest one, so that two of them are needed for one that no rule keeps.
    others = [_snapshot(1), _snapshot(200), _snapshot(-0.75)]
    found = _plan(*others, snapshot, rules=rules)
    assert found[snapshot.id] == (verdict, reason)
    assert found["id-200"][0] == "delete"


BAD: dict[str, dict[str, Any]] = {
    "failed": {"status": SnapshotStatus.FAILED},
    "partial": {"status": SnapshotStatus.PART_FAILED},
    "partial although completed": {"failed_shards": 1},
    "empty": {"total_shards": 0},
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_one_goes_when_a_newer_good_one_exists(kind: str) -> None:
    """What cannot be relied on never counts for a rule, and goes once something better is there."""
    bad, good = _snapshot(2, **BAD[kind]), _snapshot(3)
    rules = RetentionRules(keep_last=2)
    word = kind.split(maxsplit=1)[0]
    assert _plan(bad, good, rules=rules)[bad.id] == ("keep", f"kept: {word}, but no newer good one exists")
    said = _plan(bad, good, _snapshot(1), rules=rules)
    assert said[bad.id] == ("delete", f"goes: {word}, and a newer good one exists")
    assert said[good.id] == ("keep", "kept by keep_last (number 2)")


def test_at_most_max_delete_go_and_the_oldest_first() -> None:
    """What is too much for one time waits for the next, whatever its group."""
    other = replace(RUN, map_index=1)
    listed = [_snapshot(days) for days in (5, 1, 4)] + [_snapshot(days, other) for days in (7, 2, 6)]
    plan = plan_retention(listed, RetentionRules(keep_last=1, max_delete=3), OURS, now=NOW)
    assert [s.id for s in plan.to_delete] == ["id-7", "id-6", "id-5"]
    assert _said(plan)["id-4"] == ("postponed", "goes later: max_delete is 3 for each try, and older ones go first")
    assert plan.counts == {"keep": 2, "delete": 3, "postponed": 1, "protected": 0, "out_of_scope": 0}


GROUPS = {
    "another task": replace(RUN, task_id="other"),
    "another map index": replace(RUN, map_index=0),
}


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_a_history_of_its_own(group: str) -> None:
    """What another task or map index made is no newer good one of this, unless all are made one group."""
    one, other = _snapshot(2), _snapshot(1, GROUPS[group])
    assert {verdict for verdict, _ in _plan(one, other).values()} == {"keep"}
    together = _plan(one, other, rules=replace(LAST_ONE, group_by=None))
    assert together == {
        one.id: ("delete", "goes: no rule keeps it"),
        other.id: ("keep", "kept: newest good of its group"),
    }


def test_another_index_list_is_another_group_until_told_otherwise() -> None:
    """A task whose index list changed keeps the newest good one of the old list too, until the request is left out."""
    old = _snapshot(2, description=write_mark(make_mark(RUN, "everything-*")))
    assert _plan(old, _snapshot(1))[old.id][0] == "keep"
    assert _plan(old, _snapshot(1), rules=replace(LAST_ONE, group_by=["task"]))[old.id][0] == "delete"


def test_foreign_ones_form_a_group_and_need_a_name() -> None:
    """What this package did not make goes only when asked for by name, and keeps its own newest good one."""
    listed = [_snapshot(days, None, name=name) for days, name in ((1, "hand-1"), (2, "hand-2"), (3, "mine"))]
    said = _plan(*listed, _snapshot(0), selection=replace(OURS, include_foreign=True, name=NameFilter(prefix="hand-")))
    assert said["id-1"] == ("keep", "kept: newest good of its group")
    assert said["id-2"] == ("delete", "goes: no rule keeps it")
    assert said["id-3"] == ("out_of_scope", "its name does not begin with hand-")
    assert said["id-0"] == ("out_of_scope", "its name does not begin with hand-")
    with pytest.raises(CssUsageError, match="name_prefix or name_regex"):
        _plan(*listed, selection=replace(OURS, include_foreign=True))


def test_a_date_in_the_future_is_not_the_newest_good_one() -> None:
    """A clock that went wrong takes a place at most; the newest one with a credible date stays."""
    said = _plan(_snapshot(-1000), _snapshot(1), _snapshot(2))
    assert {key: verdict for key, (verdict, _) in said.items()} == {
        "id--1000": "keep",
        "id-1": "keep",
        "id-2": "delete",
    }


def test_the_same_moment_is_decided_by_the_id() -> None:
    """Of two that began at the same moment the same one stays, in whatever order they are listed."""
    one, two = _snapshot(1, id="a"), _snapshot(1, id="b")
    assert _plan(one, two) == _plan(two, one)
    assert _plan(one, two)["a"][0] == "delete"


def test_days_are_those_of_the_zone() -> None:
    """Whether two snapshots share a day depends on where the day is counted."""
    # 23:30 and 00:30 in UTC are 07:30 and 08:30 of one day in Shanghai.
    late, early = (_snapshot(days) for days in (0.5 - 1 / 48, 0.5 + 1 / 48))
    rules = RetentionRules(keep_daily=5)
    assert _plan(late, early, rules=rules)[early.id][0] == "keep"
    assert _plan(late, early, rules=replace(rules, timezone="Asia/Shanghai"))[early.id][0] == "delete"


def test_a_plan_is_plain_json() -> None:
    """The plan can be written anywhere, with the facts that a reader looks for."""
    listed = [_snapshot(1), _snapshot(2), _snapshot(3, started_at=None)]
    plan = plan_retention(listed, LAST_ONE, OURS, now=NOW).as_json()
    assert json.loads(json.dumps(plan)) == plan
    assert plan["counts"] == {"keep": 1, "delete": 1, "postponed": 0, "protected": 1, "out_of_scope": 0}
    assert plan["snapshots"][1] == {
        "id": "id-2",
        "name": "orders-2",
        "verdict": "delete",
        "reason": "goes: no rule keeps it",
        "began_at": "2026-11-21T12:00:00+00:00",
    }
    assert plan["snapshots"][2]["began_at"] is None


def test_illegal_rules_are_refused_before_anything_is_judged() -> None:
    """No plan is made without a keep rule or a moment to measure from, whoever made the rules."""
    with pytest.raises(CssUsageError, match="at least one keep rule"):
        plan_retention([_snapshot(1)], RetentionRules(older_than="1d"), OURS, now=NOW)
    with pytest.raises(CssUsageError, match="has a time zone"):
        plan_retention([_snapshot(1)], LAST_ONE, OURS, now=NOW.replace(tzinfo=None))


def test_an_empty_list_makes_an_empty_plan() -> None:
    """A cluster without snapshots is no error."""
    plan = plan_retention([], LAST_ONE, OURS, now=NOW)
    assert plan.to_delete == ()
    assert set(plan.counts) == set(RetentionVerdict)
