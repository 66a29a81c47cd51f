"""
What is sent in the body of a call: read, and checked field by field.

Assumed of every call: a field that is null counts as left out, and fields that are not documented are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from airflow_css.emulator.exchange import Refusal, css_refusal
from airflow_css.protocol.names import FORBIDDEN_IN_INDICES, LONGEST_INDICES

__all__ = ["Body", "check_indices", "read_body", "wrong"]


def wrong(detail: str) -> Refusal:
    """
    Return what a wrong parameter is answered.

    :param detail: What exactly is wrong.
    """
    return css_refusal("CSS.0001", detail)


class Body:
    """
    The fields of one body. A field may have an older spelling; the first of its names that is given counts.

    :param fields: The decoded JSON object.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def text(self, *names: str) -> str:
        """
        Return a text; empty when it was left out.

        :param names: Its spellings.
        :raises Refusal: if it is something else.
        """
        value = self._first(names)
        if not isinstance(value, str | None):
            raise wrong(f"{names[0]} is not a string")
        return value or ""

    def needed(self, *names: str) -> str:
        """
        Return a text that must be there.

        :param names: Its spellings.
        :raises Refusal: if it is missing, empty, or something else.
        """
        text = self.text(*names)
        if not text:
            raise wrong(f"{names[0]} is missing")
        return text

    def number(self, *names: str) -> int | None:
        """
        Return a whole number; ``None`` when it was left out.

        :param names: Its spellings.
        :raises Refusal: if it is something else.
        """
        value = self._first(names)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise wrong(f"{names[0]} is not an integer")
        return value

    def text_or_number(self, *names: str) -> str:
        """
        Return a text, or a whole number as a text; empty when it was left out.

        :param names: Its spellings.
        :raises Refusal: if it is something else.
        """
        value = self._first(names)
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else self.text(*names)

    def flag(self, *names: str) -> bool:
        """
        Return a boolean; no when it was left out.

        :param names: Its spellings.
        :raises Refusal: if it is something else.
        """
        value = self._first(names)
        if not isinstance(value, bool | None):
            raise wrong(f"{names[0]} is not a boolean")
        return bool(value)

    def flag_in_words(self, *names: str) -> bool | None:
        """
        Return a boolean that is sent as a text; ``None`` when it was left out.

        :param names: Its spellings.
        :raises Refusal: if it is not ``"true"`` or ``"false"``.
        """
        word = self.text(*names)
        if word not in {"", "true", "false"}:
            raise wrong(f'{names[0]} is "true" or "false"')
        return word == "true" if word else None

    def _first(self, names: Iterable[str]) -> Any:
        return next((self._fields[name] for name in names if self._fields.get(name) is not None), None)


def read_body(body: bytes) -> Body:
    """
    Return the fields of a body.

    :param body: The bytes sent.
    :raises Refusal: if there are none, or they are no JSON object.
    """
    if not body.strip():
        raise css_refusal("CSS.0006", "the body is empty")
    try:
        fields = json.loads(body)
    except ValueError as cause:
        raise wrong("the body is not JSON") from cause
    if not isinstance(fields, dict):
        raise wrong("the body is not a JSON object")
    return Body(fields)


def check_indices(indices: str) -> str:
    """
    Return an index list that keeps the rules.

    Source: CSS API reference, "Manually Creating a Snapshot", 2025-08-15.

    :param indices: Names and patterns, separated by commas; empty for all.
    :raises Refusal: if it breaks a rule.
    """
    if len(indices) > LONGEST_INDICES:
        raise wrong(f"indices is longer than {LONGEST_INDICES} characters")
    if indices != indices.lower() or any(c.isspace() or c in FORBIDDEN_IN_INDICES for c in indices):
        raise wrong(f"indices contains an upper-case letter, a space or one of {FORBIDDEN_IN_INDICES}")
    return indices
