"""What a rollback did, in words: which indices are back, what stays, and in which snapshots the states are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Kept", "say_ways_out", "say_what_is_back", "say_what_stays", "say_where_the_damage_is"]

MOST_NAMES_TOLD = 20


@dataclass(frozen=True)
class Kept:
    """
    The good snapshots that a checkpoint made.

    :param snapshot_id: That of the state before the work; empty when there is none.
    :param name: Its name.
    :param cluster_id: Its cluster.
    :param damage: That of the damaged state, for people; empty when there is none.
    """

    snapshot_id: str = ""
    name: str = ""
    cluster_id: str = ""
    damage: str = ""


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


def say_where_the_damage_is(kept: Kept) -> str:
    """
    Return which snapshot holds the damaged state; empty when none does.

    :param kept: The snapshots.
    """
    return f"The damaged state is kept in {kept.damage}." if kept.damage else ""


def say_ways_out(kept: Kept) -> str:
    """
    Return where both states are and how to get at the one before by hand, after a rollback that failed.

    :param kept: The snapshots.
    """
    if not kept.snapshot_id:
        return ""
    by_hand = (
        f"RestoreSnapshotOperator(cluster_id='{kept.cluster_id}', target_cluster_id='same', "
        f"snapshot_id='{kept.snapshot_id}', rename_pattern='(.+)', rename_replacement='before-$1')"
    )
    parts = (
        f"The state before the work is kept in {kept.name} ({kept.snapshot_id}).",
        say_where_the_damage_is(kept),
        f"To have the state before beside, under new names, run {by_hand}.",
    )
    return " ".join(part for part in parts if part)


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES_TOLD} more" if len(names) > MOST_NAMES_TOLD else ""
    return ", ".join(names[:MOST_NAMES_TOLD]) + more
