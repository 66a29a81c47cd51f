"""What an examination found: one line for each check, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "Report", "Verdict"]

_WIDTH = 120
_LONGEST_CHECK = 20


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """
    One line of a report.

    :param check: What was checked, for example ``signature``.
    :param verdict: How it ended.
    :param text: What was seen.
    :param remedy: What to do about it; empty when nothing is to do.
    :param cause: The name of the cause, for programs; empty when all is well.
    :param details: Further lines.
    """

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""
    cause: str = ""
    details: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What was seen and what to do, in one line."""
        return f"{self.text.rstrip('.')}. {self.remedy}" if self.remedy else self.text

    def lines(self) -> list[str]:
        """Return the lines for people."""
        margin = " " * (13 + _LONGEST_CHECK + 1)
        head = f"{self.verdict:<13}{self.check:<{_LONGEST_CHECK}} "
        shown = _wrapped(self.text, head, margin)
        if self.remedy:
            shown += _wrapped(self.remedy, f"{margin}-> ", f"{margin}   ")
        return shown + [f"{margin}{line}" for line in self.details]

    def as_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {
            "check": self.check,
            "verdict": self.verdict.value,
            "cause": self.cause,
            "text": self.text,
            "remedy": self.remedy,
            "details": list(self.details),
        }


@dataclass(frozen=True)
class Report:
    """
    All findings of an examination, in their order.

    :param findings: The findings.
    """

    findings: Sequence[Finding]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What failed."""
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.FAILED)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What works, but should not stay so."""
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.WARNING)

    def lines(self) -> list[str]:
        """Return the lines for people."""
        return [line for finding in self.findings for line in finding.lines()]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"failed": len(self.failed), "findings": [finding.as_json() for finding in self.findings]}


def _wrapped(text: str, first: str, other: str) -> list[str]:
    # An address or an id that is broken in two cannot be copied.
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=other,
        break_long_words=False,
        break_on_hyphens=False,
    )
