"""
What holds for every plan, whatever the parameters: what must not go never goes.

The clusters hold snapshots of five DAGs in two deployments, mapped tasks among them, beside hand-made and automatic
ones and those of a later version. Who made a snapshot is known here from how it was drawn, not from its mark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from airflow_css.protocol.retention import RetentionPlan, RetentionVerdict, plan_retention
from airflow_css.protocol.rules import COUNTS, GROUP_BY, RetentionRules
from airflow_css.protocol.selection import NameFilter, Ownership, Scope, Selection

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FOREIGN = RunIdentity("", "", "", "")
FINISHED = (SnapshotStatus.COMPLETED, SnapshotStatus.FAILED, SnapshotStatus.PART_FAILED)

makers = st.builds(
    RunIdentity,
    st.sampled_from(["prod", "dev"]),
    st.sampled_from(["orders", "stock", "users", "carts", "logs"]),
    st.sampled_from(["backup", "other"]),
    st.sampled_from(["run1", "run2", "run3"]),
    st.sampled_from([-1, 0]),
    st.integers(0, 1),
)


def _often(common: Any, *rare: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([common] * 8 + list(rare))


@dataclass(frozen=True)
class Made:
    """A snapshot, and what is known about it without reading its mark."""

    maker: RunIdentity
    request: str
    facts: dict[str, Any]
    hours: int | None
    is_marked: bool
    is_later_version: bool
    is_held: bool
    is_damaged: bool

    def snapshot(self, number: int) -> Snapshot:
        """Return it as it is listed; the number makes its id and its name."""
        flags = {"hold": self.is_held and not self.is_damaged, "damaged": self.is_damaged}
        mark = write_mark(make_mark(self.maker, self.request, **flags)) if self.is_marked else "by hand"
        began = None if self.hours is None else NOW - timedelta(hours=self.hours)
        return Snapshot(
            f"id-{number:02}",
            f"{self.maker.dag_id or 'hand'}-{number}",
            description="[af2 1]" if self.is_later_version else mark,
            started_at=began,
            **self.facts,
        )


_facts = st.fixed_dictionaries(
    {
        "status": _often(SnapshotStatus.COMPLETED, *SnapshotStatus),
        "restore_status": _often("none", "restoring", "success", "failed", ""),
        "total_shards": _often(5, None, 0),
        "failed_shards": _often(None, 0, 1),
        "is_automatic": _often(False, True),  # noqa: FBT003 - values to draw
    }
)
_ages = st.one_of(st.integers(0, 100), st.integers(0, 20_000), st.sampled_from([None, -1, -9_000]))
_common = {"request": st.sampled_from(["a-*", "b-*"]), "facts": _facts, "hours": _ages}
_marked = st.builds(
    Made, maker=makers, is_marked=st.just(value=True), is_later_version=_often(False, True),  # noqa: FBT003 - as above
    is_held=_often(False, True), is_damaged=_often(False, True, True), **_common,  # noqa: FBT003 - as above
)  # fmt: skip
_hand_made = st.builds(
    Made, maker=st.just(FOREIGN), is_marked=st.just(value=False), is_later_version=_often(False, True),  # noqa: FBT003 - as above
    is_held=st.just(value=False), is_damaged=st.just(value=False), **_common,
)  # fmt: skip
# One DAG that made much: in an even mixture no group would have a history.
_busy = st.builds(
    lambda made, deployment: replace(
        made,
        maker=replace(made.maker, deployment=deployment, dag_id="orders", task_id="backup", life=0),
        request="a-*",
        is_later_version=False,
    ),
    _marked,
    st.sampled_from(["prod", "prod", "prod", "dev"]),
)

_span = st.sampled_from(["1h", "5h", "2d", "1m3d", timedelta(hours=30)])
_keep = st.dictionaries(st.sampled_from(COUNTS), st.integers(0, 3), min_size=1, max_size=2)
_others = st.fixed_dictionaries(
    {},
    optional={
        "keep_within": st.none() | _span,
        "timezone": st.sampled_from(["UTC", "America/New_York", "Asia/Shanghai"]),
        "older_than": st.sampled_from(["5h", "2d", "1m3d", "1y"]),
        "hold_ids": st.lists(st.integers(0, 30).map(lambda number: f"id-{number:02}"), max_size=4),
        "hold_names": st.lists(st.integers(0, 30).map(lambda number: f"orders-{number}"), max_size=4),
        "group_by": st.sampled_from([GROUP_BY, ("task",), ("dag",), None]),
    },
)
_rules = st.builds(lambda keep, others: RetentionRules(**keep, **others), _keep, _others)
rules_of_all_kinds = _rules.filter(lambda rules: bool(rules.counts or rules.keep_within))

_owners = st.builds(
    Ownership, st.just("prod"), st.just("orders"), st.sampled_from([Scope.DAG, "deployment", "package"])
)
_task_owners = st.just(Ownership("prod", "orders", "task", ("backup",)))
_names = st.sampled_from(
    [*[NameFilter()] * 3, NameFilter("orders-"), NameFilter("hand-"), NameFilter(None, r"(hand|orders)-\d+")]
)
selections = st.builds(Selection, _owners | _task_owners, st.booleans(), _names).filter(
    lambda selection: not selection.include_foreign or selection.name != NameFilter()
)


@dataclass(frozen=True)
class Case:
    """A cluster and what is asked of it."""

    made: list[Made]
    rules: RetentionRules
    selection: Selection

    @property
    def listed(self) -> list[Snapshot]:
        """The cluster's list."""
        return [made.snapshot(number) for number, made in enumerate(self.made)]

    def plan(self, listed: list[Snapshot] | None = None, **changes: Any) -> RetentionPlan:
        """Return the plan, or that of another list or with changed rules."""
        shown = self.listed if listed is None else listed
        return plan_retention(shown, replace(self.rules, **changes), self.selection, now=NOW)


