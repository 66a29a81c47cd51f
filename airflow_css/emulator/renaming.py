"""
What an index is called after a restore.

The engine renames with Java's ``String.replaceAll``. What CSS allows of it, no backslash, comma, question mark or bar,
means the same in Python, save what ``is_beyond_python`` tells of.
"""

from __future__ import annotations

import re

__all__ = ["is_beyond_python", "renamed"]

# A set inside a set, or an intersection; a repeated anchor; a repetition of nothing.
_ONLY_IN_JAVA = re.compile(r"\[\^?\]?[^\]]*(\[|&&)|[\^$][*+{]|(?:^|\()\{[0-9]")
_SET = re.compile(r"\[\^?\]?[^\]]*\]")
_BRACE_THAT_IS_NO_NUMBER = re.compile(r"\{(?![0-9]+\})")


def is_beyond_python(pattern: str) -> bool:
    """
    Return whether Java gives the pattern a meaning that Python does not know.

    :param pattern: The regular expression.
    """
    return _ONLY_IN_JAVA.search(pattern) is not None


def renamed(name: str, pattern: str, replacement: str) -> str:
    """
    Return the new name of an index, as Java's ``replaceAll`` makes it.

    :param name: The name in the snapshot.
    :param pattern: What is replaced, wherever it is found.
    :param replacement: What comes in its place; ``$1`` is what the first group found.
    :raises ValueError: if Java would raise: for a pattern that is none, or a ``$`` without such a group.
    """
    if _BRACE_THAT_IS_NO_NUMBER.search(_SET.sub("", pattern)):
        # Python would take it for itself.
        raise ValueError(f"the pattern {pattern!r} has a brace that is no repetition")
    try:
        found = re.compile(pattern)
    except re.error as cause:
        raise ValueError(f"the pattern {pattern!r} is none: {cause}") from cause
    # Read anew at each match, as Java does: without a match a wrong replacement does no harm.
    return found.sub(lambda match: _filled_in(replacement, match), name)


def _filled_in(replacement: str, match: re.Match[str]) -> str:
    return re.sub(r"\$([0-9]*)", lambda reference: _group(reference[1], match), replacement)


def _group(digits: str, match: re.Match[str]) -> str:
    """Return what a reference stands for: Java takes as many digits as still name a group, and at least one."""
    groups = match.re.groups
    if not digits or int(digits[0]) > groups:
        raise ValueError(f"the replacement speaks of the group ${digits[:1]}, and the pattern has {groups}")
    length = max(n for n in range(1, len(digits) + 1) if n == 1 or int(digits[:n]) <= groups)
    return (match[int(digits[:length])] or "") + digits[length:]
