"""A prune task from its plan to its end, in the worker and through the triggerer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_css.operators.pruning_report import MOST_LINES
from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.protocol.errors import CssError, CssSnapshotError, CssUsageError, CssWaitTimeoutError
from tests.marked import add_history, add_marked, mark_of
from tests.running import Outcome, TaskRun
from tests.task_log import reading_the_log
from tests.world import DeferringWorld, World, new_world

DELETE, LIST = "delete_snapshot", "list_snapshots"


@pytest.fixture(params=[World, DeferringWorld], ids=["worker", "triggerer"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world whose tasks wait in the worker, and one whose tasks wait in the triggerer."""
    with new_world(kind=request.param) as world:
        yield world


def _prune(world: World, run: TaskRun | None = None, **parameters: Any) -> Outcome:
    return world.run(run, **{"operator_class": PruneSnapshotsOperator, "task_id": "prune", **parameters})


def _names(world: World) -> list[str]:
    return sorted(snapshot.name for snapshot in world.emulator.snapshots())


def _deletions(world: World) -> list[str]:
    """Return the ids that deletions were sent for, in their order."""
    return [seen.path.rsplit("/", 1)[1] for seen in world.emulator.requests if seen.call == DELETE]


def _error(outcome: Outcome) -> CssError:
    """Return our error, also when it stands behind Airflow's."""
    error = outcome.error
    found = error if isinstance(error, CssError) else getattr(error, "__cause__", None)
    assert isinstance(found, CssError), error
    return found


def _crowd(world: World) -> list[str]:
    """Put a crowd on one cluster, and return the names of those that are not this DAG's."""
    others = []
    for number, who in enumerate(
        [{"dag_id": "customers"}, {"deployment": "prod"}, {"deployment": "prod", "dag_id": "customers"}]
    ):
        add_history(world, 3, f"other-{number}", **who)
        others += [f"other-{number}-{day}" for day in (1, 2, 3)]
    long_ago = world.clock.now() - timedelta(days=400)
    world.emulator.add_snapshot("by-hand", started_at=long_ago)
    world.emulator.add_snapshot("automatic", frequency="DAY", started_at=long_ago)
    world.emulator.add_snapshot("unknown-mark", description="x [af9 e3b0c4 11dd4677]", started_at=long_ago)
    return [*others, "by-hand", "automatic", "unknown-mark"]


def test_only_what_the_plan_says_goes(world: World) -> None:
    """Among other DAGs, other Airflows and strangers, exactly the planned ones are deleted, the oldest first."""
    others = _crowd(world)
    ids = add_history(world, 5)
    held = add_marked(world, "held", 300, hold=True, run_id="held")
    outcome = _prune(world, keep_last=2)
    assert outcome.state == "success", outcome.error
    assert _names(world) == sorted([*others, "held", "orders-1", "orders-2"])
    assert _deletions(world) == ids[:1:-1]
    result = outcome.xcom["return_value"]
    assert result["deleted"] == ids[:1:-1]
    assert (result["skipped"], result["dry_run"]) == ([], False)
    verdicts = {entry["name"]: entry["verdict"] for entry in result["snapshots"]}
    assert verdicts["held"] == verdicts["automatic"] == verdicts["unknown-mark"] == "protected"
    assert {verdicts[name] for name in others if name not in {"automatic", "unknown-mark"}} == {"out_of_scope"}
    assert held not in result["deleted"]
    assert sum(result["counts"].values()) == len(result["snapshots"]) == len(others) + 6
    assert json.loads(json.dumps(result)) == result


def test_a_second_run_has_nothing_to_do(world: World) -> None:
    """What a pruning left, the same rules leave alone."""
    add_history(world, 5)
    _prune(world, keep_last=2)
    sent = world.emulator.count(DELETE)
    assert _prune(world, keep_last=2).xcom["return_value"]["deleted"] == []
    assert world.emulator.count(DELETE) == sent


def test_a_dry_run_says_the_same_and_deletes_nothing(world: World) -> None:
    """The plan is the one that a real run would carry out, and no deletion is sent."""
    add_history(world, 5)
    planned = _prune(world, keep_last=2, dry_run=True).xcom["return_value"]
    assert world.emulator.count(DELETE) == 0
    assert (planned["dry_run"], planned["deleted"]) == (True, [])
    done = _prune(world, keep_last=2).xcom["return_value"]
    assert done["snapshots"] == planned["snapshots"]


