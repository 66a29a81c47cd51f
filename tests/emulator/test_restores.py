"""A restore seen from outside: who shows what while it runs, what it refuses, how it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.protocol import wire
from tests.emulator.callers import UNKNOWN_ID, Caller, refusal

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SOURCE = "11111111-2222-4333-8444-555555555555"
TARGET = "22222222-2222-4333-8444-555555555555"


def _pair(**options: Any) -> Caller:
    """Return a caller of an emulator with two clusters, the second of which holds nothing."""
    clock = TurnableClock(frozen=True, start=NOON)
    clusters = (f"source={SOURCE}", f"target={TARGET}")
    caller = Caller(CssEmulator(clock=clock, clusters=clusters, restore_takes=100, **options))
    caller.emulator.change_cluster(TARGET, indices={})
    return caller


@pytest.fixture
def pair() -> Caller:
    """Return a caller of two clusters."""
    return _pair()


def _word(caller: Caller) -> str:
    (entry,) = caller.listed()
    return str(entry["restoreStatus"])


def _actions(caller: Caller, cluster_id: str) -> list[str]:
    actions: list[str] = caller.call(wire.GET_CLUSTER, cluster_id=cluster_id).json()["actions"]
    return actions


def test_a_restore_shows_at_both_clusters(pair: Caller) -> None:
    """The source's list tells how it goes, the target's actions that it is at work, to the millisecond."""
    old = pair.emulator.add_snapshot("old-one", indices="orders-*")
    assert _word(pair) == "none"
    reply = pair.restore(old, TARGET)
    assert (reply.status, reply.body) == (201, b"")
    pair.advance(99.999)
    assert (_word(pair), _actions(pair, SOURCE), _actions(pair, TARGET)) == ("restoring", [], ["RESTORING"])
    assert pair.emulator.indices(TARGET) == {}
    pair.advance(0.001)
    # Whichever cluster is looked at first: both are of the same moment.
    assert (_actions(pair, TARGET), _word(pair)) == ([], "success")
    assert pair.emulator.indices(TARGET) == {"orders-2026-11": 3, "orders-2026-10": 3}


def test_a_restore_in_place_is_at_work_on_its_own_cluster(caller: Caller) -> None:
    """The cluster that has the snapshot may be the target as well."""
    old = caller.emulator.add_snapshot("old-one")
    caller.emulator.change_cluster(indices={"customers": 1})
    assert caller.restore(old).status == 201
    assert caller.cluster()["actions"] == ["RESTORING"]
    caller.advance(2)
    assert caller.cluster()["actions"] == []
    assert set(caller.emulator.indices()) == {"orders-2026-11", "orders-2026-10", "customers"}


@pytest.mark.parametrize("word", ["200", "100"])
def test_the_target_shows_the_chosen_status(word: Literal["200", "100"]) -> None:
    """While it is restored to, the status is the word that was chosen for work on snapshots."""
    pair = _pair(status_while_snapshotting=word)
    pair.restore(pair.emulator.add_snapshot("old-one"), TARGET)
    shown = pair.call(wire.GET_CLUSTER, cluster_id=TARGET).json()
    assert (shown["status"], shown["actionProgress"]) == (word, {"RESTORING": "50%"})


@pytest.mark.parametrize("spelling", ["target_cluster", "targetCluster"])
def test_both_spellings_of_the_keys_are_read(pair: Caller, spelling: str) -> None:
    """The keys with underscores and those that were documented before do the same."""
    keys = {
        "target_cluster": ("rename_pattern", "rename_replacement"),
        "targetCluster": ("renamePattern", "renameReplacement"),
    }
    pattern, replacement = keys[spelling]
    body = {spelling: TARGET, pattern: "(.+)", replacement: "new-$1", "indices": "customers"}
    old = pair.emulator.add_snapshot("old-one")
    assert pair.call(wire.RESTORE_SNAPSHOT, body, snapshot_id=old).status == 201
    pair.advance(100)
    assert pair.emulator.indices(TARGET) == {"new-customers": 1}


@pytest.mark.parametrize("status", [409, 202])
def test_one_operation_at_a_time(status: Literal[202, 409]) -> None:
    """While it is restored to, a cluster takes neither a creation nor a restore, and is free at the end."""
    pair = _pair(busy_status=status)
    first, second = (pair.emulator.add_snapshot(name) for name in ("old-one", "old-two"))
    assert pair.restore(first, TARGET).status == 201
    assert refusal(pair.restore(second, TARGET)) == (status, "CSS.0011")
    assert refusal(pair.create("new-one", TARGET)) == (status, "CSS.0011")
    assert pair.create("new-one").status == 201
    pair.advance(100)
    assert pair.restore(second, TARGET).status == 201


def test_a_target_that_makes_a_snapshot_is_busy(pair: Caller) -> None:
    """A snapshot in the making is in the way of a restore to its cluster, but not of one from it."""
    old = pair.emulator.add_snapshot("old-one")
    assert pair.create("new-one").status == 201
    assert refusal(pair.restore(old)) == (409, "CSS.0011")
    assert pair.restore(old, TARGET).status == 201


def test_an_automatic_snapshot_is_cancelled_by_a_restore(pair: Caller) -> None:
    """One that falls due on the target meanwhile is never made."""
    old = pair.emulator.add_snapshot("old-one")
    pair.emulator.policy(cluster_id=TARGET, frequency="HOUR")
    pair.advance(3590)
    pair.restore(old, TARGET)
    pair.advance(100)
    assert pair.emulator.snapshots(TARGET) == ()
    assert pair.emulator.cancelled(TARGET) == 1


def test_what_is_being_restored_cannot_be_deleted(pair: Caller) -> None:
    """It is protected until the restore ends, even while its status does not speak of it, and also from its policy."""
    old = pair.emulator.add_snapshot("auto-1", frequency="DAY")
    pair.emulator.faults.restore_fate(stale=50)
    pair.restore(old, TARGET)
    assert _word(pair) == "none"
    assert refusal(pair.delete(old)) == (400, "CSS.5090")
    assert refusal(pair.restore(old)) == (400, "CSS.5090")
    pair.emulator.add_snapshot("auto-2", frequency="DAY")
    pair.emulator.policy(keep=1)
    body = {"enable": "false", "delete_auto": "true"}
    path = f"/v1.0/{pair.emulator.project_id}/clusters/{SOURCE}/index_snapshot/policy"
    assert pair.send("POST", path, body).status == 200
    assert [entry["id"] for entry in pair.listed()] == [old]
    pair.advance(100)
    assert pair.delete(old).status == 200


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("BUILDING", (409, "CSS.0029")),
        ("FAILED", (400, "CSS.5090")),
        ("PART_FAILED", (400, "CSS.5090")),
        ("COMPLETED", (201, "")),
    ],
)
def test_only_a_completed_snapshot_is_restorable(pair: Caller, status: str, expected: tuple[int, str]) -> None:
    """One in the making, a failed one and one in which shards failed are refused."""
    old = pair.emulator.add_snapshot("old-one", status=status)
    assert refusal(pair.restore(old, TARGET)) == expected
    assert len(pair.emulator.restores(TARGET)) == (expected[0] == 201)


def test_a_partial_snapshot_may_be_restorable() -> None:
    """The other side of what no page says can be played."""
    pair = _pair(partial_restorable=True)
    assert pair.restore(pair.emulator.add_snapshot("old-one", status="PART_FAILED"), TARGET).status == 201
    assert refusal(pair.restore(pair.emulator.add_snapshot("old-two", status="FAILED"))) == (400, "CSS.5090")


REFUSED: dict[str, tuple[str, dict[str, Any], tuple[int, str]]] = {
    "target frozen": (TARGET, {"frozen": True}, (400, "CSS.5301")),
    "target unavailable": (TARGET, {"status": "303"}, (400, "CSS.5140")),
    "target at work": (TARGET, {"actions": ("GROWING",)}, (409, "CSS.0011")),
    "target older": (TARGET, {"engine_version": "7.9.3"}, (415, "CSS.5108")),
    "target later": (TARGET, {"engine_version": "7.10.10"}, (201, "")),
    "target OpenSearch": (TARGET, {"engine": "opensearch", "engine_version": "1.3.6"}, (201, "")),
    "source OpenSearch": (SOURCE, {"engine": "opensearch", "engine_version": "1.3.6"}, (415, "CSS.5108")),
    "target without snapshots": (TARGET, {"snapshot_function": False}, (201, "")),
    "source without snapshots": (SOURCE, {"snapshot_function": False}, (415, "CSS.0004")),
    "source frozen": (SOURCE, {"frozen": True}, (400, "CSS.5301")),
    "source unavailable": (SOURCE, {"status": "303"}, (201, "")),
}


@pytest.mark.parametrize(("cluster", "fields", "expected"), REFUSED.values(), ids=REFUSED)
def test_the_state_of_a_cluster_can_forbid_a_restore(
    pair: Caller, cluster: str, fields: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Each state that forbids restores has its code; what an unavailable cluster has can be restored elsewhere."""
    old = pair.emulator.add_snapshot("old-one")
    pair.emulator.change_cluster(cluster, **fields)
    assert refusal(pair.restore(old, TARGET)) == expected


