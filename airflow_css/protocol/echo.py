"""
What the gateway says that it saw, line by line beside what was signed.

After a bad signature the gateway repeats the canonical request that it made out of what arrived, with ``|`` for each
line break. Where it differs, something on the way changed the request; where it does not, the secret key is wrong.

Source: API Request Signing Guide, "Error Codes", read 2026-11-23.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_css.protocol.signing import TOKEN_HEADER

__all__ = ["LineOfRequest", "compare_requests", "echoed_request"]

_ECHO = re.compile(r"(?is)canonical_?\s?request\s*:\s*(.+)")
_FIRST = ("method", "path", "query")
_LAST = ("signed headers", "body hash")
_MASK = "***"
_ABSENT = "(absent)"


@dataclass(frozen=True)
class LineOfRequest:
    """
    One line of a request in both versions; a secret is cut out of both.

    :param part: What it is: ``method``, ``path``, ``query``, a header's name, ``signed headers`` or ``body hash``.
    :param ours: As it was signed.
    :param theirs: As the gateway saw it.
    :param is_same: Whether both are equal.
    """

    part: str
    ours: str
    theirs: str
    is_same: bool


def echoed_request(message: str) -> str | None:
    """
    Return the canonical request that a message repeats, with its line breaks; ``None`` when it repeats none.

    :param message: The gateway's words. They hold the security token.
    """
    found = _ECHO.search(message)
    return found[1].replace("|", "\n") if found else None


def compare_requests(ours: str, theirs: str) -> tuple[LineOfRequest, ...]:
    """
    Return both requests line by line.

    :param ours: The canonical request that was signed.
    :param theirs: The one that the gateway repeated.
    """
    mine, seen = _parts(ours), _parts(theirs)
    return tuple(
        _line(part, mine.get(part, _ABSENT), seen.get(part, _ABSENT))
        for part in [*mine, *(part for part in seen if part not in mine)]
    )


def _line(part: str, ours: str, theirs: str) -> LineOfRequest:
    is_same = ours.strip() == theirs.strip()
    if part in {TOKEN_HEADER.lower(), "x-auth-token", "authorization"}:
        ours, theirs = (text if text == _ABSENT else _MASK for text in (ours, theirs))
    return LineOfRequest(part, ours, theirs, is_same)


def _parts(canonical: str) -> dict[str, str]:
    lines = canonical.rstrip().split("\n")
    first, rest = lines[: len(_FIRST)], lines[len(_FIRST) :]
    headers, last = _headers(rest[: -len(_LAST)]), rest[-len(_LAST) :]
    return {**dict(zip(_FIRST, first, strict=False)), **headers, **dict(zip(_LAST, last, strict=False))}


def _headers(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value for name, _, value in pairs}
