"""
What a restore does: which indices it brings, under which names, and when it fails.

Source: CSS API reference, "Restoring a Snapshot", and CSS user guide, "Backing Up and Restoring the Data of an
Elasticsearch Cluster", both 2025-12-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, get_args

from airflow_css.emulator.bounds import check_seconds
from airflow_css.emulator.entries import Documents, SnapshotEntry
from airflow_css.emulator.index_lists import select_indices
from airflow_css.emulator.renaming import renamed

__all__ = ["RestoreEnding", "RestoreEntry", "RestoreFate", "RestoreOrder", "check_restore_fate", "indices_to_restore"]

RestoreEnding = Literal["success", "failed", "stuck"]

SECURITY_INDEX = ".opendistro_security"


@dataclass(frozen=True)
class RestoreOrder:
    """
    What a restore asks for.

    :param target_cluster: Id of the cluster to restore to.
    :param indices: Names and patterns, separated by commas; empty for all.
    :param rename_pattern: What is replaced in their names; empty for nothing.
    :param rename_replacement: What comes in its place.
    :param replace_existing: Whether indices of the same name are overwritten.
    """

    target_cluster: str
    indices: str = ""
    rename_pattern: str = ""
    rename_replacement: str = ""
    replace_existing: bool = False

    def new_name(self, name: str) -> str:
        """
        Return what an index is called afterwards.

        Source: CSS API reference, "Restoring a Snapshot", 2025-12-01: pattern and replacement only work together.

        :param name: Its name in the snapshot.
        :raises ValueError: if the engine cannot carry out the renaming.
        """
        if not self.rename_pattern or not self.rename_replacement:
            return name
        return renamed(name, self.rename_pattern, self.rename_replacement)


@dataclass(frozen=True)
class RestoreFate:
    """
    How a restore ends.

    :param ending: ``success``: as the rules say; ``failed``, whatever they say; ``stuck``: it never ends.
    :param takes: How long it takes, in seconds, 0 or more; ``None`` for the emulator's ``restore_takes``.
    :param stale: How long the snapshot's restore status still says what it said before, in seconds.
    """

    ending: RestoreEnding = "success"
    takes: float | None = None
    stale: float = 0.0


def check_restore_fate(fate: RestoreFate) -> RestoreFate:
    """
    Return the fate, which is a possible one.

    :param fate: What a script says.
    :raises ValueError: if it is not.
    """
    if fate.ending not in get_args(RestoreEnding):
        raise ValueError(f"a restore ends {', '.join(get_args(RestoreEnding))}, not {fate.ending!r}")
    if fate.takes is not None:
        check_seconds("takes", fate.takes)
    check_seconds("stale", fate.stale)
    return fate


@dataclass
class RestoreEntry:
    """
    One restore, at its target.

    :param snapshot: What is restored.
    :param source_id: Id of the cluster that has the snapshot.
    :param order: What was asked for.
    :param fate: How it will end.
    :param started_at: When it began.
    :param ends_at: When the work will end, or did; ``None`` for never.
    :param shown_at: From when the snapshot's restore status speaks of it.
    :param status: ``restoring``, ``success`` or ``failed``.
    :param brought: Number of shards by index, under the new names: what it put into the target.
    :param origins: What each of these is called in the snapshot.
    :param replaced: Which of these overwrote an index.
    :param kept: Which names were there already and were left alone.
    :param reason: Why it failed; empty when it did not.
    """

    snapshot: SnapshotEntry
    source_id: str
    order: RestoreOrder
    fate: RestoreFate
    started_at: datetime
    ends_at: datetime | None
    shown_at: datetime
    status: str = "restoring"
    brought: dict[str, int] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it is still at work."""
        return self.status == "restoring"

    def finish(self, present: Mapping[str, int], existing_index: Literal["keep", "fail"]) -> None:
        """
        End the work: find out what it brings; nothing when it fails.

        :param present: The target's indices.
        :param existing_index: What happens about a name that exists when overwriting was not asked for.
        """
        try:
            self._judge(present, existing_index)
        except ValueError as error:
            self.status, self.reason, self.replaced, self.kept, self.brought = "failed", str(error), (), (), {}
            self.origins = {}
        else:
            self.status = "success"

    def closes(self, present: Mapping[str, int], existing_index: Literal["keep", "fail"]) -> frozenset[str]:
        """
        Return the names of the indices that nobody can use while it runs.

        Source: as for the module: indices that are being restored cannot be queried. Assumed: one that is kept can.

        :param present: The target's indices.
        :param existing_index: As for ``finish``.
        """
        # As if it were to end well: only its script knows better.
        foreseen = replace(self, fate=RestoreFate())
        foreseen.finish(present, existing_index)
        return frozenset(foreseen.brought)

    def brought_documents(self) -> Documents:
        """Return the documents that it puts into the target, by the new names."""
        return {name: self.snapshot.documents.get(origin, {}) for name, origin in self.origins.items()}

    def _judge(self, present: Mapping[str, int], existing_index: Literal["keep", "fail"]) -> None:
        """
        Find out what the restore brings.

        Source: as above: without overwriting, indices of the same name are not replaced; with it, only those with as
        many shards. Assumed: how the first case ends, which the rules decide; and that one index that cannot be
        restored makes the whole restore fail.
        """
        if self.fate.ending == "failed":
            raise ValueError("scripted")
        origins = _by_new_names(self.order, self.snapshot.indices)
        new = {name: self.snapshot.indices[origin] for name, origin in origins.items()}
        there = tuple(name for name in new if name in present)
        if there and not self.order.replace_existing and existing_index == "fail":
            raise ValueError(f"the index {there[0]} exists")
        if self.order.replace_existing:
            self.replaced = _fitting(there, new, present)
        else:
            self.kept = there
        self.brought = {name: shards for name, shards in new.items() if name not in self.kept}
        self.origins = {name: origins[name] for name in self.brought}

    def shown(self) -> dict[str, Any]:
        """Return what the emulator's state call shows."""
        return {
            "snapshot_id": self.snapshot.id,
            "source_cluster_id": self.source_id,
            "status": self.status,
            "started_at": self.started_at.isoformat(),
            "brought": sorted(self.brought),
            "replaced": list(self.replaced),
            "kept": list(self.kept),
            "reason": self.reason,
        }


def _by_new_names(order: RestoreOrder, held: Mapping[str, int]) -> dict[str, str]:
    origins: dict[str, str] = {}
    for name in indices_to_restore(order.indices, held):
        new_name = order.new_name(name)
        if new_name in origins:
            raise ValueError(f"two indices would be called {new_name}")
        origins[new_name] = name
    return origins


def _fitting(names: tuple[str, ...], new: Mapping[str, int], present: Mapping[str, int]) -> tuple[str, ...]:
    for name in names:
        if new[name] != present[name]:
            raise ValueError(f"the index {name} has {present[name]} shards, in the snapshot it has {new[name]}")
    return names


def indices_to_restore(wanted: str, held: Mapping[str, int]) -> dict[str, int]:
    """
    Return the indices that an index list means in a restore, with their shards.

    Source: CSS API reference, "Restoring a Snapshot", 2025-12-01: the index of the security plugin is never restored,
    those of Kibana only when they are named. Assumed: no list means the same as ``*``.

    :param wanted: Names and patterns, separated by commas; empty for all.
    :param held: Number of shards by index, in the snapshot.
    """
    names_kibana = any(item.startswith(".kibana") for item in wanted.split(","))
    return {
        name: shards
        for name, shards in select_indices(wanted, held).items()
        if name != SECURITY_INDEX and (names_kibana or not name.startswith(".kibana"))
    }
