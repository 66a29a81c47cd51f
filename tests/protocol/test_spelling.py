"""How far words are from each other."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.spelling import edits, near

WORDS = st.text(st.sampled_from("ab-1"), max_size=6)


@given(WORDS, WORDS, WORDS)
def test_edits_are_a_distance(one: str, other: str, third: str) -> None:
    """It is 0 for the same word only, the same in both directions, and no way round is shorter."""
    assert (edits(one, other) == 0) is (one == other)
    assert edits(one, other) == edits(other, one)
    assert edits(one, third) <= edits(one, other) + edits(other, third)


@given(WORDS, st.integers(0, 5), st.sampled_from("xyz"))
def test_a_letter_more_is_one_edit(word: str, place: int, letter: str) -> None:
    """Whoever adds one letter is one edit away."""
    assert edits(word, word[:place] + letter + word[place:]) == 1


def test_the_nearest_word_comes_first() -> None:
    """What a slip could have been is told in the order of likeliness, and what is too far away is not."""
    assert near("regionn", ["reason", "region", "regions", "verify"]) == ("region", "regions")
    assert near("colour", ["region"]) == ()
    assert near("abc", ["abd"], at_most=0) == ()


@given(st.sets(WORDS, max_size=6))
def test_only_what_is_near_is_named(words: set[str]) -> None:
    """Looking at lengths first leaves nothing out."""
    for one, other in combinations(sorted(words), 2):
        assert (other in near(one, words)) is (edits(one, other) <= 2)
