"""How far one word is from another, so that a slip of the pen can be told from another word."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["edits", "near"]


def edits(one: str, other: str) -> int:
    """Return how many characters must be added, removed or replaced to make one text the other."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def near(word: str, known: Iterable[str], *, at_most: int = 2) -> tuple[str, ...]:
    """
    Return the known words that a slip could have made into this one, the nearest first.

    :param word: As somebody wrote it.
    :param known: The words that exist.
    :param at_most: How many edits are still a slip. Default 2.
    """
    # Lengths alone tell that most words are too far away.
    close = [(edits(word, other), other) for other in known if abs(len(word) - len(other)) <= at_most]
    return tuple(other for distance, other in sorted(close) if distance <= at_most)
