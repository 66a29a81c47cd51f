"""The rules of CSS for snapshots, seen through signed calls and a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.protocol import wire
from airflow_css.protocol.models import SnapshotStatus
from tests.emulator.callers import UNKNOWN_ID, Caller, refusal

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _caller(**options: Any) -> Caller:
    return Caller(CssEmulator(clock=TurnableClock(frozen=True, start=NOON), **options))


def test_a_snapshot_is_built_and_then_completed() -> None:
    """It is BUILDING for exactly ``creation_takes`` seconds, with a start and no end, and COMPLETED afterwards."""
    caller = _caller(creation_takes=300)
    created = caller.created("first", indices="orders-*", description="before the load")
    caller.advance(299.999)
    (building,) = caller.listed()
    assert (building["id"], building["status"], building["endTime"]) == (created.id, "BUILDING", None)
    assert (building["indices"], building["totalShards"]) == ("orders-2026-11,orders-2026-10", 0)
    assert building["startTime"] == int(NOON.timestamp() * 1000)
    caller.advance(0.001)
    (completed,) = caller.listed()
    assert (completed["status"], completed["endTime"]) == ("COMPLETED", int(NOON.timestamp() + 300) * 1000)
    assert (completed["totalShards"], completed["failedShards"]) == (6, 0)


def test_a_listed_snapshot_has_the_documented_fields() -> None:
    """Names and types of a finished snapshot's fields are those of the API reference."""
    caller = _caller()
    created = caller.created("first", indices="orders-*", description="before the load")
    caller.advance(2)
    assert caller.listed() == [
        {
            "id": created.id,
            "name": "first",
            "description": "before the load",
            "status": "COMPLETED",
            "restoreStatus": "none",
            "backupType": "1",
            "backupMethod": "manual",
            "created": "2026-01-02T12:00:00",
            "updated": "2026-01-02T12:00:02",
            "startTime": 1767355200000,
            "endTime": 1767355202000,
            "indices": "orders-2026-11,orders-2026-10",
            "totalShards": 6,
            "failedShards": 0,
            "bucketName": "css-backups",
            "clusterId": caller.emulator.cluster_id,
            "clusterName": "search-dev",
            "datastore": {"type": "elasticsearch", "version": "7.10.2"},
            "version": "7.10.2",
            "backupExpectedStartTime": None,
            "backupKeepDay": None,
            "backupPeriod": None,
        }
    ]


def test_the_newest_snapshot_is_listed_first(caller: Caller) -> None:
    """The list is ordered by start, newest first; of two that began together the later request is first."""
    for name in ("first", "second"):
        caller.created(name)
        caller.advance(5)
    caller.emulator.add_snapshot("old-one", started_at=NOON - timedelta(days=9))
    caller.emulator.add_snapshot("old-two", started_at=NOON - timedelta(days=9))
    assert [entry["name"] for entry in caller.listed()] == ["second", "first", "old-two", "old-one"]


@pytest.mark.parametrize(
    ("ending", "status", "shards"),
    [
        ("part_failed", SnapshotStatus.PART_FAILED, (6, 2)),
        ("failed", SnapshotStatus.FAILED, (6, 6)),
        ("empty", SnapshotStatus.COMPLETED, (0, 0)),
        ("completed", SnapshotStatus.COMPLETED, (6, 0)),
    ],
)
def test_a_snapshot_ends_as_scripted(
    caller: Caller,
    ending: Literal["part_failed", "failed", "empty", "completed"],
    status: SnapshotStatus,
    shards: tuple[int, int],
) -> None:
    """The next snapshot ends by its fate, after the scripted time; the one after it as usual."""
    caller.emulator.faults.fate(ending, takes=60, failed_shards=2)
    caller.created("first", indices="orders-*")
    caller.advance(59)
    assert caller.emulator.snapshots()[0].status is SnapshotStatus.BUILDING
    caller.advance(1)
    (ended,) = caller.emulator.snapshots()
    assert (ended.status, (ended.total_shards, ended.failed_shards)) == (status, shards)
    caller.created("second")
    caller.advance(2)
    assert caller.emulator.snapshots()[0].is_good


