"""
The names that a restore will give its indices, before it is sent.

The engine renames by Java's rules: every occurrence of the pattern in a name is replaced, and ``$1`` in the replacement
stands for the first group. ``(.*)`` matches a name twice, the second time its empty end; most people mean ``(.+)``.

Source: CSS API reference, "Restoring a Snapshot", 2025-11-17; java.util.regex.Matcher, "appendReplacement".
"""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_css.protocol.errors import CssUsageError

__all__ = ["Renamed", "Renaming", "preview_names", "select_indices"]

_GROUP = re.compile(r"\$([0-9]*)")
_SECURITY_INDEX = ".opendistro_security"
_ILLEGAL_FIRST = "-_+."
# Java knows sets within sets and their intersection; here they would mean something else.
_NESTED_SET = re.compile(r"\[[^\]]*(\[|&&)")
_LEGAL_PATTERN = "(.+)"
_LEGAL_REPLACEMENT = "restored_$1"


@dataclass(frozen=True)
class Renamed:
    """
    One index of a restore.

    :param source: Its name in the snapshot.
    :param target: Its name once it is restored.
    """

    source: str
    target: str


@dataclass(frozen=True)
class Renaming:
    """
    How restored indices are renamed.

    :param pattern: A regular expression in Java's words.
    :param replacement: What each occurrence becomes; ``$1`` stands for the first group.
    """

    pattern: str
    replacement: str

    def apply(self, name: str) -> str:
        """
        Return what a name becomes.

        :param name: An index name.
        :raises CssUsageError: if pattern or replacement is none in Java.
        """
        compiled = self._compiled()
        parts = self._parts(compiled)
        return compiled.sub(lambda found: "".join(p if isinstance(p, str) else found[p] or "" for p in parts), name)

    @property
    def matches_twice(self) -> bool:
        """Whether the pattern also matches the empty end of each name, as ``(.*)`` does."""
        return self._compiled().fullmatch("") is not None

    def _compiled(self) -> re.Pattern[str]:
        if _NESTED_SET.search(self.pattern):
            rule = "it has a set within a set, which cannot be foreseen here; write one plain set"
            raise CssUsageError("rename_pattern", self.pattern, rule, "([a-z]+)")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                return re.compile(self.pattern)
        except (re.error, RecursionError, OverflowError) as cause:
            rule = f"it is no regular expression ({cause})"
            raise CssUsageError("rename_pattern", self.pattern, rule, _LEGAL_PATTERN) from cause

    def _parts(self, compiled: re.Pattern[str]) -> list[str | int]:
        parts: list[str | int] = []
        place = 0
        for found in _GROUP.finditer(self.replacement):
            digits = found[1]
            # Named groups are no way out: the characters that name one are forbidden in a pattern.
            if not digits:
                self._refuse("it has a $ that no number of a group follows")
            used = self._digits_of_a_group(digits, compiled.groups)
            parts += [self.replacement[place : found.start()], int(digits[:used]), digits[used:]]
            place = found.end()
        return [*parts, self.replacement[place:]]

    def _digits_of_a_group(self, digits: str, groups: int) -> int:
        """Return how many digits name a group: Java takes as many as there are groups for, at least one."""
        if int(digits[0]) > groups:
            self._refuse(f"the pattern has {groups} groups, and it asks for ${digits[0]}")
        used = 1
        while used < len(digits) and int(digits[: used + 1]) <= groups:
            used += 1
        return used

    def _refuse(self, rule: str) -> None:
        raise CssUsageError("rename_replacement", self.replacement, rule, _LEGAL_REPLACEMENT)


def select_indices(listed: Sequence[str], wanted: str | None) -> tuple[str, ...]:
    """
    Return the indices of a snapshot that a restore takes.

    :param listed: The names in the snapshot.
    :param wanted: Names and patterns with commas, as they are sent; ``None`` for all. Those that begin with ``-`` take
        away from what the ones before them took.
    :raises CssUsageError: if a name or pattern takes nothing: CSS would skip it in silence.
    """
    listed = _restorable(listed, wanted or "")
    if not wanted:
        return listed
    taken: list[str] = []
    for item in wanted.split(","):
        if item.startswith("-") and taken:
            taken = [name for name in taken if not _matches(name, item[1:])]
            continue
        found = [name for name in listed if _matches(name, item)]
        if not found:
            rule = f"nothing in the snapshot matches {item}, and CSS would skip it in silence; it holds {_few(listed)}"
            raise CssUsageError("indices", wanted, rule, listed[0] if listed else "orders-*")
        taken += [name for name in found if name not in taken]
    if not taken:
        raise CssUsageError("indices", wanted, "they take nothing out of the snapshot", listed[0])
    return tuple(taken)


def _restorable(listed: Sequence[str], wanted: str) -> tuple[str, ...]:
    """Leave out what CSS never restores, and what it restores only when it is named."""
    names_kibana = any(item.startswith(".kibana") for item in wanted.split(","))
    return tuple(
        name for name in listed if name != _SECURITY_INDEX and (names_kibana or not name.startswith(".kibana"))
    )


def preview_names(listed: Sequence[str], wanted: str | None, renaming: Renaming | None) -> tuple[Renamed, ...] | None:
    """
    Return what a restore will bring, name by name; ``None`` when the snapshot does not list its indices by name.

    :param listed: The indices as the snapshot lists them.
    :param wanted: Names and patterns with commas, as they are sent; ``None`` for all.
    :param renaming: How they are renamed; ``None`` for not at all.
    :raises CssUsageError: if nothing would be restored, a new name is illegal, or two indices would get one name.
    """
    if renaming is not None:
        # Also where no name can be foreseen: a mistake in them must not wait for the cluster.
        renaming.apply("orders")
    if not listed or any("*" in name for name in listed):
        return None
    names = tuple(Renamed(name, renaming.apply(name) if renaming else name) for name in select_indices(listed, wanted))
    if renaming is not None:
        _check_new_names(names, renaming)
    return names


def _check_new_names(names: Sequence[Renamed], renaming: Renaming) -> None:
    if all(renamed.source == renamed.target for renamed in names):
        rule = f"it changes none of the names ({_few([renamed.source for renamed in names])})"
        raise CssUsageError("rename_pattern", renaming.pattern, rule, _LEGAL_PATTERN)
    for renamed in names:
        new = renamed.target
        if not new or new != new.lower() or new[0] in _ILLEGAL_FIRST or len(new.encode()) > 255:
            rule = (
                f"it makes {new!r} of {renamed.source}; an index name has small letters and begins with one or a digit"
            )
            raise CssUsageError("rename_replacement", renaming.replacement, rule, _LEGAL_REPLACEMENT)
    (new, times) = Counter(renamed.target for renamed in names).most_common(1)[0]
    if times > 1:
        sources = ", ".join(renamed.source for renamed in names if renamed.target == new)
        rule = f"it gives {new!r} to several indices ({sources}); keep what tells them apart in a group"
        raise CssUsageError("rename_pattern", renaming.pattern, rule, _LEGAL_PATTERN)


def _matches(name: str, pattern: str) -> bool:
    # Only the asterisk is special to CSS; a bracket is an ordinary character.
    return pattern in ("_all", name) or fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
