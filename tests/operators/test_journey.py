"""What survives a deferral: all of it, as plain JSON, and nothing that is not understood."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.operators.journey import Journey
from airflow_css.operators.plan import CreationPlan
from airflow_css.protocol.adoption import SnapshotOrder
from airflow_css.protocol.description import describe
from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.provenance import RunIdentity, make_mark
from airflow_css.protocol.turns import Contradictions
from airflow_css.protocol.waiting import Expectations

TRIGGERS = (Path(__file__).parents[1] / "vectors" / "triggers").glob("*.json")
# What sensors and restores wait for carries no creation.
VECTORS = sorted(path for path in TRIGGERS if not path.stem.startswith(("condition_", "restore_")))
WORDS = st.text(st.characters(exclude_characters="!<>=&\"'\\", exclude_categories=["C", "Z"]), max_size=60).filter(
    str.isprintable
)
SECONDS = st.floats(0, 10**9)
GARBAGE = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@st.composite
def _journeys(draw: st.DrawFn) -> Journey:
    identity = RunIdentity(
        "prod", "orders_etl", "backup", draw(WORDS), draw(st.integers(-1, 99)), draw(st.integers(0, 9))
    )
    indices = draw(st.none() | st.just("orders-*,customers"))
    mark = make_mark(identity, indices, hold=draw(st.booleans()))
    order = SnapshotOrder(
        "4f3deec3-efa8-4598-bf91-560aad1377a3",
        "orders-1",
        describe(draw(st.none() | WORDS), identity, mark),
        mark,
        Expectations(indices, allow_partial=draw(st.booleans()), fail_if_empty=draw(st.booleans())),
        draw(st.sampled_from(["adopt", "fail", "new"])),
    )
    plan = CreationPlan(
        order,
        str(identity),
        look_first=draw(st.booleans()),
        poll_interval=draw(st.none() | SECONDS),
        timeout=draw(SECONDS),
        turn_timeout=draw(SECONDS),
        css_conn_id="css_default",
        waits=draw(st.booleans()),
    )
    begun = Journey(plan, draw(SECONDS), Contradictions(draw(st.integers(0, 11))))
    return draw(
        st.just(begun) | st.just(replace(begun, snapshot_id="id-1", snapshot_name="orders-1", made_at=draw(SECONDS)))
    )


@given(_journeys())
def test_a_journey_goes_on_as_it_was(journey: Journey) -> None:
    """Through JSON and back nothing is lost, the mark included."""
    assert Journey.from_json(json.loads(json.dumps(journey.as_json()))) == journey


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_journey_of_any_version_goes_on(path: Path) -> None:
    """What any version let a trigger carry is understood."""
    carried = json.loads(path.read_text())["kwargs"]["carry"]
    assert Journey.from_json(carried).plan.order.name == carried["plan"]["order"]["name"]


@pytest.mark.parametrize("facts", [None, "", 5, [], {}, {"plan": None}, {"plan": {}}, {"plan": {"order": []}}])
def test_what_is_no_journey_is_refused(facts: Any) -> None:
    """Anything else is a curable error that says what to do."""
    with pytest.raises(CssReplyError, match="restart the triggerer; the retry finds the snapshot") as caught:
        Journey.from_json(facts)
    assert caught.value.curable


def _places(facts: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(facts, dict):
        return [path]
    return [path, *(place for key, value in facts.items() for place in _places(value, (*path, key)))]


@given(_journeys(), st.data())
def test_a_journey_with_a_hole_is_refused_or_whole(journey: Journey, data: st.DataObject) -> None:
    """With any part missing or replaced, reading gives a journey of the right types, or an error of ours."""
    facts = journey.as_json()
    *parents, key = data.draw(st.sampled_from(_places(facts)[1:]))
    inside = facts
    for parent in parents:
        inside = inside[parent]
    if data.draw(st.booleans()):
        inside[key] = data.draw(GARBAGE)
    else:
        del inside[key]
    try:
        read = Journey.from_json(facts)
    except CssReplyError:
        return
    assert type(read.plan.timeout) is type(read.plan.turn_timeout) is type(read.asked_at) is float
    assert type(read.plan.order.name) is type(read.plan.order.cluster_id) is type(read.snapshot_id) is str
    assert read.plan.order.on_existing in {"adopt", "fail", "new"}