def test_every_snapshot_has_a_line_with_its_reason(world: World) -> None:
    """What goes comes first, then what is postponed, protected, kept and out of scope."""
    add_history(world, 4)
    add_marked(world, "other", 9, dag_id="customers")
    add_marked(world, "held", 8, hold=True)
    with reading_the_log() as log:
        _prune(world, keep_last=1, max_delete=2)
    titles = [line.text for line in log if line.text.startswith(("To del", "Postp", "Protec", "Kept", "Out of"))]
    assert titles == ["To delete: 2.", "Postponed: 1.", "Protected: 1.", "Kept: 1.", "Out of scope: 1."]
    for words in ("goes: no rule keeps it", "max_delete is 2", "held by its mark", "newest good", "another DAG"):
        assert log.having(words, "info"), words


def test_a_long_list_is_cut_in_the_log_only(world: World) -> None:
    """The log counts what it leaves out; the XCom has all of it."""
    add_history(world, MOST_LINES + 11)
    with reading_the_log() as log:
        outcome = _prune(world, keep_last=1, dry_run=True)
    assert log.having("... and 10 more", "info")
    assert len(outcome.xcom["return_value"]["snapshots"]) == MOST_LINES + 11


def test_an_airflow_without_a_name_is_told_so(world: World) -> None:
    """Without a deployment the log warns that another Airflow's snapshots look like its own; with one it does not."""
    add_history(world, 2, deployment="prod")
    with reading_the_log() as log:
        assert _prune(world, keep_last=1).xcom["return_value"]["deleted"] == []
        assert log.having("no deployment name", "warning")
    world.connect(deployment="prod")
    with reading_the_log() as log:
        assert len(_prune(world, keep_last=1).xcom["return_value"]["deleted"]) == 1
        assert not log.having("no deployment name")


def test_a_busy_one_does_not_keep_the_others(world: World) -> None:
    """One that is busy is passed over and tried again until it goes."""
    ids = add_history(world, 4)
    world.emulator.faults.busy(call=DELETE, times=1)
    outcome = _prune(world, keep_last=1)
    assert outcome.state == "success", outcome.error
    assert _deletions(world) == [ids[3], ids[2], ids[1], ids[3]]
    assert outcome.xcom["return_value"]["deleted"] == [ids[2], ids[1], ids[3]]


