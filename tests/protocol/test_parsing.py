"""What CSS describes, read from its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotStatus
from airflow_css.protocol.parsing import parse_cluster, parse_created, parse_policy, parse_snapshot

# The entry that the API page shows, old fields and nulls included.
DOCUMENTED: dict[str, Any] = {
    "id": "7fb1e3a5-8ed1-4d6d-8d0d-0ee0b8d3a1c0",
    "name": "snapshot-ttt",
    "description": "",
    "status": "COMPLETED",
    "restoreStatus": "none",
    "backupType": "1",
    "backupMethod": "manual",
    "backupExpectedStartTime": None,
    "backupKeepDay": None,
    "backupPeriod": None,
    "created": "2018-03-07T07:34:47",
    "updated": "2018-03-07T07:40:12",
    "startTime": 1520408087099,
    "endTime": 1520408412219,
    "indices": ".kibana,website2",
    "totalShards": 6,
    "failedShards": 0,
    "bucketName": "css-backup",
    "clusterId": "4f3deec3-efa8-4598-bf91-560aad1377a3",
    "clusterName": "Es-xfx",
    "datastore": {"type": "openSearch", "version": "6.2.3"},
    "version": "6.2.3",
}
KEYS = [*DOCUMENTED, "backup", "enable", "period", "frequency", "keepday", "actions", "backupAvailable", "failedReason"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
garbage = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
entries = st.dictionaries(st.sampled_from(KEYS), garbage, max_size=len(KEYS))
PARSERS: dict[str, Callable[[Any], Any]] = {
    "snapshot": parse_snapshot,
    "created": parse_created,
    "cluster": parse_cluster,
    "policy": parse_policy,
}


def test_the_documented_entry_is_read_in_full() -> None:
    """Each field of the documented example arrives; the moment without a zone is the one in milliseconds, in UTC."""
    snapshot = parse_snapshot(DOCUMENTED)
    assert snapshot.id == "7fb1e3a5-8ed1-4d6d-8d0d-0ee0b8d3a1c0"
    assert snapshot.status is SnapshotStatus.COMPLETED
    assert snapshot.indices == (".kibana", "website2")
    assert (snapshot.total_shards, snapshot.failed_shards) == (6, 0)
    assert snapshot.created_at == datetime(2018, 3, 7, 7, 34, 47, tzinfo=UTC)
    assert snapshot.started_at == datetime(2018, 3, 7, 7, 34, 47, 99_000, tzinfo=UTC)
    assert snapshot.duration_seconds == pytest.approx(325.12)
    assert snapshot.began_at == snapshot.started_at
    assert (snapshot.restore_status, snapshot.bucket) == ("none", "css-backup")
    assert (snapshot.cluster_id, snapshot.cluster_name) == ("4f3deec3-efa8-4598-bf91-560aad1377a3", "Es-xfx")
    assert snapshot.is_good
    assert not snapshot.is_automatic
    assert snapshot.mark is None


def test_the_json_of_a_snapshot_is_plain() -> None:
    """What goes into an XCom survives JSON, with moments that carry their zone."""
    facts = parse_snapshot(DOCUMENTED).as_json()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["started_at"] == "2018-03-07T07:34:47.099000+00:00"
    assert facts["indices"] == [".kibana", "website2"]
    assert " ".join(facts) == (
        "id name status indices total_shards failed_shards bucket started_at ended_at duration_seconds"
    )


@given(st.sampled_from(list(PARSERS)), garbage | entries | entries.map(lambda e: {"backup": e}))
@example("snapshot", {"id": "x", "startTime": 10**400, "endTime": float("nan"), "created": "9999-12-31T23:59:59-23:59"})
@example("snapshot", {"id": "x", "totalShards": float("inf"), "failedShards": "٣", "indices": ["a"], "status": {}})
@example("snapshot", {"id": "x", "startTime": -1, "endTime": 0, "created": "0001-01-01T00:00:00+23:59"})
@example("cluster", {"id": "x", "actions": {"a": 1}, "datastore": [], "failedReason": "no"})
def test_garbage_is_read_or_refused(what: str, payload: Any) -> None:
    """Whatever stands in an answer, it becomes a model or the one error for unreadable answers."""
    try:
        model = PARSERS[what](payload)
    except CssReplyError:
        return
    if isinstance(model, Snapshot):
        json.dumps(model.as_json())
        assert model.id
        assert (model.mark, model.is_good, model.duration_seconds) is not None
        assert all(m.utcoffset() == timedelta(0) for m in (model.created_at, model.started_at, model.ended_at) if m)
    if isinstance(model, Cluster):
        assert model.label
        assert not (model.is_idle and model.is_unavailable)


WITHOUT_ID: list[Any] = [None, [], "x", 5, {}, {"id": None}, {"id": ""}, {"backup": {"id": "x"}}]


@pytest.mark.parametrize("payload", WITHOUT_ID)
def test_an_entry_without_an_id_is_refused(payload: Any) -> None:
    """Nothing is known about a snapshot, a new one or a cluster without its id."""
    for parse in (parse_snapshot, parse_cluster):
        with pytest.raises(CssReplyError):
            parse(payload)
    with pytest.raises(CssReplyError):
        parse_created({"backup": payload})
    assert parse_created({"backup": {"id": "x", "name": "n"}}).id == "x"


@pytest.mark.parametrize("payload", [None, [], "x", {"backup": None}, {"backup": []}, {"backup": {"name": "n"}}])
def test_a_creation_is_proved_by_its_id_only(payload: Any) -> None:
    """An answer without ``backup.id`` proves nothing."""
    with pytest.raises(CssReplyError):
        parse_created(payload)


WORDS = {
    "BUILDING": SnapshotStatus.BUILDING,
    "COMPLETED": SnapshotStatus.COMPLETED,
    "FAILED": SnapshotStatus.FAILED,
    "PART_FAILED": SnapshotStatus.PART_FAILED,
    "FROZEN": SnapshotStatus.UNKNOWN,
    "completed": SnapshotStatus.UNKNOWN,
    "": SnapshotStatus.UNKNOWN,
    None: SnapshotStatus.UNKNOWN,
}


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_a_status(word: str | None) -> None:
    """The four documented words are known, any other is unknown but kept."""
    snapshot = parse_snapshot({"id": "x", "status": word})
    assert snapshot.status is WORDS[word]
    assert snapshot.status_word == (word or "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"backupType": "0"}, True),
        ({"backupType": 0}, True),
        ({"backupMethod": "auto"}, True),
        ({"backupMethod": "automated"}, True),
        ({"backupType": "1", "backupMethod": "manual"}, False),
        ({}, False),
    ],
)
def test_automatic_snapshots_are_told_by_type_or_method(fields: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table's column
    """Either field may say that the cluster's own policy made a snapshot."""
    assert parse_snapshot({"id": "x", **fields}).is_automatic is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"totalShards": None, "failedShards": None}, True),
        ({"totalShards": 6, "failedShards": 0}, True),
        ({"totalShards": 6, "failedShards": 1}, False),
        ({"totalShards": 0}, False),
        ({"status": "PART_FAILED"}, False),
        ({"status": "BUILDING"}, False),
    ],
)
def test_good_means_complete_and_not_empty(fields: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table's column
    """Only a completed snapshot without failed shards, and not known to be empty, can be relied on."""
    assert parse_snapshot({"id": "x", "status": "COMPLETED", **fields}).is_good is expected


def test_a_moment_with_a_zone_keeps_it() -> None:
    """Should CSS ever print a zone, it counts."""
    created = parse_snapshot({"id": "x", "created": "2018-03-07T15:34:47+08:00"}).created_at
    assert created == datetime(2018, 3, 7, 7, 34, 47, tzinfo=UTC)


def test_a_cluster_is_read() -> None:
    """The fields that matter to snapshots arrive, whatever the spelling of the engine."""
    cluster = parse_cluster(
        {
            "id": "c",
            "name": "prod",
            "status": "200",
            "actions": ["SNAPSHOTTING"],
            "backupAvailable": True,
            "datastore": {"type": "openSearch", "version": "1.3.6"},
        }
    )
    assert (cluster.label, cluster.status, cluster.actions) == ("prod (c)", "200", ("SNAPSHOTTING",))
    assert (cluster.engine, cluster.engine_version) == ("opensearch", "1.3.6")
    assert cluster.is_snapshot_function_on is True
    assert not cluster.is_idle
    assert parse_cluster({"id": "c"}).label == "c"


@pytest.mark.parametrize(
    ("status", "actions", "is_idle", "is_unavailable"),
    [
        ("200", [], True, False),
        ("200", ["REBOOTING"], False, False),
        ("100", [], False, False),
        ("300", [], False, True),
        ("303", [], False, True),
        (200, None, True, False),
    ],
)
def test_idle_is_neither_at_work_nor_down(status: Any, actions: Any, is_idle: bool, is_unavailable: bool) -> None:  # noqa: FBT001 - a table's columns
    """A cluster is idle when nothing runs on it and it is not down."""
    cluster = parse_cluster({"id": "c", "status": status, "actions": actions})
    assert (cluster.is_idle, cluster.is_unavailable) == (is_idle, is_unavailable)


def test_why_a_cluster_is_down_is_read() -> None:
    """The reason for an unavailable cluster is kept as one text; an absent flag stays unknown."""
    cluster = parse_cluster({"id": "c", "status": "303", "failedReason": {"errorCode": "CSS.6000", "errorMsg": "no"}})
    assert cluster.failed_reason == "CSS.6000 no"
    assert cluster.is_snapshot_function_on is None
