"""Events: errors arrive as the same class, success is a word, and nothing else passes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol import errors
from airflow_css.protocol.errors import (
    CssApiError,
    CssConfigError,
    CssError,
    CssReplyError,
    CssSnapshotError,
    CssTransportError,
    CssUsageError,
    CssWaitTimeoutError,
    ErrorReply,
)
from airflow_css.protocol.events import (
    ENDED,
    FAILED,
    IDLE,
    read_error,
    read_event,
    read_snapshot,
    write_error,
)
from airflow_css.protocol.models import Snapshot, SnapshotStatus

SNAPSHOT = Snapshot(
    "id-1",
    "orders",
    SnapshotStatus.PART_FAILED,
    "PART_FAILED",
    indices=("orders", "customers"),
    total_shards=8,
    failed_shards=1,
    bucket="css-backups",
    started_at=datetime(2026, 11, 23, tzinfo=UTC),
    ended_at=datetime(2026, 11, 23, 0, 5, tzinfo=UTC),
)
TREE = [
    kind for name in errors.__all__ if isinstance(kind := getattr(errors, name), type) and issubclass(kind, CssError)
]
KEYS = st.sampled_from(
    [
        "kind",
        "message",
        "curable",
        "reply",
        "remedy",
        "snapshot",
        "what",
        "rule",
        "status",
        "code",
        "request_id",
        "retry_after",
        "id",
        "name",
        "indices",
        "total_shards",
        "started_at",
        "outcome",
        "error",
    ]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)


def _moments() -> st.SearchStrategy[datetime]:
    return st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@st.composite
def _snapshots(draw: st.DrawFn) -> Snapshot:
    status = draw(st.sampled_from(SnapshotStatus))
    began = draw(st.none() | _moments())
    return replace(
        SNAPSHOT,
        name=draw(st.text(min_size=1)),
        status=status,
        status_word="FREEZING" if status is SnapshotStatus.UNKNOWN else status.value,
        indices=tuple(draw(st.lists(st.text(), max_size=3))),
        total_shards=draw(st.none() | st.integers(0)),
        failed_shards=draw(st.none() | st.integers(0)),
        started_at=began,
        ended_at=began + timedelta(seconds=draw(st.integers(0, 10**6))) if began else None,
    )


@st.composite
def _errors(draw: st.DrawFn, kind: type[CssError]) -> CssError:
    text = draw(st.text(max_size=40))
    reply = ErrorReply(
        draw(st.integers(0, 599)),
        draw(st.text(max_size=9)),
        text,
        draw(st.text(max_size=9)),
        "x",
        draw(st.none() | st.floats(0, 9)),
    )
    if issubclass(kind, CssUsageError):
        return kind(text, draw(st.none() | st.integers() | st.text()), draw(st.text()), draw(st.text() | st.integers()))
    if issubclass(kind, CssTransportError):
        return kind(text, request_may_have_arrived=draw(st.booleans()))
    if issubclass(kind, CssApiError):
        return kind(reply, draw(st.text()), curable=draw(st.booleans()))
    if issubclass(kind, CssReplyError):
        return kind(text, draw(st.none() | st.just(reply)))
    if issubclass(kind, CssSnapshotError):
        return kind(text, draw(st.none() | _snapshots()), curable=draw(st.booleans()))
    return kind(text)


def test_the_tree_is_the_whole_tree() -> None:
    """Every class of the tree is travelled with below."""
    assert len(TREE) == 18


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
@given(st.data())
def test_an_error_arrives_as_it_left(kind: type[CssError], data: st.DataObject) -> None:
    """Through JSON and back an error keeps its class, its text, its facts, and whether a retry may cure it."""
    error = data.draw(_errors(kind))
    arrived = read_error(json.loads(json.dumps(write_error(error))))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert arrived.curable == error.curable
    assert arrived.args == error.args
    assert {**arrived.__dict__, "curable": error.curable} == {**error.__dict__, "curable": error.curable}


def test_what_was_seen_last_arrives() -> None:
    """A wait that took too long brings along what its last look showed; an older trigger's brings nothing."""
    error = CssWaitTimeoutError("too late")
    error.last_seen = "still listed: orders-2"
    facts = json.loads(json.dumps(write_error(error)))
    for last_seen, sent in (("still listed: orders-2", facts), ("", {**facts, "last_seen": None})):
        arrived = read_error(sent)
        assert isinstance(arrived, CssWaitTimeoutError)
        assert arrived.last_seen == last_seen


@given(_snapshots())
def test_a_snapshot_arrives_as_it_left(snapshot: Snapshot) -> None:
    """Through JSON and back a snapshot keeps all that an XCom tells of it."""
    arrived = read_snapshot(json.loads(json.dumps(snapshot.as_json())))
    assert arrived.as_json() == snapshot.as_json()
    assert arrived.status is snapshot.status


def test_an_error_of_a_later_version_is_an_error_still() -> None:
    """A class that this version does not know arrives as a reply error with its words, and as curable as it left."""
    for kind in ("CssFutureError", "ErrorReply", "Any", "annotations", "", None):
        arrived = read_error({"kind": kind, "message": "said later", "curable": True})
        assert type(arrived) is CssReplyError
        assert "said later" in str(arrived)
        assert arrived.curable
    assert not read_error({"kind": "CssFutureError", "message": "said later", "curable": False}).curable


def test_success_is_the_word() -> None:
    """Only the expected word is success: the other wait's word is none."""
    assert read_event({"outcome": ENDED, "snapshot": {}}, good=ENDED) == {"outcome": ENDED, "snapshot": {}}
    for event in ({"outcome": IDLE}, {"outcome": "success"}, {"outcome": None}, {"outcome": ["ended"]}):
        with pytest.raises(CssReplyError, match="cannot be read"):
            read_event(event, good=ENDED)


def test_a_failure_is_raised() -> None:
    """An event that brings an error raises it."""
    with pytest.raises(CssConfigError, match="no such thing"):
        read_event({"outcome": FAILED, "error": write_error(CssConfigError("no such thing"))}, good=ENDED)


@pytest.mark.parametrize(
    "event",
    [None, "", "success", 5, [], {}, {"status": "success"}, {"outcome": FAILED}, {"outcome": FAILED, "error": "x"}],
)
def test_what_is_no_event_is_refused_with_a_way_out(event: Any) -> None:
    """Nothing, garbage and another version's event raise a curable error that says what to do."""
    with pytest.raises(CssReplyError, match="restart the triggerer; the retry finds the snapshot") as caught:
        read_event(event, good=ENDED)
    assert caught.value.curable


@given(st.dictionaries(KEYS, PLAIN | st.sampled_from([kind.__name__ for kind in TREE]), max_size=8))
def test_no_garbage_breaks_the_reading(facts: dict[str, Any]) -> None:
    """Whatever the facts are, reading them gives or raises an error of ours."""
    for read in (lambda: read_event({"outcome": FAILED, "error": facts}, good=ENDED), lambda: read_snapshot(facts)):
        try:
            read()
        except CssError as error:
            # Either way is right, but nothing else is; and the text must not break either.
            str(error)
