"""
The body of a creation, read and checked; and which indices it means.

Source: CSS API reference, "Manually Creating a Snapshot", 2025-08-15.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_css.emulator.exchange import Refusal, css_refusal
from airflow_css.protocol.names import (
    FORBIDDEN_IN_DESCRIPTION,
    FORBIDDEN_IN_INDICES,
    LONGEST_DESCRIPTION,
    LONGEST_INDICES,
    NAME_PATTERN,
)

__all__ = ["CreationOrder", "read_creation", "select_indices"]

FIELDS = ("name", "description", "indices")


@dataclass(frozen=True)
class CreationOrder:
    """
    What a creation asks for.

    :param name: The snapshot name.
    :param description: The description; empty for none.
    :param indices: Names and patterns, separated by commas; empty for all.
    """

    name: str
    description: str = ""
    indices: str = ""


def read_creation(body: bytes) -> CreationOrder:
    """
    Return what a creation asks for.

    Assumed: a field that is null counts as left out, and fields that are not documented are ignored.

    :param body: The bytes sent.
    :raises Refusal: if it breaks a rule; the detail names the field.
    """
    if not body.strip():
        raise css_refusal("CSS.0006", "the body is empty")
    fields = _texts(_decode(body))
    _check_name(fields["name"])
    _check_description(fields["description"])
    _check_indices(fields["indices"])
    return CreationOrder(**fields)


def _decode(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except ValueError as cause:
        raise _wrong("the body is not JSON") from cause
    if not isinstance(payload, dict):
        raise _wrong("the body is not a JSON object")
    return payload


def _texts(payload: Mapping[str, Any]) -> dict[str, str]:
    fields = {}
    for name in FIELDS:
        value = payload.get(name)
        if not isinstance(value, str | None):
            raise _wrong(f"{name} is not a string")
        fields[name] = value or ""
    return fields


def _check_name(name: str) -> None:
    if not NAME_PATTERN.fullmatch(name):
        raise _wrong("name has 4 to 64 characters: a lower-case letter, then lower-case letters, digits, - and _")


def _check_description(description: str) -> None:
    if len(description) > LONGEST_DESCRIPTION:
        raise _wrong(f"description is longer than {LONGEST_DESCRIPTION} characters")
    if set(description) & set(FORBIDDEN_IN_DESCRIPTION):
        raise _wrong(f"description contains one of {FORBIDDEN_IN_DESCRIPTION}")


def _check_indices(indices: str) -> None:
    if len(indices) > LONGEST_INDICES:
        raise _wrong(f"indices is longer than {LONGEST_INDICES} characters")
    if indices != indices.lower() or any(c.isspace() or c in FORBIDDEN_IN_INDICES for c in indices):
        raise _wrong(f"indices contains an upper-case letter, a space or one of {FORBIDDEN_IN_INDICES}")


def _wrong(detail: str) -> Refusal:
    return css_refusal("CSS.0001", detail)


def select_indices(wanted: str, present: Mapping[str, int]) -> dict[str, int]:
    """
    Return the indices that an index list means, with their shards, in the cluster's order.

    ``*`` stands for any characters. An item that starts with ``-`` takes away what the items before it brought.
    Assumed: an item that matches nothing is passed over, so an empty snapshot is possible, as users report of the
    engine; and the engine's rule for exclusions holds.

    :param wanted: Names and patterns, separated by commas; empty for all.
    :param present: Number of shards by index.
    """
    chosen: set[str] = set()
    for item in (wanted or "*").split(","):
        if item.startswith("-"):
            chosen -= _matching(item[1:], present)
        else:
            chosen |= _matching(item, present)
    return {name: shards for name, shards in present.items() if name in chosen}


def _matching(pattern: str, present: Mapping[str, int]) -> set[str]:
    if pattern == "_all":
        return set(present)
    # Only the asterisk is special to the engine; a bracket is an ordinary character.
    escaped = pattern.replace("[", "[[]")
    return {name for name in present if fnmatch.fnmatchcase(name, escaped)}