def test_one_that_cannot_be_deleted_is_named_at_the_end(world: World) -> None:
    """The others go, and the failure, which a retry may cure, names the one and why."""
    ids = add_history(world, 4)
    world.emulator.faults.answer(500, "CSS.0005", call=DELETE, times=4)
    outcome = _prune(world, keep_last=1, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(_error(outcome), CssSnapshotError)
    assert f"orders-4 ({ids[3]})" in str(outcome.error)
    assert "CSS.0005" in str(outcome.error)
    assert _names(world) == ["orders-1", "orders-4"]
    again = _prune(world, TaskRun(try_number=2), keep_last=1, retries=1)
    assert again.state == "success"
    assert _names(world) == ["orders-1"]


def test_one_that_must_not_be_deleted_is_left_to_nobody(world: World) -> None:
    """When CSS forbids it for good, the others go and the task fails without a retry."""
    add_history(world, 4)
    world.emulator.faults.answer(403, "CSS.0004", call=DELETE)
    outcome = _prune(world, keep_last=1, retries=1)
    assert outcome.state == "failed"
    assert _names(world) == ["orders-1", "orders-4"]


def test_a_service_that_is_down_is_not_asked_for_each(world: World) -> None:
    """After three failures in a row the others are named untried."""
    add_history(world, 9)
    world.emulator.faults.answer(500, "CSS.0005", call=DELETE, times=None)
    outcome = _prune(world, keep_last=1, retries=1)
    assert outcome.state == "up_for_retry"
    assert world.emulator.count(DELETE) == 3 * 4
    assert str(outcome.error).count("it was not tried") == 5


def test_one_busy_for_ever_fails_after_its_time(world: World) -> None:
    """After ``turn_timeout`` the try fails, curably, and names it; the others are gone."""
    add_history(world, 3)
    world.emulator.faults.busy(call=DELETE, times=None, skip=1)
    began = world.clock.now()
    outcome = _prune(world, keep_last=1, turn_timeout=3_000, retries=1)
    assert outcome.state == "up_for_retry"
    assert "orders-2" in str(outcome.error)
    assert (world.clock.now() - began).total_seconds() <= 3_100
    assert _names(world) == ["orders-1", "orders-2"]


def test_what_changed_since_the_plan_is_left_alone(world: World) -> None:
    """One that is restored, or was deleted by somebody, while the task waits for its turn gets no deletion."""
    ids = add_history(world, 4)
    world.emulator.faults.busy(call=DELETE, times=3)

    def meanwhile() -> None:
        cluster_id = world.emulator.cluster_id
        world.client.delete_snapshot(cluster_id, ids[3])
        world.client.restore_snapshot(cluster_id, ids[2], target_cluster_id=cluster_id)

    world.emulator.faults.restore_fate("stuck")
    world.clock.at(3, meanwhile)
    with reading_the_log() as log:
        outcome = _prune(world, keep_last=1)
    assert outcome.state == "success", outcome.error
    result = outcome.xcom["return_value"]
    assert result["deleted"] == [ids[1]]
    assert result["skipped"] == [ids[3], ids[2]]
    assert log.having("it is gone already", "info")
    assert log.having("being restored", "info")


def test_the_last_good_one_is_not_lost_to_another_cleaner(world: World) -> None:
    """When somebody deletes the newer good ones meanwhile, what has become the newest good one stays."""
    ids = add_history(world, 3)
    world.emulator.faults.busy(call=DELETE, times=2)

    def meanwhile() -> None:
        world.client.delete_snapshot(world.emulator.cluster_id, ids[0])

    world.clock.at(3, meanwhile)
    outcome = _prune(world, keep_last=1)
    assert outcome.state == "success", outcome.error
    assert outcome.xcom["return_value"]["skipped"] == [ids[1]]
    assert _names(world) == ["orders-2"]


def test_what_lingers_is_waited_for(world: World) -> None:
    """The task succeeds when all are gone; those that never go fail it after ``timeout``."""
    add_history(world, 3)
    world.emulator.faults.slow_deletion(600, times=2)
    began = world.clock.now()
    assert _prune(world, keep_last=1).state == "success"
    assert 600 <= (world.clock.now() - began).total_seconds() <= 700
    add_history(world, 3, "more")
    world.emulator.faults.slow_deletion(9_000, times=None)
    outcome = _prune(world, keep_last=1, timeout=600, retries=1)
    assert outcome.state == "up_for_retry"
    assert isinstance(_error(outcome), CssWaitTimeoutError)


def test_a_failed_try_is_planned_anew(world: World) -> None:
    """A retry makes a plan from a fresh list: what lingers is not deleted twice, what is new is judged."""
    add_history(world, 3)
    world.emulator.faults.slow_deletion(900, times=None)
    _prune(world, keep_last=1, timeout=60, retries=1)
    add_marked(world, "newest", 0.01, run_id="newest")
    world.emulator.faults.clear()
    outcome = _prune(world, TaskRun(try_number=2), keep_last=1, retries=1)
    assert outcome.state == "success", outcome.error
    assert _names(world) == ["newest"]


@pytest.mark.parametrize("fault", ["429", "before", "after", "dropped", "truncated"])
def test_a_fault_costs_nothing(world: World, fault: str) -> None:
    """An answer that is lost, late or wrong leads to the same end, and nothing else goes."""
    faults = world.emulator.faults
    {
        "429": lambda: faults.throttle(call=DELETE),
        "before": lambda: faults.answer(500, "CSS.0005", call=DELETE),
        "after": lambda: faults.answer(502, call=DELETE, when="after"),
        "dropped": lambda: faults.drop(call=DELETE, when="after"),
        "truncated": lambda: faults.truncate(call=LIST),
    }[fault]()
    others = _crowd(world)
    add_history(world, 3)
    outcome = _prune(world, keep_last=1)
    assert outcome.state == "success", outcome.error
    assert _names(world) == sorted([*others, "orders-1"])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"keep_last": 0},
        {"older_than": "14d"},
        {"keep_last": -1},
        {"keep_last": True},
        {"keep_last": "7"},
        {"keep_within": "soon"},
        {"keep_last": 1, "older_than": "14"},
        {"keep_last": 1, "timezone": "Mars/Olympus"},
        {"keep_last": 1, "max_delete": 0},
        {"keep_last": 1, "scope": "cluster"},
        {"keep_last": 1, "scope": "task"},
        {"keep_last": 1, "task_ids": ["backup"]},
        {"keep_last": 1, "group_by": []},
        {"keep_last": 1, "group_by": ["cluster"]},
        {"keep_last": 1, "include_foreign": True},
        {"keep_last": 1, "name_prefix": ""},
        {"keep_last": 1, "name_regex": "["},
        {"keep_last": 1, "name_regex": "{{ none }}"},
        {"keep_last": 1, "hold_ids": "{{ none }}"},
        {"keep_last": 1, "hold_ids": [""]},
        {"keep_last": 1, "hold_ids": ["{{ none }}"]},
        {"keep_last": 1, "hold_ids": "orders"},
        {"keep_last": 1, "hold_names": "orders-1,,orders-2"},
        {"keep_last": 1, "hold_names": [], "name_prefix": []},
        {"keep_last": 1, "hold_names": "{{ [] }}"},
        {"keep_last": 1, "hold_names": "{{ [] }}", "is_native": True},
        {"keep_last": 1, "hold_ids": "{{ [] }}", "is_native": True},
        {"keep_last": 1, "timeout": 0},
        {"keep_last": 1, "turn_timeout": None},
        {"keep_last": 1, "css_conn_id": "{{ none }}"},
        {"keep_last": 1, "cluster_id": ""},
    ],
    ids=str,
)
def test_a_bad_value_is_refused_before_anything_is_sent(world: World, parameters: dict[str, Any]) -> None:
    """No rule at all, a rule that is none, or a hold that was rendered to nothing costs no request."""
    outcome = _prune(world, retries=1, **parameters)
    assert outcome.state == "failed"
    assert isinstance(_error(outcome), CssUsageError)
    assert world.emulator.requests == ()


