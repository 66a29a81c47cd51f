"""Index lists and descriptions: what passes, what is refused, and that each suggestion passes itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.names import check_description, check_name, fold_name, join_indices

FORBIDDEN_IN_DESCRIPTION = "!<>=&\"'\\"
FORBIDDEN_IN_INDICES = '"\\<|>/?'

any_text = st.text(st.characters(), max_size=150)
good_items = st.text(st.sampled_from("abcxyz0189*-_.:[]"), min_size=1, max_size=12)


def _tried(check: Callable[[Any], str], value: Any) -> str | CssUsageError:
    try:
        return check(value)
    except CssUsageError as refused:
        return refused


@given(st.lists(good_items, min_size=1, max_size=20))
@example(["*", "-tmp-*"])
@example(["-tmp-*", "*"])
def test_index_lists_keep_their_order(items: list[str]) -> None:
    """A list and a text with commas and blanks come to the same, item for item: an exclusion counts from its place."""
    joined = join_indices(items)
    assert joined == ",".join(items)
    assert join_indices(" , ".join(items)) == joined
    assert join_indices(tuple(f"  {item}\n" for item in items)) == joined
    assert join_indices(joined) == joined


@given(st.lists(any_text, max_size=5) | any_text)
@example("\U0001d400")
@example(["A" * 2000])
@example("a,b" * 600)
@example(["*" * 600, "b" * 600])
def test_an_index_list_is_sendable_or_refused(indices: list[str] | str) -> None:
    """What passes keeps every rule of CSS; what does not is refused with a list that passes."""
    joined = _tried(join_indices, indices)
    if isinstance(joined, CssUsageError):
        assert join_indices(joined.legal) == joined.legal
        return
    assert 0 < len(joined) <= 1024
    assert not any(c in FORBIDDEN_IN_INDICES or c.isspace() or c.isupper() for c in joined)
    assert all(joined.split(","))


REFUSED_INDICES: dict[str, Any] = {
    "empty text": "",
    "empty list": [],
    "blank item": ["a", " "],
    "two commas": "a,,b",
    "comma at the end": "a,",
    "comma inside an item": ["a,b"],
    "upper case": "Orders",
    "blank inside": "or ders",
    "question mark": "orders-?",
    "line break inside": "or\nders",
    "slash": "a/b",
    "quote": 'a"b',
    "too long": ["orders-2026"] * 100,
    "None in a list": [None],
}


@pytest.mark.parametrize("case", REFUSED_INDICES)
def test_a_bad_index_list_is_refused_with_a_good_one(case: str) -> None:
    """The message shows the value, and its example passes the same check."""
    with pytest.raises(CssUsageError) as caught:
        join_indices(REFUSED_INDICES[case])
    assert repr(caught.value.value) in str(caught.value)
    assert join_indices(caught.value.legal) == caught.value.legal


def test_a_long_list_is_told_its_size_and_the_ways_out() -> None:
    """Over 1,024 characters, the message says how many characters and items, and offers two ways."""
    with pytest.raises(CssUsageError, match=r"1,029 characters in 86 items.*pattern.*several tasks"):
        join_indices(["orders-2026"] * 85 + ["orders-20"])


def test_the_longest_list_passes() -> None:
    """Exactly 1,024 characters are allowed."""
    assert len(join_indices(["a" * 511, "b" * 512])) == 1024


@given(st.text(st.characters(), max_size=300), st.sampled_from([200, 256]))
@example("<" * 201, 200)
@example(" " * 201, 200)
@example("a" * 199 + "!b", 200)
def test_a_description_is_sendable_or_refused(text: str, longest: int) -> None:
    """What passes is printable, short and free of forbidden characters; each suggestion passes too."""
    checked = _tried(partial(check_description, longest=longest), text)
    if isinstance(checked, CssUsageError):
        assert check_description(checked.legal, longest=longest) == checked.legal
        return
    assert checked == text
    assert len(text) <= longest
    assert text.isprintable()
    assert not set(text) & set(FORBIDDEN_IN_DESCRIPTION)


@pytest.mark.parametrize("character", [*FORBIDDEN_IN_DESCRIPTION, "\n", "\t", "\x00", "\u2028"])
def test_a_forbidden_character_is_shown_with_its_place(character: str) -> None:
    """The message names the character and the place, counted from one."""
    with pytest.raises(CssUsageError) as caught:
        check_description(f"before{character}after")
    assert f"{character!r} at position 7" in str(caught.value)
    assert caught.value.legal == "before_after"


@pytest.mark.parametrize("text", ["", "x" * 200, "größer, 日本 (ok) / 5 %; a:b", "[af1 nonsense]"])
def test_a_good_description_passes(text: str) -> None:
    """Only what CSS forbids is refused."""
    assert check_description(text) == text


CHECKS: dict[str, tuple[Callable[[str], str], str]] = {
    "name": (check_name, "Orders ETL"),
    "folding": (fold_name, "x"),
    "indices": (join_indices, "Orders-*"),
    "description": (check_description, "a < b"),
}


@pytest.mark.parametrize("case", CHECKS)
def test_a_refusal_names_value_rule_and_example(case: str) -> None:
    """Each refusal holds what was given, which rule it breaks, and a legal value, in attributes and in its text."""
    check, bad = CHECKS[case]
    with pytest.raises(CssUsageError) as caught:
        check(bad)
    refused = caught.value
    assert refused.value == bad
    assert refused.what
    assert all(part in str(refused) for part in (repr(bad), refused.rule, repr(refused.legal)))
    assert check(refused.legal) == refused.legal