_one = st.sampled_from([_busy, _busy, _busy, _marked, _hand_made]).flatmap(lambda kind: kind)
_clusters = st.integers(0, 24).flatmap(lambda size: st.lists(_one, min_size=size, max_size=size))
cases = st.builds(Case, _clusters, rules_of_all_kinds, selections)


def _is_in_scope(made: Made, snapshot: Snapshot, selection: Selection) -> bool:
    if not made.is_marked:
        allowed = selection.include_foreign
    else:
        mine = {
            "task": (made.maker.deployment, made.maker.dag_id, made.maker.task_id) == ("prod", "orders", "backup"),
            "dag": (made.maker.deployment, made.maker.dag_id) == ("prod", "orders"),
            "deployment": made.maker.deployment == "prod",
            "package": True,
        }
        allowed = mine[selection.owner.scope]
    return allowed and not selection.name.why_not(snapshot.name)


def _group(made: Made, rules: RetentionRules) -> tuple[Any, ...]:
    # Whatever the user groups by, a damaged state is no backup's history.
    is_damaged = made.is_damaged and not made.is_later_version
    if rules.group_by is None or not made.is_marked:
        return (rules.group_by is None, is_damaged)
    maker = made.maker
    parts: dict[str, tuple[Any, ...]] = {"deployment": (maker.deployment,), "request": (made.request,)}
    parts["dag"] = (maker.deployment, maker.dag_id)
    parts["task"] = (*parts["dag"], maker.task_id, maker.map_index)
    return (*(parts[word] for word in rules.group_by), is_damaged)


def _judgeable(case: Case) -> Iterator[tuple[Made, Snapshot]]:
    for made, snapshot in zip(case.made, case.listed, strict=True):
        if not (made.is_later_version or snapshot.is_automatic) and _is_in_scope(made, snapshot, case.selection):
            yield made, snapshot


