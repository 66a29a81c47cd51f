"""Sets of indices: what a cluster is given, and what an index list means of it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from airflow_css.emulator.bounds import check_number, check_texts

__all__ = ["check_index_set", "select_indices"]


def check_index_set(indices: Any) -> dict[str, int]:
    """
    Return the number of shards by index.

    :param indices: The names, or such a mapping already; a name alone stands for one shard.
    :raises ValueError: if it is neither.
    """
    if isinstance(indices, str) or not isinstance(indices, Mapping | list | tuple):
        words = f"indices is a list of names, or an object with the shards of each, not {indices!r}"
        raise ValueError(words)  # noqa: TRY004 - as for all other values of a script
    shards = dict(indices) if isinstance(indices, Mapping) else dict.fromkeys(indices, 1)
    for name, number in shards.items():
        check_texts(**{"an index name": name})
        check_number(f"the number of shards of {name}", number, 1, 1024)
    return shards


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
