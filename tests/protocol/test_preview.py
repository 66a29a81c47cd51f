"""The names that a restore brings: as Java makes them, and refused where they would do harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.preview import Renamed, Renaming, preview_names, select_indices

VECTORS = Path(__file__).parents[1] / "vectors" / "renaming" / "java_replace_all.json"
LISTED = ("customers", "orders-2026.01", "orders-2026.02", "tmp-1")


def _rows() -> list[list[Any]]:
    rows: list[list[Any]] = json.loads(VECTORS.read_text())["rows"]
    return rows


def test_names_are_what_java_makes_of_them() -> None:
    """Each recorded call of Java's own ``replaceAll`` gives the same name here, or is refused in both."""
    wrong = []
    for pattern, replacement, name, expected in _rows():
        try:
            found: str | None = Renaming(pattern, replacement).apply(name)
        except CssUsageError:
            found = None
        if found != expected:
            wrong.append((pattern, replacement, name, expected, found))
    assert wrong == []
    assert len(_rows()) == 260


def test_a_star_matches_twice() -> None:
    """``(.*)`` also matches the empty end of a name: the preview shows what would come of it."""
    assert Renaming("(.*)", "restored_$1").apply("orders") == "restored_ordersrestored_"
    assert Renaming("(.+)", "restored_$1").apply("orders") == "restored_orders"


@pytest.mark.parametrize(
    ("pattern", "replacement", "rule"),
    [
        ("(", "x", "no regular expression"),
        ("(.+)", "x$", "no number of a group"),
        ("(.+)", "$2", "has 1 groups"),
        ("[a-z&&[^b]]", "x", "set within a set"),
        (".+", "all", "to several indices"),
        ("(.+)", "Restored_$1", "small letters"),
        ("(.+)", "_$1", "small letters"),
        (".+", "", "small letters"),
    ],
)
def test_a_renaming_that_would_do_harm_is_refused(pattern: str, replacement: str, rule: str) -> None:
    """What Java refuses, what loses an index and what makes an illegal name is refused with the rule."""
    with pytest.raises(CssUsageError, match=rule):
        preview_names(LISTED, None, Renaming(pattern, replacement))


def test_a_mistake_is_found_even_where_no_name_is_known() -> None:
    """A bad pattern is refused also when the snapshot lists only an asterisk."""
    with pytest.raises(CssUsageError):
        preview_names(("*",), None, Renaming("(", "x"))


@pytest.mark.parametrize("listed", [(), ("*",), ("orders-*", "customers")], ids=str)
def test_a_snapshot_without_names_has_no_preview(listed: tuple[str, ...]) -> None:
    """Where the list holds patterns, nothing is invented."""
    assert preview_names(listed, "orders-2026.01", Renaming("(.+)", "r_$1")) is None


def test_the_preview_pairs_old_and_new_names() -> None:
    """Each taken index stands with its new name, in the order of the snapshot's list."""
    assert preview_names(LISTED, "orders-*", Renaming("orders", "old")) == (
        Renamed("orders-2026.01", "old-2026.01"),
        Renamed("orders-2026.02", "old-2026.02"),
    )
    assert preview_names(LISTED, None, None) == tuple(Renamed(name, name) for name in LISTED)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (None, LISTED),
        ("*", LISTED),
        ("_all", LISTED),
        ("*,-tmp-*", LISTED[:3]),
        ("customers", LISTED[:1]),
        ("orders-*,customers", (*LISTED[1:3], LISTED[0])),
    ],
)
def test_a_list_takes_what_the_engine_would_take(wanted: str | None, taken: tuple[str, ...]) -> None:
    """Names, patterns and exclusions work from left to right."""
    assert select_indices(LISTED, wanted) == taken


@pytest.mark.parametrize("wanted", ["missing", "orders-*,missing", "-customers", "*,-*"])
def test_a_list_that_takes_nothing_is_refused(wanted: str) -> None:
    """CSS skips what it does not find in silence; here it is an error before anything is sent."""
    with pytest.raises(CssUsageError):
        select_indices(LISTED, wanted)


@given(
    st.lists(st.from_regex(r"[a-z][a-z0-9.-]{0,12}", fullmatch=True), min_size=1, max_size=6, unique=True),
    st.sampled_from(["(.+)", "([a-z]+)", "^(.)", "-", "[0-9]", "a++", "(.)(.*)", "(a)?b", "."]),
    st.sampled_from(["r_$1", "$0x", "copy", "$2$1", "", "$", "x-$1-y", "X$0"]),
)
def test_a_preview_never_hides_harm(names: list[str], pattern: str, replacement: str) -> None:
    """Whatever is renamed how: as many legal, different names come out as went in, or it is refused."""
    try:
        found = preview_names(names, None, Renaming(pattern, replacement))
    except CssUsageError:
        return
    assert found is not None
    targets = [renamed.target for renamed in found]
    assert [renamed.source for renamed in found] == names
    assert len(set(targets)) == len(names)
    assert all(target and target == target.lower() and target[0] not in "-_+." for target in targets)
