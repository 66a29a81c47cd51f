"""What a rollback did, in words: which indices are back, and what stays as the work left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["say_what_is_back", "say_what_stays"]

MOST_NAMES_TOLD = 20


def say_what_is_back(result: Mapping[str, Any], *, in_place: bool) -> str:
    """
    Return what a restore brought back, as sentences.

    :param result: What the restore gave.
    :param in_place: Whether indices were overwritten.
    """
    snapshot = f"{result['snapshot_name']} ({result['snapshot_id']})"
    pairs = result.get("indices") or []
    if in_place:
        names = _list([pair["target"] for pair in pairs]) or "the indices"
        return f"Rolled back: {names} as in the snapshot {snapshot}."
    names = _list([f"{pair['source']} as {pair['target']}" for pair in pairs]) or "the indices under new names"
    return (
        f"The old state is there beside the new one, from the snapshot {snapshot}: {names}. The indices that were "
        "worked on are as the work left them."
    )


def say_what_stays(before: Sequence[str], after: Sequence[str]) -> str:
    """
    Return which indices the work created, which stay; empty when it created none.

    :param before: The indices in the snapshot before the work.
    :param after: The indices in the snapshot of the damaged state.
    """
    created = [name for name in after if name not in before]
    return f"Created by the work and left as they are: {_list(created)}." if created else ""


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES_TOLD} more" if len(names) > MOST_NAMES_TOLD else ""
    return ", ".join(names[:MOST_NAMES_TOLD]) + more
