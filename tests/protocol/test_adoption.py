"""Exactly once: what is adopted, what is made, and under which name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_css.protocol.adoption import (
    ON_EXISTING,
    Adopt,
    Create,
    OnExisting,
    SnapshotOrder,
    check_on_existing,
    decide,
)
from airflow_css.protocol.description import describe
from airflow_css.protocol.errors import CssConflictError, CssUsageError
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.names import check_name
from airflow_css.protocol.provenance import Mark, RunIdentity, has_unknown_mark, make_mark
from airflow_css.protocol.waiting import Expectations, Verdict, judge_created

NAME, CLUSTER = "orders-20261123", "4f3deec3-efa8-4598-bf91-560aad1377a3"
RUN = RunIdentity("prod", "orders", "backup", "run-1", life=1)
MARK = make_mark(RUN, "orders-*")
S = SnapshotStatus


def _described(run: RunIdentity, indices: str = "orders-*", text: str | None = None) -> str:
    return describe(text, run, make_mark(run, indices))


THIS_LIFE, EARLIER = _described(RUN), _described(replace(RUN, life=0))
# Every kind of maker that a list can show.
MAKERS = {
    "this life": THIS_LIFE,
    "this life, words before": _described(RUN, text="nightly"),
    "this life, held": describe(None, RUN, make_mark(RUN, "orders-*", hold=True)),
    "this life, other request": _described(RUN, indices="stock-*"),
    "earlier life": EARLIER,
    "later life": _described(replace(RUN, life=2)),
    "another run": _described(replace(RUN, run_id="run-2")),
    "another task": _described(replace(RUN, task_id="other")),
    "another map index": _described(replace(RUN, map_index=0)),
    "another dag": _described(replace(RUN, dag_id="stock")),
    "another deployment": _described(replace(RUN, deployment="dev")),
    "a later version": "nightly [af2 a1b2c3 11111111 0]",
    "a stranger": "by hand",
    "a stranger without a word": "",
}
NAMES = [NAME, f"{NAME}-2", f"{NAME}-3", f"{NAME}-4", "somebody-else", "nightly-1", "nightly-2"]


@st.composite
def lists(draw: st.DrawFn, makers: Sequence[str] = tuple(MAKERS.values())) -> list[Snapshot]:
    """Draw the list of a cluster: unique names and ids, any status, maker and moment, in any order."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
    start = st.none() | st.integers(0, 10).map(lambda hours: datetime(2026, 11, 23, hours, tzinfo=UTC))
    return [
        Snapshot(
            f"id-{number}",
            name,
            status := draw(st.sampled_from(list(S))),
            status.value,
            draw(st.sampled_from(list(makers))),
            draw(st.sampled_from([(), ("orders-1",), ("stock-1",)])),
            draw(st.sampled_from([None, 0, 6])),
            draw(st.sampled_from([None, 0, 1])),
            started_at=draw(start),
        )
        for number, name in enumerate(names)
    ]


expectations = st.builds(Expectations, st.just("orders-*"), st.booleans(), st.booleans())
orders = st.builds(
    SnapshotOrder,
    st.just(CLUSTER),
    st.just(NAME),
    st.just(THIS_LIFE),
    st.just(MARK),
    expectations,
    st.sampled_from(ON_EXISTING),
)
unmarked = st.builds(SnapshotOrder, st.just(CLUSTER), st.just(NAME), expected=expectations)


def _after_a_deleted_run(order: SnapshotOrder, listed: Sequence[Snapshot], *, recreated: bool) -> SnapshotOrder:
    """Return the order, which knows what a deleted run left behind."""
    return replace(order, left_behind=tuple(snapshot.id for snapshot in listed)) if recreated else order


def _decided(order: SnapshotOrder, listed: Sequence[Snapshot], *, recreated: bool = False) -> Adopt | Create:
    """Return the decision; a refusal ends the example."""
    try:
        return decide(_after_a_deleted_run(order, listed, recreated=recreated), listed)
    except CssConflictError as refused:
        assert str(refused).endswith(".")  # noqa: PT017 - a refusal is one of the three legal answers
        assume(condition=False)
        raise