def _newest_good(case: Case, *, even_damaged: bool = False) -> set[str]:
    """Return the ids of the newest good ones: one of each group of backups that has any with a credible date."""
    groups: defaultdict[tuple[Any, ...], list[tuple[datetime, str]]] = defaultdict(list)
    for made, snapshot in _judgeable(case):
        is_meant = even_damaged or not made.is_damaged
        if is_meant and snapshot.is_good and snapshot.started_at is not None and snapshot.started_at <= NOW:
            groups[_group(made, case.rules)].append((snapshot.started_at, snapshot.id))
    return {max(group)[1] for group in groups.values()}


def _untouchable(case: Case) -> set[str]:
    """Return the ids that no parameter may make go."""
    may_go = {
        snapshot.id
        for made, snapshot in _judgeable(case)
        if snapshot.status in FINISHED
        and snapshot.restore_status != "restoring"
        and made.hours is not None
        and made.hours >= 0
        and (made.is_damaged or not made.is_held)
        and snapshot.id not in case.rules.hold_ids
        and snapshot.name not in case.rules.hold_names
    }
    return {snapshot.id for snapshot in case.listed} - may_go | _newest_good(case)


def _gone(plan: RetentionPlan) -> set[str]:
    return {snapshot.id for snapshot in plan.to_delete}


@given(cases, st.none() | st.integers(1, 3))
def test_what_must_not_go_never_goes(case: Case, max_delete: int | None) -> None:
    """No plan touches what is out of scope, protected or the newest good one of its group; each has one verdict."""
    plan = case.plan(max_delete=max_delete)
    assert [decision.snapshot for decision in plan.decisions] == case.listed
    assert all(decision.reason for decision in plan.decisions)
    touched = _gone(plan) | {d.snapshot.id for d in plan.with_verdict(RetentionVerdict.POSTPONED)}
    assert not touched & _untouchable(case)


@given(cases)
def test_scopes_are_told_apart(case: Case) -> None:
    """What is out of scope is called so, and nothing in scope is."""
    outside = {d.snapshot.id for d in case.plan().with_verdict(RetentionVerdict.OUT_OF_SCOPE)}
    unread = {s.id for made, s in zip(case.made, case.listed, strict=True) if made.is_later_version or s.is_automatic}
    assert outside == {s.id for s in case.listed} - unread - {s.id for _, s in _judgeable(case)}


@given(cases, st.integers(1, 4))
def test_max_delete_takes_the_oldest_and_postpones_the_rest(case: Case, most: int) -> None:
    """At most so many go, those are the oldest of all that would, and time after time all of them go."""
    everything = case.plan().to_delete
    plan = case.plan(max_delete=most)
    assert plan.to_delete == everything[:most]
    assert {d.snapshot for d in plan.with_verdict(RetentionVerdict.POSTPONED)} == set(everything[most:])
    assert [s.began_at for s in everything] == sorted(s.began_at for s in everything if s.began_at)
    left, gone = case.listed, set()
    while round_of := case.plan(left, max_delete=most).to_delete:
        gone |= set(round_of)
        left = [s for s in left if s not in gone]
    assert gone == set(everything)


_stricter = st.fixed_dictionaries(
    {},
    optional={
        **{rule: st.integers(4, 9) for rule in COUNTS},
        "hold_ids": st.just([f"id-{number:02}" for number in range(0, 31, 3)]),
    },
)


@given(cases, _stricter, _span)
def test_another_rule_never_makes_more_go(case: Case, added: dict[str, Any], span: Any) -> None:
    """A rule that is added or raised, a hold and a minimum age only ever save snapshots."""
    if "hold_ids" in added:
        added = added | {"hold_ids": [*added["hold_ids"], *case.rules.hold_ids]}
    before = _gone(case.plan())
    assert _gone(case.plan(**added)) <= before
    assert _gone(case.plan(keep_within=case.rules.keep_within or span)) <= before
    assert _gone(case.plan(older_than=case.rules.older_than or span)) <= before


@given(cases)
def test_a_plan_for_what_a_plan_left_lets_nothing_go(case: Case) -> None:
    """Carried out twice at the same moment, the second time does nothing."""
    plan = case.plan()
    left = [decision.snapshot for decision in plan.decisions if decision.verdict is not RetentionVerdict.DELETE]
    assert case.plan(left).to_delete == ()


