"""Numbers as people say them, for logs and messages."""

from __future__ import annotations

__all__ = ["in_words", "part_of"]


def in_words(seconds: float) -> str:
    """
    Return a duration, for example ``45 s``, ``9 min`` or ``2 h 5 min``.

    :param seconds: Zero or more; below zero counts as zero.
    """
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def part_of(elapsed: float, expected: float | None) -> str:
    """
    Return how far something is, for example ``9 min of about 14 min``.

    :param elapsed: Seconds since it began.
    :param expected: How many seconds it usually takes; ``None`` when unknown.
    """
    return in_words(elapsed) if expected is None else f"{in_words(elapsed)} of about {in_words(expected)}"
