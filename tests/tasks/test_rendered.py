"""What a template came to, and numbers of seconds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow_css.protocol.errors import CssUsageError
from airflow_css.tasks.rendered import check_number, check_rendered

FIELDS = CreateSnapshotOperator.template_fields

EMPTY: list[Any] = [
    None,
    "",
    "  ",
    "\n",
    "None",
    "none",
    " NONE ",
    [],
    (),
    [None],
    ["a", ""],
    ["a", "None"],
    ("a", None),
]
PRINTED = ["['a', 'b']", "[]", " [1, 2]", ["['a']"]]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [*EMPTY, *PRINTED], ids=repr)
def test_what_says_nothing_is_refused_in_every_field(field: str, value: Any) -> None:
    """The message shows field and value, and its example passes the same check."""
    with pytest.raises(CssUsageError) as caught:
        check_rendered(field, value)
    assert caught.value.what == field
    assert repr(value) in str(caught.value)
    assert check_rendered(field, caught.value.legal) == caught.value.legal


@pytest.mark.parametrize("field", FIELDS)
def test_the_way_out_is_named(field: str) -> None:
    """Nothing leads to leaving the parameter out, a printed list to native rendering."""
    way_out = "name a connection" if field == "css_conn_id" else "leave the parameter out"
    with pytest.raises(CssUsageError, match=way_out):
        check_rendered(field, "")
    with pytest.raises(CssUsageError, match="render_template_as_native_obj"):
        check_rendered(field, "['a']")


@pytest.mark.parametrize("value", ["orders-*", "nonesuch", "a[1]", "none-of-these", "0", ["a", "b"], ("a",), ["none2"]])
def test_what_says_something_is_left_as_it_is(value: Any) -> None:
    """A value is not changed by being checked."""
    assert check_rendered("indices", value) == (list(value) if isinstance(value, tuple) else value)


def _is_printed(text: str) -> bool:
    quoted = text[1:].lstrip()[:1] in {"'", '"'}
    return text.startswith("[") or (quoted and text[0] in "({" and text[-1] in ")}")


@given(st.text(min_size=1) | st.lists(st.text(min_size=1), min_size=1))
def test_any_text_or_list_passes_unchanged_or_is_refused(value: Any) -> None:
    """Blank, none-like and printed values are refused; whatever else is left as it is."""
    parts = [part.strip() for part in ([value] if isinstance(value, str) else value)]
    says_something = all(part and part.lower() != "none" and not _is_printed(part) for part in parts)
    try:
        assert check_rendered("indices", value) == value
    except CssUsageError:
        assert not says_something
    else:
        assert says_something


@pytest.mark.parametrize(("value", "at_least"), [(1, 1), (0, 0), (0.5, 0), (90_000, 1), (31_536_000, 1)])
def test_a_number_of_seconds_is_returned_as_such(value: float, at_least: float) -> None:
    """Whole numbers and fractions are taken, the bound included."""
    checked = check_number("timeout", value, at_least=at_least)
    assert checked == value
    assert isinstance(checked, float)


ODD: list[Any] = [None, "60", "", True, False, -1, 0.99, float("nan"), float("inf"), float("-inf"), [], "1 h"]


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("at_least", [1, 100])
def test_what_is_no_number_of_seconds_is_refused(value: Any, at_least: float) -> None:
    """The message names parameter, value and bound, and its example, as a number, passes."""
    with pytest.raises(CssUsageError) as caught:
        check_number("timeout", value, at_least=at_least)
    assert caught.value.what == "timeout"
    assert f"at least {at_least}" in str(caught.value)
    assert check_number("timeout", float(caught.value.legal), at_least=at_least) >= at_least


@pytest.mark.parametrize("printed", ["('a', 'b')", "{'a'}", '{"a": 1}', "( 'a',)"])
def test_a_printed_tuple_set_or_dictionary_is_refused(printed: str) -> None:
    """What Python prints of a collection is no index name, although CSS would take it for one."""
    with pytest.raises(CssUsageError, match="printed as text"):
        check_rendered("indices", printed)


@pytest.mark.parametrize("value", [31_536_001, 1e15, 10**400])
def test_more_than_a_year_is_refused(value: float) -> None:
    """A number that no clock can hold is refused before a snapshot is made, not after."""
    with pytest.raises(CssUsageError, match="at most 31,536,000"):
        check_number("timeout", value, at_least=1)


@pytest.mark.parametrize("value", [{"a"}, frozenset({"a"}), {"a": 1}, {"a": 1}.keys(), b"a"])
def test_what_is_neither_text_nor_list_is_refused(value: Any) -> None:
    """A set or bytes would be sent as Python prints them."""
    with pytest.raises(CssUsageError, match="a text or a list is needed"):
        check_rendered("indices", value)
