"""The rules for what a user may call things, and the names that are made from runs."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from airflow_css.protocol import names
from airflow_css.protocol.errors import CssUsageError

# As the API page prints it, not as the package does.
LEGAL = re.compile(r"^[a-z][a-z0-9_-]{3,63}\Z")

any_text = st.text(st.characters(), max_size=150)
legal_names = st.from_regex(LEGAL)
MOMENT = datetime(2026, 11, 23, tzinfo=UTC)


def _tried(check: Callable[[str], str], text: str) -> str | CssUsageError:
    try:
        return check(text)
    except CssUsageError as refused:
        return refused


def _refusal(check: Callable[..., Any], *args: Any, **kwargs: Any) -> CssUsageError:
    with pytest.raises(CssUsageError) as caught:
        check(*args, **kwargs)
    return caught.value


@given(any_text)
@example("")
@example("a" * 70 + "\ud800")
@example("\u0130stanbul")
def test_a_folded_name_is_legal_or_refused(text: str) -> None:
    """Whatever a template renders to, folding gives a name that CSS takes, or says why not."""
    folded = _tried(names.fold_name, text)
    if isinstance(folded, CssUsageError):
        assert len(re.sub("[^a-z0-9_]", "", text.lower())) < 4
        assert LEGAL.match(folded.legal)
    else:
        assert LEGAL.match(folded)
        assert names.fold_name(folded) == folded


@given(legal_names)
@example("abc-")
@example("orders-")
@example("a" * 64)
def test_a_legal_name_is_left_as_it_is(name: str) -> None:
    """Neither folding nor checking changes a name that CSS takes."""
    assert names.fold_name(name) == names.check_name(name) == name


@given(any_text)
def test_only_a_legal_name_passes_the_check(text: str) -> None:
    """Hook and client take exactly what the pattern of CSS takes, and propose a name that they would take."""
    if LEGAL.match(text):
        assert names.check_name(text) == text
    else:
        assert LEGAL.match(names.check_name(_refusal(names.check_name, text).legal))


FOLDED = {
    "Orders ETL": "orders-etl",
    "scheduled__2026-11-23T00:00:00+00:00": "scheduled__2026-11-23t00-00-00-00-00",
    "2026-11-23": "s-2026-11-23",
    "_tmp": "s-_tmp",
    "--orders--": "orders",
    "a..b//c": "a-b-c",
    "bestände": "best-nde",
    "20261123T000000": "s-20261123t000000",
}


@pytest.mark.parametrize("text", FOLDED)
def test_folding_stays_near_what_was_given(text: str) -> None:
    """A reader recognises the folded name."""
    assert names.fold_name(text) == FOLDED[text]


@pytest.mark.parametrize("text", ["", "-", "abc", "日本語", "...", "!a!", "-ab-"])
def test_too_little_is_refused(text: str) -> None:
    """What folds to fewer than four characters is refused, with a legal example."""
    refused = _refusal(names.fold_name, text)
    assert repr(text) in str(refused)
    assert names.fold_name(refused.legal) == refused.legal


@given(st.text(st.characters(codec="ascii"), min_size=65), st.text(st.characters(codec="ascii"), min_size=65))
@example("a" * 100 + "1", "a" * 100 + "2")
@example("A" * 100, "a" * 100)
@example("a" * 64 + " ", "a" * 64 + "/b")
def test_two_long_texts_stay_two_names(one: str, other: str) -> None:
    """A cut name ends in a fingerprint of the whole text, so that two long texts never share a name."""
    assume(one != other)
    folded = [_tried(names.fold_name, text) for text in (one, other)]
    # A text of illegal characters mostly is long but not cut: then folding decides.
    if all(isinstance(name, str) and len(name) == 64 for name in folded):
        assert folded[0] != folded[1]


@given(legal_names, st.integers(0, 12))
@example("a" * 64, 12)
@example("abc-", 2)
def test_a_sibling_has_a_free_legal_name(name: str, siblings: int) -> None:
    """However many there are, the next sibling's name is legal and free."""
    taken = [name]
    for _ in range(siblings + 1):
        sibling = names.sibling_name(name, taken)
        assert LEGAL.match(sibling)
        assert sibling not in taken
        taken.append(sibling)


def test_siblings_count_from_two_and_fill_gaps() -> None:
    """The second snapshot of a run is number two, and a deleted one's number is used again."""
    assert names.sibling_name("orders", ["orders"]) == "orders-2"
    assert names.sibling_name("orders", ["orders", "orders-2", "orders-4"]) == "orders-3"


ALPHABETS = ("abcz", "ABC", "0123", "_.-", "äöüß漢字🎉", "abc_.-09")


def _random_runs(count: int) -> list[tuple[str, datetime, tuple[object, ...]]]:
    chance = random.Random(20261123)  # noqa: S311 - the same runs each time
    found: list[tuple[str, datetime, tuple[object, ...]]] = []
    for number in range(count):
        length = chance.choice((1, 2, 7, 33, 34, 35, 60, 250))
        dag_id = "".join(chance.choices(chance.choice(ALPHABETS), k=length))
        zone = timezone(timedelta(minutes=chance.randrange(-12 * 60, 14 * 60)))
        moment = datetime(chance.randrange(1970, 2100), 1 + number % 12, 1 + number % 28, number % 24, tzinfo=zone)
        deployment, run_id = chance.choice(("", "prod", "dev")), f"manual__{moment.isoformat()}"
        found.append((dag_id, moment, (deployment, dag_id, f"task_{number % 50}", number % 300 - 1, run_id)))
    return found


