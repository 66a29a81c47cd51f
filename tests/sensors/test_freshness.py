"""The freshness sensor: what counts, and every reason that it can give."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_css.protocol.errors import CssSnapshotError
from airflow_css.sensors.snapshot import SnapshotFreshnessSensor
from tests.marked import add_marked
from tests.running import TaskRun
from tests.sensors.playing import MODES, play
from tests.task_log import reading_the_log
from tests.world import World

DAY = 86_400
ALLOWED = timedelta(hours=26)


def _add(world: World, name: str = "orders-1", *, hours: float = 30, **facts: Any) -> str:
    began = world.clock.now() - timedelta(hours=hours)
    return world.emulator.add_snapshot(name, started_at=began, takes=600, **facts)


def _look(world: World, run: TaskRun | None = None, **parameters: Any) -> Any:
    return play(world, SnapshotFreshnessSensor, run, **{"max_age": ALLOWED, **parameters})


@pytest.mark.parametrize("way", MODES)
@pytest.mark.parametrize("max_age", [ALLOWED, ALLOWED.total_seconds()])
def test_a_fresh_backup_is_given(world: World, way: str, max_age: Any) -> None:
    """The newest good one counts, with its facts and its age; a later bad one does not matter."""
    _add(world, "older", hours=30)
    newest = _add(world, "newer", hours=20)
    _add(world, "failed", hours=1, status="FAILED")
    outcome = _look(world, way=way, max_age=max_age)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["id"] == newest
    assert outcome.xcom["return_value"]["age_seconds"] == pytest.approx(20 * 3600, abs=1)
    assert json.loads(json.dumps(outcome.xcom)) == outcome.xcom


@pytest.mark.parametrize("way", MODES)
def test_a_damaged_state_is_no_backup(world: World, way: str) -> None:
    """What a checkpoint kept before it overwrote it is new and whole; the alarm goes by the backups, and says so."""
    add_marked(world, "damaged-orders", 0.1, damaged=True)
    assert "hold damaged states" in str(_look(world, way=way).error)
    _add(world, "older", hours=30)
    outcome = _look(world, TaskRun(run_id="later"), way=way)
    assert outcome.state == "failed"
    assert "older" in str(outcome.error)


@pytest.mark.parametrize(("deployment", "run"), [("prod", "prod/orders_etl/"), (None, "orders_etl/")])
@pytest.mark.parametrize("way", MODES)
def test_the_last_line_names_the_run_with_its_deployment(
    world: World, way: str, deployment: str | None, run: str
) -> None:
    """Where no deployment has a name, the run begins with the DAG."""
    world.connect(deployment=deployment)
    with reading_the_log() as log:
        assert _look(world, way=way).state == "failed"
    assert f". Run: {run}" in log[-1].text


@pytest.mark.parametrize("way", MODES)
def test_without_a_timeout_it_looks_once_and_fails(world: World, way: str) -> None:
    """No time passes, no retry follows, and the last line names the newest good backup."""
    snapshot_id, began = _add(world), world.clock.now()
    with reading_the_log() as log:
        outcome = _look(world, way=way, retries=3)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssSnapshotError)
    assert world.clock.now() == began
    assert log[-1].level == "error"
    assert f"Snapshot: orders-1 ({snapshot_id})" in log[-1].text
    assert "Newest good backup: orders-1" in log[-1].text


@pytest.mark.parametrize("way", ["poke", "deferred"])
def test_with_a_timeout_it_waits(world: World, way: str) -> None:
    """A backup that comes in time ends the wait well."""
    _add(world)
    world.clock.at(300, lambda: _add(world, "orders-2", hours=0.5))
    outcome = _look(world, way=way, timeout=3600)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["name"] == "orders-2"


@pytest.mark.parametrize(("way", "timeout"), [("poke", 0.05), ("reschedule", 0.0), ("deferred", 500)])
def test_the_time_out_gives_the_reason(world: World, way: str, timeout: float) -> None:
    """Also after a wait the sentence says what was found and what to do."""
    world.emulator.policy(enabled=False)
    outcome = _look(world, way=way, timeout=timeout, kind="automatic", poke_interval=0)
    assert isinstance(outcome.error, AirflowSensorTimeout)
    assert "No fresh backup came within " in str(outcome.error)
    assert "the policy for automatic snapshots is off; turn it on in the console" in str(outcome.error)


def test_what_comes_just_at_the_end_is_good(world: World) -> None:
    """The look that finds the reason may find a backup instead."""
    world.clock.at(500, lambda: _add(world, "orders-2", hours=0.5))
    outcome = _look(world, way="deferred", timeout=500, poke_interval=400)
    assert outcome.state == "success"
    assert outcome.xcom["return_value"]["name"] == "orders-2"


class Row(NamedTuple):
    """What there is, what is asked for, and words of the reason."""

    prepare: Callable[[World], object]
    words: tuple[str, ...]
    asked: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it


def _several(**facts: Any) -> Callable[[World], object]:
    return lambda world: [_add(world, f"orders-{n}", hours=n + 1.0, **facts) for n in range(3)]


def _mixed(world: World) -> None:
    _add(world, "orders-1", hours=3, status="FAILED")
    _add(world, "orders-2", hours=2, status="PART_FAILED", failed_shards=1)


def _cancelled(world: World) -> None:
    """One of ours ran when an automatic one was due, two hours ago."""
    _add(world, "snapshot-old", hours=50, frequency="DAY")
    due = world.clock.now() - timedelta(hours=2)
    world.emulator.policy(period=f"{due:%H:%M} GMT+00:00")
    began = due - timedelta(minutes=20)
    mark = "[af1 6754af 4852a827 4ba28873 0953c081 fd891501 0]"
    world.emulator.add_snapshot("orders-etl", started_at=began, takes=3600, description=mark, status="FAILED")


def _other_bucket(world: World) -> None:
    _add(world, hours=1)
    body = json.dumps({"enable": "true", "bucket": "new-bucket", "period": "00:00 GMT+08:00", "frequency": "DAY"})
    world.emulator.faults.answer(200, body=body, call="get_snapshot_policy", times=None)


def _good_and_later_bad(world: World) -> None:
    _add(world, "orders-1", hours=30)
    _add(world, "orders-2", hours=2, status="FAILED")


ROWS = {
    "none at all": Row(lambda _world: None, ("the cluster has no snapshot; ",)),
    "one, but another": Row(
        _add,
        ("the only snapshot of the cluster is not one with a name that begins with 'logs-'",),
        {"name_prefix": "logs-"},
    ),
    "some, but others": Row(
        _several(), ("none of the 3 snapshots of the cluster is one made by this package",), {"scope": "package"}
    ),
    "all failed": Row(
        _several(status="FAILED"), ("all 3 snapshots are FAILED (the newest is orders-0, ", "failed tasks")
    ),
    "all partial": Row(_several(failed_shards=1), ("all 3 snapshots are partial", "health of the cluster")),
    "all empty": Row(_several(indices="none-such-*"), ("all 3 snapshots are empty", "correct the index list")),
    "being made": Row(
        lambda world: world.emulator.add_snapshot("orders-1", status="BUILDING"),
        ("the only snapshot is being made (the newest is orders-1", "wait for its end"),
    ),
    "an unknown word": Row(_several(status="POLISHING"), ("in the unknown state POLISHING", "console")),
    "mixed": Row(_mixed, ("no snapshot is good: 1 FAILED, 1 partial (the newest is orders-2",)),
    "too old": Row(_add, ("the newest good snapshot orders-1 (", ") is 30 h old, at most 26 h are allowed")),
    "too old, and later a bad one": Row(_good_and_later_bad, ("30 h old", "and the later orders-2 (", ") is FAILED")),
    "the policy is off": Row(
        _add, ("30 h old", "the policy for automatic snapshots is off; turn it on in the console")
    ),
    "cancelled": Row(
        _cancelled,
        ("50 h old", "an automatic one was due at ", "while orders-etl was being made", "likely cancelled", "move the"),
        {"kind": "automatic"},
    ),
    "another bucket": Row(
        _other_bucket, ("lies in the bucket css-backups, but the cluster reads new-bucket now", "set the bucket back")
    ),
}


@pytest.mark.parametrize("reason", ROWS)
def test_each_reason_is_told_with_its_way_out(world: World, reason: str) -> None:
    """What list and policy prove is one sentence of the failure."""
    row = ROWS[reason]
    row.prepare(world)
    outcome = _look(world, **row.asked)
    assert outcome.state == "failed"
    assert str(outcome.error).startswith("There is no fresh backup: ")
    assert [words for words in row.words if words not in str(outcome.error)] == [], str(outcome.error)


@pytest.mark.parametrize("status", [403, 500])
def test_what_only_the_policy_tells_is_left_out_without_it(world: World, status: int) -> None:
    """Keys that may list but not read the policy still get an answer, without a word about the policy."""
    _add(world)
    world.emulator.faults.answer(status, call="get_snapshot_policy", times=None)
    with reading_the_log() as log:
        outcome = _look(world)
    assert "30 h old" in str(outcome.error)
    assert "policy" not in str(outcome.error)
    assert not log.having("policy")


def test_a_cancellation_is_not_claimed_without_proof(world: World) -> None:
    """When the automatic snapshot came, or nothing of ours ran, nobody is blamed."""
    _cancelled(world)
    _add(world, "snapshot-new", hours=2, frequency="DAY", status="FAILED")
    assert "likely cancelled" not in str(_look(world, kind="automatic").error)


SCOPES = [("package", True, True, True), ("deployment", True, True, False), ("dag", True, False, False)]


@pytest.mark.parametrize(("scope", "own", "sibling", "stranger"), SCOPES)
def test_a_scope_is_whose_snapshots_count(world: World, scope: str, own: bool, sibling: bool, stranger: bool) -> None:  # noqa: FBT001 - a table's columns
    """Of this DAG, of this Airflow's DAGs, of any Airflow with this package; a hand-made one is in none of them."""
    _add(world, "by-hand", hours=1)
    assert _look(world, scope=scope).state == "failed"
    for dag_id, deployment, counts in (
        ("orders_etl", "prod", own),
        ("other_etl", "prod", sibling),
        ("orders_etl", "dev", stranger),
    ):
        world.connect(deployment=deployment)
        made = world.run(dag_id=dag_id)
        world.connect(deployment="prod")
        assert (_look(world, scope=scope).state == "success") is counts
        world.client.delete_snapshot(world.emulator.cluster_id, made.xcom["backup_id"])


