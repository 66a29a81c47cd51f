"""
What this package assumes of CSS and a small snapshot can show: the rows of ``docs/coverage.md`` that the probe walks.

No request is made here: the probe notes what it saw, and the rows judge it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ASSUMPTIONS", "Assumption", "Outcome", "WalkedRow", "as_table", "walk"]


class Outcome(StrEnum):
    """What became of an assumption."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    NOT_SEEN = "not seen"


@dataclass(frozen=True)
class Assumption:
    """
    One row.

    :param key: Its name in the code.
    :param question: What is looked at; the first cell of its row in ``docs/coverage.md``.
    :param assumed: What is assumed, in words; the second cell.
    :param pattern: What confirms it, as a regular expression over what was seen.
    """

    key: str
    question: str
    assumed: str
    pattern: str

    def judge(self, seen: str | None) -> Outcome:
        """
        Return what something seen means for it.

        :param seen: What was seen; ``None`` when nothing was.
        """
        if seen is None:
            return Outcome.NOT_SEEN
        return Outcome.CONFIRMED if re.fullmatch(self.pattern, seen) else Outcome.CONTRADICTED


ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption("listed", "Is a snapshot listed as soon as its creation is answered?", "yes", "yes"),
    Assumption("description", "Does a description come back as it was sent, a mark included?", "yes", "yes"),
    Assumption("status", "Which status has the cluster while a snapshot is made?", "200", "200"),
    Assumption("actions", "Which actions does the cluster show meanwhile?", "SNAPSHOTTING", "SNAPSHOTTING"),
    Assumption("busy", "What is another creation answered meanwhile?", "CSS.0011", r"CSS\.0011 \(HTTP \d+\)"),
    Assumption("retry_after", "Does that answer say when to come again (Retry-After)?", "no", "no"),
    Assumption("busy_first", "What is a creation with the same name answered meanwhile?", "CSS.0011", r"CSS\.0011 .+"),
    Assumption("delete_building", "What is the deletion of the one in work answered?", "CSS.0029", r"CSS\.0029 .+"),
    Assumption("resolved", "Are the indices of a pattern listed by their names in the end?", "yes", "yes"),
    Assumption("zone", "In which zone is the field created?", "UTC", "UTC"),
    Assumption("name_taken", "What is a creation with a taken name answered?", "CSS.0043", r"CSS\.0043 \(HTTP \d+\)"),
    Assumption("gone", "Is a snapshot out of the list as soon as its deletion is answered?", "yes", "yes"),
    Assumption(
        "missing", "What is the deletion of a missing snapshot answered?", "CSS.0016", r"CSS\.0016 \(HTTP 404\)"
    ),
)
"""In the order in which they are walked."""


@dataclass(frozen=True)
class WalkedRow:
    """
    An assumption after the probe.

    :param assumption: The assumption.
    :param seen: What was seen; ``None`` when nothing was.
    :param reason: Why nothing was seen; empty when nobody knows.
    """

    assumption: Assumption
    seen: str | None
    reason: str = ""

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        return self.assumption.judge(self.seen)

    @property
    def ending(self) -> str:
        """What became of it, in words."""
        return f"{self.outcome.value}: {self.reason}" if self.seen is None and self.reason else self.outcome.value

    def as_json(self) -> dict[str, str | None]:
        """Return the row as plain JSON values."""
        return {
            "assumption": self.assumption.key,
            "question": self.assumption.question,
            "assumed": self.assumption.assumed,
            "seen": self.seen,
            "outcome": self.outcome.value,
            "reason": self.reason,
        }


def walk(notes: Mapping[str, str], reasons: Mapping[str, str]) -> tuple[WalkedRow, ...]:
    """
    Return all rows with what was seen of each.

    :param notes: What was seen, by the key of the assumption.
    :param reasons: Why nothing was seen, likewise.
    """
    return tuple(WalkedRow(row, notes.get(row.key), reasons.get(row.key, "")) for row in ASSUMPTIONS)


def as_table(rows: tuple[WalkedRow, ...]) -> list[str]:
    """
    Return the rows as a table in Markdown.

    :param rows: All rows.
    """
    cells = [("looked at", "assumed", "seen", "outcome"), ("---",) * 4]
    cells += [(r.assumption.question, r.assumption.assumed, r.seen or "", r.ending) for r in rows]
    return [f"| {' | '.join(row)} |" for row in cells]