def test_ten_thousand_derived_names_are_legal_and_repeat() -> None:
    """The default name of any run is legal, leaves room for a sibling, and is the same on every try."""
    for dag_id, moment, identity in _random_runs(10_000):
        name = names.derive_name(dag_id, moment, *identity)
        assert LEGAL.match(name), (dag_id, name)
        assert names.fold_name(name) == name
        assert names.derive_name(dag_id, moment, *identity) == name
        assert names.sibling_name(name, [name]) == f"{name}-2"


def test_derived_names_of_different_instances_differ() -> None:
    """Over every run, task, map index and deployment of one DAG and moment, no name comes twice."""
    made = {
        names.derive_name("nightly", MOMENT, deployment, "nightly", task, index, run)
        for deployment in ("", "dev", "prod")
        for task in ("a", "b", "group.a")
        for index in range(-1, 250)
        for run in ("scheduled__2026-11-23", "manual__2026-11-23")
    }
    assert len(made) == 3 * 3 * 251 * 2


@given(any_text, st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - zones follow
@example("", MOMENT)
@example("..........", MOMENT)
@example("é" * 250, MOMENT)
@example("-" * 250 + "a", MOMENT)
def test_a_derived_name_is_legal_for_any_dag_id(dag_id: str, moment: datetime) -> None:
    """No DAG id and no time zone leads to a name that CSS refuses."""
    assume(datetime(1000, 1, 3, tzinfo=UTC) < moment < datetime(9999, 12, 29, tzinfo=UTC))
    assert LEGAL.match(names.derive_name(dag_id, moment, dag_id))


def test_a_derived_name_can_be_read() -> None:
    """The name shows the DAG and the moment in UTC."""
    moment = datetime(2026, 11, 23, 8, tzinfo=timezone(timedelta(hours=8)))
    assert re.fullmatch(r"orders-etl-20261123t000000z-[0-9a-f]{8}", names.derive_name("Orders.ETL", moment, "x"))


ids = st.text(st.sampled_from("0123456789abcdefABCDEF-gG_ /\n"), max_size=40)


@given(ids | st.uuids().map(str))
@example("")
@example("4f3deec3-efa8-4598-bf91-560aad1377a3\n")
def test_only_an_id_passes_for_an_id(text: str) -> None:
    """A cluster or snapshot id has the form of a UUID; anything else is refused with one that passes."""
    is_legal = re.match(r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z", text) is not None
    for check in (names.check_cluster_id, names.check_snapshot_id):
        if is_legal:
            assert check(text) == text
        else:
            legal = _refusal(check, text).legal
            assert check(legal) == legal


@pytest.mark.parametrize("text", ["", "short", "A" * 32, "6204a5bd270343b5885144cf9c8c158d\n", "-" * 32])
def test_only_a_project_id_passes_for_one(text: str) -> None:
    """A project id has 32 lower-case letters and digits; the example in the message passes."""
    legal = _refusal(names.check_project_id, text).legal
    assert names.check_project_id(legal) == legal


def test_a_name_in_place_of_a_cluster_id_is_explained() -> None:
    """Whoever gives the cluster's name as its id is told where the name goes."""
    assert "cluster_name" in str(_refusal(names.check_cluster_id, "search-prod"))


@given(any_text)
def test_a_folded_prefix_begins_the_names_that_begin_so(text: str) -> None:
    """What is looked for is what names made of such texts begin with, and is left alone when it is legal."""
    folded = _tried(names.fold_prefix, text)
    if isinstance(folded, CssUsageError):
        assert names.fold_prefix(str(folded.legal)) == folded.legal
        return
    assert names.fold_prefix(folded) == folded
    name = names.fold_name(f"{text}x1234")
    assert name.startswith(folded.rstrip("-")[:55])


@pytest.mark.parametrize(
    ("given_text", "folded"),
    [("orders-", "orders-"), ("Orders ", "orders-"), ("--orders", "orders"), ("o", "o"), ("orders_etl", "orders_etl")],
)
def test_a_prefix_keeps_its_end(given_text: str, folded: str) -> None:
    """Neither made longer nor cut: only its characters become legal."""
    assert names.fold_prefix(given_text) == folded


@pytest.mark.parametrize("text", ["", "-", "2026-", "_x", "x" * 65])
def test_a_prefix_of_no_name_is_refused(text: str) -> None:
    """Nothing would ever begin so."""
    assert names.fold_prefix(str(_refusal(names.fold_prefix, text).legal))


@pytest.mark.parametrize("check", [names.check_cluster_id, names.check_snapshot_id])
def test_an_id_in_capitals_is_refused(check: Callable[[str], str]) -> None:
    """It would match nothing in a list, and so hold or find nothing; the small one is suggested."""
    small = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
    with pytest.raises(CssUsageError, match="in small letters") as caught:
        check(small.upper())
    assert caught.value.legal == check(small)