def test_a_stuck_snapshot_never_ends(caller: Caller) -> None:
    """It is BUILDING a year later, and the cluster is busy all the time."""
    caller.emulator.faults.fate("stuck")
    caller.created("first")
    caller.advance(365 * 86_400)
    assert caller.listed()[0]["status"] == "BUILDING"
    assert refusal(caller.create("second")) == (409, "CSS.0011")


def test_a_vanishing_snapshot_is_listed_until_its_end(caller: Caller) -> None:
    """It is BUILDING at first and no longer listed when its time is over; its name is free again."""
    caller.emulator.faults.fate("vanish")
    caller.created("first")
    assert caller.listed()[0]["status"] == "BUILDING"
    caller.advance(2)
    assert caller.listed() == []
    assert caller.create("first").status == 201


def test_a_pattern_that_matches_nothing_gives_an_empty_snapshot(caller: Caller) -> None:
    """It completes without an index and without a shard."""
    caller.created("first", indices="nothing-*")
    caller.advance(2)
    (entry,) = caller.listed()
    assert (entry["status"], entry["indices"], entry["totalShards"]) == ("COMPLETED", "", 0)


@pytest.mark.parametrize("word", ["200", "100"])
def test_the_cluster_shows_that_it_is_at_work(word: Literal["200", "100"]) -> None:
    """While a snapshot is made the actions say so and the status is the chosen word; afterwards it is idle."""
    caller = _caller(status_while_snapshotting=word)
    assert (caller.cluster()["status"], caller.cluster()["actions"]) == ("200", [])
    caller.created("first")
    at_work = caller.cluster()
    assert (at_work["status"], at_work["actions"]) == (word, ["SNAPSHOTTING"])
    assert at_work["actionProgress"] != {}
    caller.advance(2)
    idle = caller.cluster()
    assert (idle["status"], idle["actions"], idle["actionProgress"]) == ("200", [], {})


@pytest.mark.parametrize("status", [409, 202])
def test_one_operation_at_a_time(status: Literal[202, 409]) -> None:
    """A second creation is refused with CSS.0011 under the chosen status, and granted when the first is done."""
    caller = _caller(busy_status=status)
    caller.created("first")
    assert refusal(caller.create("second")) == (status, "CSS.0011")
    caller.advance(2)
    assert caller.create("second").status == 201


@pytest.mark.parametrize("fields", [{"actions": ("GROWING",)}, {"status": "100"}])
def test_another_operation_is_in_the_way_too(caller: Caller, fields: dict[str, Any]) -> None:
    """A cluster that does something else than snapshots is just as busy."""
    caller.emulator.change_cluster(**fields)
    assert refusal(caller.create("first")) == (409, "CSS.0011")


def test_clusters_do_not_wait_for_each_other() -> None:
    """While one cluster makes a snapshot another may begin one, even of the same name."""
    caller = _caller(clusters=("one", "two"))
    one, two = (cluster["id"] for cluster in caller.call(wire.LIST_CLUSTERS).json()["clusters"])
    assert caller.create("first", cluster_id=one).status == 201
    assert caller.create("first", cluster_id=two).status == 201


def test_a_name_is_taken_as_long_as_its_snapshot_is_listed(caller: Caller) -> None:
    """The same name is refused with 409 CSS.0043, and granted again after the deletion."""
    first = caller.created("first")
    caller.advance(2)
    assert refusal(caller.create("first")) == (409, "CSS.0043")
    assert caller.delete(first.id).status == 200
    assert caller.create("first").status == 201