@pytest.mark.parametrize(("kind", "names"), [("manual", "by-hand"), ("automatic", "by-policy"), (None, "by-policy")])
def test_a_kind_is_who_made_it(world: World, kind: str | None, names: str) -> None:
    """Only the snapshots of that kind count."""
    _add(world, "by-hand", hours=2)
    _add(world, "by-policy", hours=1, frequency="DAY")
    assert _look(world, kind=kind).xcom["return_value"]["name"] == names


def test_a_prefix_is_folded_as_names_are(world: World) -> None:
    """What a template renders to is looked for as the names that were made of it, and the log says so."""
    _add(world, "orders-etl-1", hours=2)
    _add(world, "others-1", hours=1)
    with reading_the_log() as log:
        outcome = _look(world, name_prefix="Orders ETL ")
    assert outcome.xcom["return_value"]["name"] == "orders-etl-1"
    assert log.having("No snapshot name begins with 'Orders ETL '; 'orders-etl-' is looked for.", "info")


def test_a_later_try_asks_again(world: World) -> None:
    """A cleared task finds what has come meanwhile."""
    assert _look(world).state == "failed"
    _add(world, hours=1)
    run = TaskRun(try_number=2, max_tries=1)
    assert play(world, SnapshotFreshnessSensor, run, max_age=ALLOWED).state == "success"