@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(case: Case, chance: Any) -> None:
    """The same snapshots get the same verdicts in whatever order CSS lists them."""
    shuffled = list(case.listed)
    chance.shuffle(shuffled)
    plans = (case.plan(), case.plan(shuffled))
    one, other = ({d.snapshot.id: (d.verdict, d.reason) for d in plan.decisions} for plan in plans)
    assert one == other


@given(cases)
def test_a_bad_one_goes_only_after_a_newer_good_one(case: Case) -> None:
    """As long as nothing better is there, a partial snapshot is the best one and stays."""
    groups = {s.id: _group(made, case.rules) for made, s in _judgeable(case)}
    best = {groups[s.id]: s.began_at for s in case.listed if s.id in _newest_good(case, even_damaged=True)}
    for snapshot in case.plan().to_delete:
        if not snapshot.is_good:
            newer = best[groups[snapshot.id]]
            assert newer is not None
            assert snapshot.began_at is not None
            assert newer > snapshot.began_at


@given(cases)
def test_no_damaged_state_costs_a_backup_its_place(case: Case) -> None:
    """The backups that go are the same ones whether or not a checkpoint kept damaged states beside them."""
    backups = [s for s in case.listed if not s.is_damaged]
    assert _gone(case.plan()) - {s.id for s in case.listed if s.is_damaged} == _gone(case.plan(backups))


@given(cases)
def test_no_damaged_state_is_kept_as_the_newest_good_one(case: Case) -> None:
    """A rule may keep it; that it is the newest of its kind does not."""
    reasons = {d.reason for d in case.plan().decisions if d.snapshot.is_damaged}
    assert "kept: newest good of its group" not in reasons


def _reasons(case: Case) -> set[str]:
    return {decision.reason for decision in case.plan().decisions}


WANTED: dict[str, Callable[[Case], bool]] = {
    "three that go by the rules": lambda case: sum(s.is_good for s in case.plan().to_delete) >= 3,
    "a bad one that goes": lambda case: any(not s.is_good for s in case.plan().to_delete),
    "a hand-made one that goes": lambda case: any(not s.mark for s in case.plan().to_delete),
    "one of another deployment that goes": lambda case: any(
        case.made[int(s.id[3:])].maker.deployment == "dev" for s in case.plan().to_delete
    ),
    "a mapped one that goes": lambda case: any(
        case.made[int(s.id[3:])].maker.map_index == 0 for s in case.plan().to_delete if s.mark
    ),
    "one saved by its age alone": lambda case: _gone(case.plan(older_than=None)) > _gone(case.plan()),
    "one saved by a hold alone": lambda case: _gone(case.plan(hold_ids=(), hold_names=())) > _gone(case.plan()),
    "a damaged state that goes": lambda case: any(s.is_damaged for s in case.plan().to_delete),
    "a damaged state newer than the newest backup": lambda case: any(
        s.is_damaged and s.is_good and s.id in _newest_good(case, even_damaged=True) for s in case.listed
    ),
    "one that is being made": lambda case: "being made" in _reasons(case),
    "one that is being restored": lambda case: "being restored" in _reasons(case),
    "one from the future": lambda case: "its date lies in the future" in _reasons(case),
    "one kept for want of a better": lambda case: any("no newer good one" in reason for reason in _reasons(case)),
}
"""What the claims above are about."""


class _EverythingSeenError(Exception):
    """Ends the search."""


def test_the_drawn_cases_are_worth_something() -> None:
    """Among the drawn clusters is each kind that the claims are about, things that go before all."""
    missing = dict(WANTED)

    @settings(max_examples=3_000, derandomize=True, phases=[Phase.generate], database=None)
    @given(cases)
    def look(case: Case) -> None:
        for kind in [kind for kind, is_there in missing.items() if is_there(case)]:
            del missing[kind]
        if not missing:
            raise _EverythingSeenError

    with pytest.raises(_EverythingSeenError):
        look()
