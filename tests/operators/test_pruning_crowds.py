"""Crowds on one cluster: several DAGs and Airflows, hand-made and automatic snapshots, any state, any rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import RunIdentity, make_mark
from tests.marked import mark_of
from tests.world import World, new_world

WHO = st.fixed_dictionaries(
    {
        "dag_id": st.sampled_from(["orders_etl", "customers", "returns"]),
        "deployment": st.sampled_from(["", "prod"]),
        "task_id": st.sampled_from(["backup", "second"]),
        "hold": st.sampled_from([False, False, False, True]),
    }
)
ENTRY = st.fixed_dictionaries(
    {
        "who": st.one_of(WHO, WHO, WHO, st.none()),
        "hours": st.integers(1, 400),
        "status": st.sampled_from(["COMPLETED", "COMPLETED", "COMPLETED", "FAILED", "PART_FAILED"]),
        "frequency": st.sampled_from([None, None, None, "DAY"]),
        "restore_status": st.sampled_from(["none", "success", "none", "restoring"]),
    }
)
RULES = st.fixed_dictionaries(
    {"keep_last": st.integers(1, 2)},
    optional={
        "keep_daily": st.integers(1, 3),
        "keep_within": st.sampled_from(["1d", "5d"]),
        "older_than": st.sampled_from(["1d", "5d"]),
        "max_delete": st.integers(1, 3),
        "scope": st.sampled_from(["dag", "deployment", "package"]),
        "group_by": st.sampled_from([None, ["dag"]]),
        "name_prefix": st.just("s-"),
    },
)


def _fill(world: World, crowd: list[dict[str, Any]]) -> None:
    for number, entry in enumerate(crowd):
        description = mark_of(**entry["who"], run_id=str(number)) if entry["who"] else "by hand"
        world.emulator.add_snapshot(
            f"s-{number}",
            description=description,
            started_at=world.clock.now() - timedelta(hours=entry["hours"]),
            takes=60,
            **{name: entry[name] for name in ("status", "frequency", "restore_status")},
        )


def _is_untouchable(snapshot: Snapshot, scope: str) -> bool:
    """Return whether a snapshot must stay under any rule, judged here without the ground's own words."""
    mark = snapshot.mark
    if mark is None or mark.hold or snapshot.is_automatic or snapshot.restore_status == "restoring":
        return True
    ours = make_mark(RunIdentity("", "orders_etl", "", ""), None)
    is_in_scope = {"dag": mark.dag == ours.dag, "deployment": mark.deployment == ours.deployment, "package": True}
    return not is_in_scope[scope]


@settings(max_examples=40)
@given(crowd=st.lists(ENTRY, max_size=14), rules=RULES)
def test_only_the_planned_ones_go(crowd: list[dict[str, Any]], rules: dict[str, Any]) -> None:
    """The deletions are the plan's, none is of a snapshot that must stay, and a good one is left of what was good."""
    with new_world() as world:
        _fill(world, crowd)
        before = {snapshot.id: snapshot for snapshot in world.emulator.snapshots()}
        outcome = world.run(operator_class=PruneSnapshotsOperator, task_id="prune", **rules)
        assert outcome.state == "success", outcome.error
        after = {snapshot.id for snapshot in world.emulator.snapshots()}
        sent = [seen.path.rsplit("/", 1)[1] for seen in world.emulator.requests if seen.call == "delete_snapshot"]
    result = outcome.xcom["return_value"]
    planned = {entry["id"] for entry in result["snapshots"] if entry["verdict"] == "delete"}
    assert set(sent) == set(result["deleted"]) == planned
    assert len(sent) == len(planned)
    assert after == set(before) - planned
    assert [i for i in sent if _is_untouchable(before[i], rules.get("scope", "dag"))] == []
    for snapshot in before.values():
        if snapshot.is_good and snapshot.id in planned:
            assert any(before[i].is_good and before[i].status is SnapshotStatus.COMPLETED for i in after)


def test_the_judge_knows_what_must_stay() -> None:
    """Held, foreign, automatic, restoring and other DAGs' snapshots are untouchable, one's own is not."""
    own = Snapshot("a", description=mark_of())
    assert not _is_untouchable(own, "dag")
    for offence in (
        {"description": "by hand"},
        {"description": mark_of(hold=True)},
        {"description": mark_of(dag_id="customers")},
        {"is_automatic": True},
        {"restore_status": "restoring"},
    ):
        assert _is_untouchable(replace(own, **offence), "dag")
