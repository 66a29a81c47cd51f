"""What an index is called after a restore."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.emulator.renaming import renamed


@pytest.mark.parametrize(
    ("name", "pattern", "replacement", "new"),
    [
        ("orders-1", "orders", "sales", "sales-1"),
        ("a-a-a", "a", "b", "b-b-b"),
        ("index-7", "index-(.+)", "restored_index_$1", "restored_index_7"),
        ("orders-1", "(.+)", "new-$1", "new-orders-1"),
        ("orders-1", "^", "new-", "new-orders-1"),
        ("orders-1", "$", "-old", "orders-1-old"),
        ("orders-1", "nothing", "$9", "orders-1"),
        # The groups decide how many digits are a number.
        ("ab", "(a)(b)", "$2$1", "ba"),
        ("ab", "(a)b", "$12", "a2"),
        ("ab", "(a)b", "$01", "a"),
        ("abc", "(b)*c", "[$1]", "a[b]"),
        ("xc", "(b)*c", "[$1]", "x[]"),
        # Java finds the empty rest of the text as well.
        ("abc", ".*", "x", "xx"),
    ],
)
def test_names_change_as_java_would_change_them(name: str, pattern: str, replacement: str, new: str) -> None:
    """Every place is replaced, and references stand for what their group found; checked with Java 17."""
    assert renamed(name, pattern, replacement) == new


@given(
    st.text(string.ascii_lowercase + "-", max_size=12), st.sampled_from(["a", "ab", "-"]), st.text("xyz-", max_size=3)
)
def test_a_plain_renaming_is_a_plain_replacement(name: str, pattern: str, replacement: str) -> None:
    """Without anything special in them, pattern and replacement are texts."""
    assert renamed(name, pattern, replacement) == name.replace(pattern, replacement)


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [("(a", "b"), ("a", "$1"), ("a", "b$"), ("a", "$x"), ("*", "b"), ("a{", "b"), ("a{b}", "b")],
)
def test_what_java_refuses_is_refused(pattern: str, replacement: str) -> None:
    """A pattern that is none, and a reference to a group that is none, are errors where they are used."""
    with pytest.raises(ValueError, match=r"the (pattern|replacement)"):
        renamed("abc", pattern, replacement)
