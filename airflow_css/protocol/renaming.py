"""
The rules for renaming indices while a snapshot is restored.

Source: CSS API reference, "Restoring a Snapshot", 2025-12-01.
"""

from __future__ import annotations

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.names import FORBIDDEN_IN_INDICES

__all__ = ["FORBIDDEN_IN_RENAMING", "LONGEST_RENAMING", "check_renaming"]

LONGEST_RENAMING = 1024

# The newest English page leaves the comma out; every other page, the guide and the official SDK forbid it.
FORBIDDEN_IN_RENAMING = f"{FORBIDDEN_IN_INDICES},"

LEGAL = {"rename pattern": "(orders-.+)", "rename replacement": "restored-$1"}


def check_renaming(pattern: str | None, replacement: str | None) -> None:
    """
    Return if a restore may rename its indices like this, or renames none.

    :param pattern: The regular expression that finds the part to replace, 1 to 1,024 characters; ``None`` for no
        renaming.
    :param replacement: What comes in its place, 1 to 1,024 characters; ``$1`` is what the first group found. ``None``
        for no renaming.
    :raises CssUsageError: if only one of them is given, one has not 1 to 1,024 characters, or a character is
        forbidden: capitals, blanks, and those of ``FORBIDDEN_IN_RENAMING``.
    """
    given = {"rename pattern": pattern, "rename replacement": replacement}
    if all(value is None for value in given.values()):
        return
    for what, value in given.items():
        if value is None:
            raise CssUsageError(what, value, "pattern and replacement are given together, or neither", LEGAL[what])
        _check_text(what, value)


def _check_text(what: str, value: str) -> None:
    if not 1 <= len(value) <= LONGEST_RENAMING:
        rule = f"it has 1 to {LONGEST_RENAMING:,} characters, this one has {len(value):,}"
        raise CssUsageError(what, value, rule, LEGAL[what])
    for place, character in enumerate(value):
        # What cannot be printed is part of no index name, and half a character cannot even be sent.
        if (
            character in FORBIDDEN_IN_RENAMING
            or character.isspace()
            or character.isupper()
            or not character.isprintable()
        ):
            rule = (
                f"the character {character!r} at position {place + 1} is forbidden; so are upper-case letters, blanks "
                f"and all of {FORBIDDEN_IN_RENAMING}"
            )
            raise CssUsageError(what, value, rule, LEGAL[what])
