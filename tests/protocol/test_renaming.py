"""The rules for renaming indices in a restore."""

from __future__ import annotations

import pytest

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.renaming import FORBIDDEN_IN_RENAMING, check_renaming


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (None, None),
        ("index", "restored_index_$1"),
        ("(.+)", "new-$1"),
        ("a", "b"),
        ("a" * 1024, "b" * 1024),
        ("é", "ß"),
    ],
)
def test_a_legal_renaming_passes(pattern: str | None, replacement: str | None) -> None:
    """Both or neither, up to the last allowed character."""
    check_renaming(pattern, replacement)


@pytest.mark.parametrize(("pattern", "replacement"), [("a", None), (None, "b"), ("", None), (None, "")])
def test_one_without_the_other_is_refused(pattern: str | None, replacement: str | None) -> None:
    """CSS would ignore half a renaming and restore over the original names, so it is refused."""
    with pytest.raises(CssUsageError):
        check_renaming(pattern, replacement)


@pytest.mark.parametrize("bad", ["", "a" * 1025, "a b", "a\tb", "Ab", "aÉ", *(f"a{c}" for c in FORBIDDEN_IN_RENAMING)])
def test_a_bad_text_is_refused_with_a_legal_one(bad: str) -> None:
    """Either of the two is refused; the legal values of both errors pass together."""
    with pytest.raises(CssUsageError) as in_pattern:
        check_renaming(bad, "b")
    with pytest.raises(CssUsageError) as in_replacement:
        check_renaming("a", bad)
    assert (in_pattern.value.what, in_replacement.value.what) == ("rename pattern", "rename replacement")
    check_renaming(in_pattern.value.legal, in_replacement.value.legal)


def test_the_place_of_a_forbidden_character_is_told() -> None:
    """Whoever wrote an expression with an alternative sees which character CSS forbids, and where."""
    with pytest.raises(CssUsageError, match=r"'\|' at position 4"):
        check_renaming("(a-|b-)", "$1")