@pytest.mark.parametrize(("first_check", "code"), [("busy", "CSS.0011"), ("name", "CSS.0043")])
def test_which_refusal_comes_first_can_be_chosen(first_check: Literal["busy", "name"], code: str) -> None:
    """A creation that meets a busy cluster and a taken name is refused for the reason chosen."""
    caller = _caller(first_check=first_check)
    caller.created("first")
    assert refusal(caller.create("first")) == (409, code)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"snapshot_function": False}, (415, "CSS.0004")),
        ({"quota": 0}, (413, "CSS.0030")),
        ({"frozen": True}, (400, "CSS.5301")),
        ({"status": "300"}, (400, "CSS.5140")),
        ({"status": "303"}, (400, "CSS.5140")),
    ],
)
def test_the_state_of_the_cluster_can_forbid_a_creation(
    caller: Caller, fields: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Each state that forbids snapshots has its code, and makes nothing."""
    caller.emulator.change_cluster(**fields)
    assert refusal(caller.create("first")) == expected
    assert caller.listed() == []


def test_the_quota_counts_what_is_listed(caller: Caller) -> None:
    """The creation after the last allowed one is refused until something is deleted."""
    caller.emulator.change_cluster(quota=1)
    first = caller.created("first")
    caller.advance(2)
    assert refusal(caller.create("second")) == (413, "CSS.0030")
    caller.delete(first.id)
    assert caller.create("second").status == 201


@pytest.mark.parametrize("status", ["300", "303"])
def test_an_unavailable_cluster_says_why(caller: Caller, status: str) -> None:
    """Its detail has the status and a reason, which an available one has not."""
    assert "failedReason" not in caller.cluster()
    caller.created("first")
    caller.emulator.change_cluster(status=status)
    assert caller.cluster()["status"] == status
    assert caller.cluster()["failedReason"]["errorCode"]


@pytest.mark.parametrize(
    "call", [wire.CREATE_SNAPSHOT, wire.LIST_SNAPSHOTS, wire.GET_CLUSTER, wire.GET_SNAPSHOT_POLICY]
)
def test_an_unknown_cluster_may_be_missing_or_hidden(caller: Caller, call: wire.Call[Any]) -> None:
    """It is answered 403 CSS.0015 by every call, in words without the code."""
    reply = caller.call(call, {"name": "first"}, cluster_id=UNKNOWN_ID)
    assert refusal(reply) == (403, "CSS.0015")
    assert "CSS.0015" not in reply.json()["externalMessage"]


def test_a_deletion_is_answered_without_a_body(caller: Caller) -> None:
    """It is 200, empty, and the snapshot is no longer listed."""
    first = caller.created("first")
    caller.advance(2)
    reply = caller.delete(first.id)
    assert (reply.status, reply.body) == (200, b"")
    assert caller.listed() == []


def test_other_snapshots_can_be_deleted_while_one_is_made(caller: Caller) -> None:
    """Only the one that is being made is refused, with 409 CSS.0029."""
    old = caller.emulator.add_snapshot("old-one")
    new = caller.created("first")
    assert refusal(caller.delete(new.id)) == (409, "CSS.0029")
    assert caller.delete(old).status == 200


@pytest.mark.parametrize("snapshot_id", [UNKNOWN_ID, "not-an-id"])
def test_an_unknown_snapshot_cannot_be_deleted(caller: Caller, snapshot_id: str) -> None:
    """It is answered 404 CSS.0016."""
    assert refusal(caller.delete(snapshot_id)) == (404, "CSS.0016")


def test_a_frozen_cluster_refuses_deletions(caller: Caller) -> None:
    """What is frozen stays as it is."""
    old = caller.emulator.add_snapshot("old-one")
    caller.emulator.change_cluster(frozen=True)
    assert refusal(caller.delete(old)) == (400, "CSS.5301")


def test_a_missing_cluster_is_noticed_before_a_wrong_body(caller: Caller) -> None:
    """A creation that is wrong in both ways is told about the cluster."""
    assert refusal(caller.create("bad name", cluster_id=UNKNOWN_ID)) == (403, "CSS.0015")


def test_an_automatic_snapshot_is_protected_by_its_policy(caller: Caller) -> None:
    """It cannot be deleted by hand while automatic creation is on, and can be when that is off."""
    old = caller.emulator.add_snapshot("snapshot-1", frequency="DAY")
    users = caller.emulator.add_snapshot("users-own")
    caller.emulator.policy(enabled=True)
    assert caller.delete(users).status == 200
    assert refusal(caller.delete(old)) == (415, "CSS.0004")
    caller.emulator.policy(enabled=False)
    assert caller.delete(old).status == 200
