"""
The documents of an index, as a test or a person looks at them and changes them.

CSS itself has no such calls: on a real cluster they are the engine's, which is not emulated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from airflow_css.emulator.bounds import check_number, check_texts
from airflow_css.emulator.clusters import ClusterEntry
from airflow_css.emulator.state import ServiceState

__all__ = ["EmulatedIndex", "IndexClosedError"]

MOST_DOCUMENTS = 10_000
MOST_INDICES = 1_000
LARGEST_DOCUMENT_BYTES = 16_384
LONGEST_ID_BYTES = 512
LONGEST_NAME_BYTES = 255
_NAME = re.compile(r'(?![-_+])(?!\.{1,2}$)[^\s\\/*?"<>|,#:]+')


class IndexClosedError(RuntimeError):
    """The index is being restored: until that ends, nobody can ask it or write to it."""


@dataclass(frozen=True)
class EmulatedIndex:
    """
    One index of a cluster, whether it exists or not: its shards and its documents.

    Snapshots hold the documents as they are when the snapshot *begins*; restores bring those back.
    Bounded: 10,000 documents in a cluster, 16 KiB each, and 1,000 indices.

    Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: an index that
    is being restored cannot be queried. Assumed: it cannot be written to, made or removed either; and a snapshot is of
    the moment it begins, as the engine's are.

    :param state: What there is.
    :param cluster_id: The cluster.
    :param name: The index.
    """

    state: ServiceState
    cluster_id: str
    name: str

    @property
    def exists(self) -> bool:
        """Whether the cluster has it now."""
        return self.name in self.state.find(self.cluster_id).indices

    @property
    def is_closed(self) -> bool:
        """Whether it is being restored now."""
        with self.state.holding(self.cluster_id) as cluster:
            return self.name in self.state.closed_indices(cluster)

    @property
    def shards(self) -> int:
        """How many shards it has; ``LookupError`` if it does not exist."""
        with self._open() as cluster:
            return self._found(cluster)

    def documents(self) -> dict[str, dict[str, Any]]:
        """
        Return its documents by id.

        :raises LookupError: if it does not exist.
        :raises IndexClosedError: if it is being restored.
        """
        with self._open() as cluster:
            self._found(cluster)
            return {key: json.loads(text) for key, text in self._held(cluster).items()}

    def create(self, shards: int = 1) -> None:
        """
        Make it, empty; one that exists with as many shards stays as it is.

        :param shards: How many shards it has, 1 to 1024; default 1.
        :raises ValueError: if the name is none, or it exists with another number: drop it first, as on the engine.
        :raises IndexClosedError: if it is being restored.
        """
        check_number("shards", shards, 1, 1024)
        with self._open() as cluster:
            if cluster.indices.get(self.name, shards) != shards:
                raise ValueError(f"the index {self.name} has {cluster.indices[self.name]} shards; drop it first")
            self._make(cluster, shards)

    def write(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """
        Add documents, or overwrite those of the same id; an index that does not exist is made with one shard.

        :param documents: JSON objects by id.
        :raises ValueError: if one is no JSON object or too large, or if there would be too many; nothing is written.
        :raises IndexClosedError: if it is being restored.
        """
        texts = {_checked_id(key): _as_text(key, document) for key, document in documents.items()}
        with self._open() as cluster:
            after = {**self._held(cluster), **texts}
            others = sum(len(held) for name, held in cluster.documents.items() if name != self.name)
            if others + len(after) > MOST_DOCUMENTS:
                raise ValueError(f"a cluster of the emulator holds at most {MOST_DOCUMENTS} documents")
            self._make(cluster, cluster.indices.get(self.name, 1))
            self._hold(cluster, after)

    def delete(self, *ids: str) -> None:
        """
        Remove documents.

        :param ids: Their ids.
        :raises LookupError: if it or one of them does not exist; then nothing is removed.
        :raises IndexClosedError: if it is being restored.
        """
        with self._open() as cluster:
            self._found(cluster)
            held = self._held(cluster)
            if missing := sorted(set(ids) - set(held)):
                raise LookupError(f"the index {self.name} has no document {missing[0]}")
            self._hold(cluster, {key: text for key, text in held.items() if key not in ids})

    def clear(self) -> None:
        """
        Remove all its documents; the index stays.

        :raises LookupError: if it does not exist.
        :raises IndexClosedError: if it is being restored.
        """
        with self._open() as cluster:
            self._found(cluster)
            self._hold(cluster, {})

    def drop(self) -> None:
        """
        Remove it with all its documents.

        :raises LookupError: if it does not exist.
        :raises IndexClosedError: if it is being restored.
        """
        with self._open() as cluster:
            self._found(cluster)
            cluster.give({name: shards for name, shards in cluster.indices.items() if name != self.name})

    @contextmanager
    def _open(self) -> Iterator[ClusterEntry]:
        with self.state.holding(self.cluster_id) as cluster:
            if self.name in self.state.closed_indices(cluster):
                raise IndexClosedError(f"the index {self.name} is being restored; until that ends, nobody can use it")
            yield cluster

    def _found(self, cluster: ClusterEntry) -> int:
        if self.name not in cluster.indices:
            raise LookupError(f"the cluster {cluster.id} has no index {self.name}")
        return cluster.indices[self.name]

    def _held(self, cluster: ClusterEntry) -> Mapping[str, str]:
        return cluster.documents.get(self.name, {})

    def _hold(self, cluster: ClusterEntry, documents: Mapping[str, str]) -> None:
        # Never changed in place: a snapshot may hold the same.
        cluster.documents = {**cluster.documents, self.name: documents}

    def _make(self, cluster: ClusterEntry, shards: int) -> None:
        if self.name in cluster.indices:
            return
        if not _NAME.fullmatch(self.name) or self.name != self.name.lower() or _size(self.name) > LONGEST_NAME_BYTES:
            raise ValueError(f"{self.name!r} is no name of an index, orders-2026 is one: see the engine's rules")
        if len(cluster.indices) >= MOST_INDICES:
            raise ValueError(f"a cluster of the emulator has at most {MOST_INDICES} indices")
        cluster.give({**cluster.indices, self.name: shards})


def _checked_id(key: str) -> str:
    check_texts(**{"the id of a document": key})
    if not 1 <= _size(key) <= LONGEST_ID_BYTES:
        raise ValueError(f"the id of a document has 1 to {LONGEST_ID_BYTES} bytes")
    return key


def _as_text(key: str, document: Mapping[str, Any]) -> str:
    if not isinstance(document, Mapping):
        raise ValueError(f"the document {key} is a JSON object, not {document!r}")  # noqa: TRY004 - as all others
    text = json.dumps(dict(document), allow_nan=False)
    if _size(text) > LARGEST_DOCUMENT_BYTES:
        raise ValueError(f"the document {key} is larger than {LARGEST_DOCUMENT_BYTES} bytes")
    return text


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