def test_a_hold_can_be_what_another_task_made(world: World) -> None:
    """Held ids may come from templates, as a text with commas or in a list."""
    ids = add_history(world, 4)
    outcome = _prune(world, keep_last=1, hold_ids=f"{{{{ '{ids[2]}' }}}}, {ids[3]}")
    assert outcome.xcom["return_value"]["deleted"] == [ids[1]]


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_the_dag_may_say_that_nothing_is_held(world: World, nothing: Any) -> None:
    """An empty list written in the DAG is the same as none."""
    add_history(world, 3)
    outcome = _prune(world, keep_last=1, hold_ids=nothing, hold_names=nothing)
    assert outcome.state == "success", outcome.error
    assert _names(world) == ["orders-1"]


@pytest.mark.parametrize("field", ["hold_ids", "hold_names"])
def test_the_way_out_of_a_hold_that_was_rendered_to_nothing_can_be_taken(world: World, field: str) -> None:
    """The refusal names a value that holds nothing; a template that gives it prunes, and the log says it is vain."""
    add_history(world, 2)
    refused: dict[str, Any] = {field: "{{ [] }}"}
    said = str(_prune(world, keep_last=1, is_native=True, **refused).error)
    assert f"write {field}=[] in the DAG" in said
    example = said.partition("such as '")[2].partition("'")[0]
    with reading_the_log() as log:
        taken: dict[str, Any] = {field: f"{{{{ [] or ['{example}'] }}}}"}
        outcome = _prune(world, keep_last=1, is_native=True, **taken)
    assert outcome.state == "success", outcome.error
    assert _names(world) == ["orders-1"]
    assert len(log.having(f"held by {example}:", "warning")) == 1


def test_holds_that_hold_nothing_are_told_in_one_warning(world: World) -> None:
    """A misspelt name and an id of nothing are named together; those that hold something are not."""
    ids = add_history(world, 4)
    missing = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
    with reading_the_log() as log:
        _prune(world, keep_last=1, hold_ids=[ids[1], missing], hold_names=["orders-3", "odrers-4"])
    assert _names(world) == ["orders-1", "orders-2", "orders-3"]
    assert len(log.having(f"is held by {missing}, odrers-4: none has", "warning")) == 1
    with reading_the_log() as log:
        _prune(world, keep_last=1, hold_ids=[ids[1]])
    assert log.having("is held by") == []


def test_strangers_go_only_by_name(world: World) -> None:
    """With ``include_foreign`` hand-made ones of that name are judged; automatic and held ones never go."""
    long_ago = world.clock.now() - timedelta(days=10)
    for number in (1, 2):
        world.emulator.add_snapshot(f"manual-{number}", started_at=long_ago + timedelta(days=number))
        world.emulator.add_snapshot(f"auto-{number}", started_at=long_ago, frequency="DAY")
    world.emulator.add_snapshot("manual-held", description=mark_of(dag_id="x", hold=True), started_at=long_ago)
    _prune(world, keep_last=1, include_foreign=True, name_regex=".*")
    assert _names(world) == ["auto-1", "auto-2", "manual-2", "manual-held"]


def test_a_failure_ends_with_the_line_for_the_night_reader(world: World) -> None:
    """Cluster, snapshots, run and the newest good backup stand in the last line of a failed try."""
    add_history(world, 2)
    world.emulator.faults.answer(403, "CSS.0004", call=DELETE)
    with reading_the_log() as log:
        _prune(world, keep_last=1)
    line = log.having("Newest good backup:", "error")[0].text
    for words in (world.emulator.cluster_id, "orders-2 (", "orders_etl/prune", "orders-1, "):
        assert words in line