def test_what_is_missing_is_refused(pair: Caller) -> None:
    """An unknown cluster on either side is 403 CSS.0015, an unknown snapshot 404 CSS.0016."""
    old = pair.emulator.add_snapshot("old-one")
    assert refusal(pair.restore(old, UNKNOWN_ID)) == (403, "CSS.0015")
    assert refusal(pair.restore(old, TARGET, UNKNOWN_ID)) == (403, "CSS.0015")
    assert refusal(pair.restore(UNKNOWN_ID, TARGET)) == (404, "CSS.0016")
    # A snapshot belongs to one cluster.
    assert refusal(pair.restore(old, TARGET, TARGET)) == (404, "CSS.0016")


@pytest.mark.parametrize(
    "fields",
    [
        {"target_cluster": None},
        {"target_cluster": ""},
        {"target_cluster": 5},
        {"indices": "A"},
        {"indices": ["a"]},
        {"rename_pattern": 5},
        {"replace_exist_indices": "true"},
        *(
            {name: text}
            for name in ("rename_pattern", "rename_replacement")
            for text in ("a,b", "A", "a b", "a|b", "\\d")
        ),
        *({name: "a" * 1025} for name in ("rename_pattern", "rename_replacement", "indices")),
    ],
)
def test_what_breaks_a_documented_rule_is_refused(pair: Caller, fields: dict[str, Any]) -> None:
    """A restore with a bad field is answered 400 CSS.0001, and nothing begins."""
    reply = pair.restore(pair.emulator.add_snapshot("old-one"), **{"target": TARGET, **fields})
    assert refusal(reply) == (400, "CSS.0001")
    assert (_word(pair), pair.emulator.restores(TARGET)) == ("none", ())