@given(orders, lists(), st.booleans())
def test_only_its_own_snapshot_is_adopted(order: SnapshotOrder, listed: list[Snapshot], recreated: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """What a task instance adopts carries its mark, is for the same request, and was not judged bad."""
    decision = _decided(order, listed, recreated=recreated)
    if isinstance(decision, Adopt):
        mark = decision.snapshot.mark
        assert mark is not None
        assert mark.is_same_instance(MARK)
        assert mark.request == MARK.request
        assert not has_unknown_mark(decision.snapshot.description)
        assert judge_created(decision.snapshot, order.expected).verdict is not Verdict.FAILED
        assert decision.snapshot in listed


@given(orders | unmarked, lists(), st.booleans())
def test_a_new_one_gets_a_free_legal_name(order: SnapshotOrder, listed: list[Snapshot], recreated: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """What is to be made has a name that CSS takes and that nobody has."""
    decision = _decided(order, listed, recreated=recreated)
    if isinstance(decision, Create):
        assert decision.name not in {s.name for s in listed}
        assert check_name(decision.name).startswith(NAME)
        assert all(reason and snapshot in listed for snapshot, reason in decision.passed_over)


@given(orders, lists(), st.booleans(), st.booleans())
def test_what_was_made_is_found_again(
    order: SnapshotOrder,
    listed: list[Snapshot],
    recreated: bool,  # noqa: FBT001 - drawn by hypothesis
    first: bool,  # noqa: FBT001 - as above
) -> None:
    """After an accident behind a creation, the next look adopts what was made, and nothing is made twice."""
    decision = _decided(order, listed, recreated=recreated)
    order = _after_a_deleted_run(order, listed, recreated=recreated)
    if isinstance(decision, Create):
        made = Snapshot("made", decision.name, S.BUILDING, "BUILDING", order.description or "")
        again = decide(order, [made, *listed] if first else [*listed, made])
        assert again == Adopt(made)
    else:
        assert decide(order, listed[::-1]).__class__ is Adopt


def test_an_unmarked_order_takes_only_its_name() -> None:
    """Outside a run the name alone identifies a snapshot, and another's mark protects it."""
    order = SnapshotOrder(CLUSTER, NAME)
    mine = Snapshot("id", NAME, S.COMPLETED, "COMPLETED", "by hand")
    assert decide(order, [mine]) == Adopt(mine)
    assert decide(order, [replace(mine, name="other-name")]) == Create(NAME)
    for maker in ("this life", "another deployment", "a later version"):
        with pytest.raises(CssConflictError):
            decide(order, [replace(mine, description=MAKERS[maker])])


@given(unmarked, lists())
def test_an_unmarked_order_never_takes_a_tasks_snapshot(order: SnapshotOrder, listed: list[Snapshot]) -> None:
    """A script adopts only what has its name and nobody's mark."""
    decision = _decided(order, listed)
    if isinstance(decision, Adopt):
        assert decision.snapshot.mark is None
        assert not has_unknown_mark(decision.snapshot.description)


def test_an_unmarked_order_makes_no_second_snapshot() -> None:
    """Without a mark a bad snapshot of that name is a conflict: nothing could tell a second one from a stranger's."""
    order = SnapshotOrder(CLUSTER, NAME)
    bad = Snapshot("bad", NAME, S.FAILED, "FAILED")
    with pytest.raises(CssConflictError, match="no backup"):
        decide(order, [bad])


@given(orders, lists())
def test_a_running_one_of_this_life_comes_first(order: SnapshotOrder, listed: list[Snapshot]) -> None:
    """Of several acceptable ones of this life a running one is taken, else the newest."""
    mine = [
        s
        for s in listed
        if s.mark is not None
        and replace(s.mark, hold=False, life=MARK.life if s.status is S.BUILDING else s.mark.life) == MARK
        and judge_created(s, order.expected).verdict is not Verdict.FAILED
    ]
    assume(mine)
    decision = decide(order, listed)
    assert isinstance(decision, Adopt)
    assert not decision.is_earlier_life
    assert decision.snapshot in mine
    running = [s for s in mine if s.status is S.BUILDING]
    assert not running or decision.snapshot in running
    newest = max((s.began_at for s in running or mine if s.began_at), default=None)
    assert decision.snapshot.began_at == newest


@given(orders, lists(makers=(THIS_LIFE, MAKERS["a stranger"], MAKERS["another run"])))
def test_without_an_earlier_life_the_wish_for_it_changes_nothing(order: SnapshotOrder, listed: list[Snapshot]) -> None:
    """``on_existing`` speaks of earlier lives only: retries always use their own."""

    def answer(wish: OnExisting) -> Adopt | Create | str:
        try:
            return decide(replace(order, on_existing=wish), listed)
        except CssConflictError as refused:
            return str(refused)

    assert answer("adopt") == answer("new") == answer("fail")


def _listed(status: SnapshotStatus, description: str, name: str = NAME) -> Snapshot:
    return Snapshot(f"id-{name}", name, status, status.value, description, ("orders-1",), 6, 0)


ORDER = SnapshotOrder(CLUSTER, NAME, THIS_LIFE, MARK, Expectations("orders-*"))


@pytest.mark.parametrize("wish", ["adopt", "new", "fail"])
def test_a_running_one_is_taken_in_whatever_life_it_began(wish: OnExisting) -> None:
    """A task that was cleared while its snapshot was being made goes on with it, whatever ``on_existing`` says."""
    running = _listed(S.BUILDING, EARLIER)
    assert decide(replace(ORDER, on_existing=wish), [running]) == Adopt(running)


@pytest.mark.parametrize("status", [S.COMPLETED, S.UNKNOWN])
def test_an_acceptable_one_of_an_earlier_life_is_treated_as_wished(status: SnapshotStatus) -> None:
    """``adopt`` uses it and says so, ``new`` makes a sibling once, ``fail`` refuses and says what to set."""
    old = _listed(status, EARLIER)
    assert decide(ORDER, [old]) == Adopt(old, is_earlier_life=True)
    made = decide(replace(ORDER, on_existing="new"), [old])
    assert isinstance(made, Create)
    assert made.name == f"{NAME}-2"
    assert [snapshot for snapshot, _ in made.passed_over] == [old]
    new = _listed(S.BUILDING, THIS_LIFE, made.name)
    assert decide(replace(ORDER, on_existing="new"), [new, old]) == Adopt(new)
    with pytest.raises(CssConflictError, match=rf"{NAME}.*'adopt'.*'new'"):
        decide(replace(ORDER, on_existing="fail"), [old])


@pytest.mark.parametrize("status", [S.FAILED, S.PART_FAILED])
@pytest.mark.parametrize("description", [THIS_LIFE, EARLIER])
def test_a_bad_one_is_passed_over_with_its_reason(status: SnapshotStatus, description: str) -> None:
    """A bad snapshot of this or an earlier life is left alone, told of, and followed by a sibling."""
    decision = decide(ORDER, [bad := _listed(status, description)])
    assert isinstance(decision, Create)
    assert decision.name == f"{NAME}-2"
    assert [snapshot for snapshot, _ in decision.passed_over] == [bad]
    assert status.value in decision.passed_over[0][1]


def test_one_for_another_index_list_is_passed_over() -> None:
    """The same task with another index list needs another snapshot, even while the first is being made."""
    decision = decide(ORDER, [_listed(S.BUILDING, MAKERS["this life, other request"])])
    assert isinstance(decision, Create)
    assert "index list" in decision.passed_over[0][1]


def test_the_mark_goes_before_the_name() -> None:
    """A template that renders differently on each try still finds what this task made."""
    mine = _listed(S.BUILDING, THIS_LIFE, "another-name")
    assert decide(ORDER, [_listed(S.COMPLETED, "", "orders-other"), mine]) == Adopt(mine)


def _leaving(order: SnapshotOrder, snapshot: Snapshot) -> SnapshotOrder:
    return replace(order, left_behind=(snapshot.id,))


def test_a_recreated_run_does_not_take_the_deleted_ones_end() -> None:
    """When the very first creation is refused, what ended is of a deleted run; what still runs is this one's."""
    ended, running = _listed(S.COMPLETED, THIS_LIFE), _listed(S.BUILDING, THIS_LIFE)
    assert decide(_leaving(ORDER, ended), [ended]) == Adopt(ended, is_earlier_life=True)
    assert decide(_leaving(ORDER, running), [running]) == Adopt(running)
    with pytest.raises(CssConflictError):
        decide(_leaving(replace(ORDER, on_existing="fail"), ended), [ended])


def test_a_recreated_run_takes_what_it_made_itself_although_it_has_ended() -> None:
    """What was not there at the refusal is this run's own: nothing is made a third time."""
    left = _listed(S.COMPLETED, THIS_LIFE)
    own = replace(_listed(S.COMPLETED, THIS_LIFE, f"{NAME}-2"), id="own")
    assert decide(_leaving(replace(ORDER, on_existing="new"), left), [left, own]) == Adopt(own)


OTHERS: dict[str, str] = {
    "another run": "this task in another run",
    "another task": "another task instance",
    "another deployment": "another Airflow deployment",
    "a later version": "a newer version",
    "a stranger": "somebody else",
    "a stranger without a word": "somebody else",
}


@pytest.mark.parametrize("maker", OTHERS)
@pytest.mark.parametrize("name", [NAME, "abc-", "a" * 64, "abcd"])
def test_anothers_name_is_refused_with_its_maker_and_a_way_out(maker: str, name: str) -> None:
    """The message says whose the name is, and shows a template that differs from run to run."""
    taken = _listed(S.COMPLETED, MAKERS[maker], name)
    with pytest.raises(CssConflictError) as caught:
        decide(replace(ORDER, name=name), [taken])
    text = str(caught.value)
    assert OTHERS[maker] in text
    assert taken.id in text
    template = re.findall(r"'([^']*\{\{ run_id \}\}[^']*)'", text)[0]
    assert template.startswith(name[:20].rstrip("-_"))
    assert "{{ ti.map_index }}" in template


def _by_moment(*hours: int | None) -> list[Snapshot]:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    return [
        replace(
            _listed(S.COMPLETED, THIS_LIFE, f"orders-{number}"),
            started_at=None if hour is None else start + timedelta(hours=hour),
        )
        for number, hour in enumerate(hours)
    ]


@pytest.mark.parametrize("order", [lambda found: found, lambda found: found[::-1]], ids=["as listed", "reversed"])
def test_the_newest_of_several_good_ones_is_taken(order: Callable[[list[Snapshot]], list[Snapshot]]) -> None:
    """CSS promises no order, so the moment decides."""
    decision = decide(ORDER, order(_by_moment(3, 7, None, 5)))
    assert isinstance(decision, Adopt)
    assert decision.snapshot.name == "orders-1"


@pytest.mark.parametrize("word", ["Adopt", "", "ADOPT", "delete", "adopt "])
def test_another_wish_is_refused_with_a_legal_one(word: str) -> None:
    """Only the three words are understood."""
    with pytest.raises(CssUsageError) as caught:
        check_on_existing(word)
    assert check_on_existing(caught.value.legal) == "adopt"


def test_a_mark_must_be_whole_to_be_its_own() -> None:
    """Each of deployment, DAG, task and run counts; life, request and hold do not."""
    for field in ("deployment", "dag", "task", "run"):
        changed: dict[str, Any] = {field: "0" * len(getattr(MARK, field))}
        assert not MARK.is_same_instance(replace(MARK, **changed))
    assert MARK.is_same_instance(Mark(*MARK.instance, request="00000000", life=9, hold=True))