@pytest.mark.parametrize("pattern", ["[a[b]]", "[a-z&&[^b]]", "x[^]&&a]", "^*a", "a$+", "{2}a", "({1}a)"])
def test_what_only_java_understands_is_beyond_the_emulator(pair: Caller, pattern: str) -> None:
    """What Python does not know is refused loudly instead of being carried out wrongly."""
    old = pair.emulator.add_snapshot("old-one")
    assert refusal(pair.restore(old, TARGET, rename_pattern=pattern)) == (501, "EMULATOR.0501")
    assert pair.restore(old, TARGET, rename_pattern="^[a][b]{2}$").status == 201


def test_a_restore_fails_as_scripted(pair: Caller) -> None:
    """The next restore fails after its time and brings nothing; the one after it ends well."""
    old = pair.emulator.add_snapshot("old-one")
    pair.emulator.faults.restore_fate("failed", takes=5)
    pair.restore(old, TARGET)
    pair.advance(5)
    assert (_word(pair), pair.emulator.indices(TARGET)) == ("failed", {})
    assert _actions(pair, TARGET) == []
    pair.restore(old, TARGET)
    assert _word(pair) == "restoring"
    pair.advance(100)
    assert (_word(pair), [restore.status for restore in pair.emulator.restores(TARGET)]) == (
        "success",
        ["failed", "success"],
    )


def test_a_stuck_restore_never_ends(pair: Caller) -> None:
    """It is restoring a year later, and its target busy."""
    pair.emulator.faults.restore_fate("stuck")
    old = pair.emulator.add_snapshot("old-one")
    pair.restore(old, TARGET)
    pair.advance(365 * 86_400)
    assert (_word(pair), _actions(pair, TARGET)) == ("restoring", ["RESTORING"])


@pytest.mark.parametrize(
    ("stale", "words"), [(0, ["restoring"] * 3), (30, ["success", "restoring", "restoring"]), (150, ["success"] * 3)]
)
def test_the_word_of_an_earlier_restore_may_stay(pair: Caller, stale: float, words: list[str]) -> None:
    """For as long as scripted the status says how the earlier restore ended; then it speaks of this one."""
    old = pair.emulator.add_snapshot("old-one", restore_status="success")
    pair.emulator.faults.restore_fate("failed", stale=stale)
    pair.restore(old, TARGET)
    seen = []
    for seconds in (29, 1, 69):
        pair.advance(seconds)
        seen.append(_word(pair))
    assert seen == words
    assert _actions(pair, TARGET) == ["RESTORING"]
    pair.advance(1)
    assert _actions(pair, TARGET) == []
    assert _word(pair) == ("success" if stale == 150 else "failed")
    pair.advance(50)
    assert _word(pair) == "failed"


def test_a_refused_restore_uses_up_no_fate(pair: Caller) -> None:
    """The fate waits for the next restore that really begins."""
    pair.emulator.faults.restore_fate("failed")
    old = pair.emulator.add_snapshot("old-one")
    assert pair.restore(old, UNKNOWN_ID).status == 403
    pair.restore(old, TARGET)
    pair.advance(100)
    assert _word(pair) == "failed"


def test_restores_between_three_clusters_keep_one_time() -> None:
    """However they are chained, and whichever is looked at first, everything up to now has happened."""
    names = [f"c{number}" for number in range(3)]
    emulator = CssEmulator(clock=TurnableClock(frozen=True, start=NOON), clusters=names)
    caller = Caller(emulator)
    first, second, third = (cluster["id"] for cluster in reversed(caller.call(wire.LIST_CLUSTERS).json()["clusters"]))
    one = emulator.add_snapshot("one", cluster_id=first)
    two = emulator.add_snapshot("two", cluster_id=second)
    assert caller.restore(one, second, first).status == 201
    assert caller.restore(two, third, second).status == 201
    caller.advance(2)
    assert [s.restore_status for s in emulator.snapshots(second)] == ["success"]
    assert [s.restore_status for s in emulator.snapshots(first)] == ["success"]
    assert not emulator.restores(third)[0].is_running
