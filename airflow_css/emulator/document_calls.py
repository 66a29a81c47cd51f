"""
The emulator's own calls about indices and their documents, under ``/_emulator/clusters``. They need no signature.

::

    GET    /_emulator/clusters                                         ids, names and indices
    GET    /_emulator/clusters/{id}/indices                            shards and number of documents of each index
    GET    /_emulator/clusters/{id}/indices/{index}                    the same of one
    PUT    /_emulator/clusters/{id}/indices/{index}   {"shards": 3}    make it
    DELETE /_emulator/clusters/{id}/indices/{index}                    remove it
    GET    /_emulator/clusters/{id}/indices/{index}/documents          the documents by id
    POST   /_emulator/clusters/{id}/indices/{index}/documents          {"1": {"cents": 5}, ...}: write these
    DELETE /_emulator/clusters/{id}/indices/{index}/documents          remove all
    GET    /_emulator/clusters/{id}/indices/{index}/documents/{id}     one document
    PUT    /_emulator/clusters/{id}/indices/{index}/documents/{id}     {"cents": 5}: write it
    DELETE /_emulator/clusters/{id}/indices/{index}/documents/{id}     remove it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from airflow_css.emulator.documents import EmulatedIndex, IndexClosedError
from airflow_css.emulator.exchange import Refusal, Reply, json_reply
from airflow_css.emulator.state import ServiceState

__all__ = ["PREFIX", "DocumentCalls"]

PREFIX = "/_emulator/clusters"

Fields = dict[str, Any]


@dataclass(frozen=True)
class DocumentCalls:
    """
    Answers the calls about indices and documents.

    :param state: What there is.
    """

    state: ServiceState

    def handle(self, method: str, path: str, fields: Fields) -> Reply:
        """
        Return the answer: 404 for what does not exist, 409 for an index that is being restored.

        :param method: The HTTP method.
        :param path: The path, percent-encoded.
        :param fields: The body.
        :raises ValueError: if the body is wrong.
        """
        try:
            return json_reply(200, self._answer(method, path, fields))
        except Refusal as refusal:
            return json_reply(404, {"error": refusal.message})
        except LookupError as error:
            return json_reply(404, {"error": str(error)})
        except IndexClosedError as error:
            return json_reply(409, {"error": str(error)})

    def _answer(self, method: str, path: str, fields: Fields) -> Any:
        # Split before it is decoded: an id may contain a slash.
        segments = [unquote(part) for part in path.removeprefix(PREFIX).strip("/").split("/") if part]
        match segments:
            case [] if method == "GET":
                return [self._cluster(cluster.id, cluster.name) for cluster in self.state.clusters()]
            case [cluster_id, "indices"] if method == "GET":
                return self._indices(cluster_id)
            case [cluster_id, "indices", name]:
                return self._index(method, self._at(cluster_id, name), fields)
            case [cluster_id, "indices", name, "documents"]:
                return self._documents(method, self._at(cluster_id, name), fields)
            case [cluster_id, "indices", name, "documents", key]:
                return self._document(method, self._at(cluster_id, name), key, fields)
        raise LookupError(_unknown(method))

    def _at(self, cluster_id: str, name: str) -> EmulatedIndex:
        return EmulatedIndex(self.state, cluster_id, name)

    def _cluster(self, cluster_id: str, name: str) -> dict[str, Any]:
        return {"id": cluster_id, "name": name, "indices": self._indices(cluster_id)}

    def _indices(self, cluster_id: str) -> dict[str, Any]:
        with self.state.holding(cluster_id) as cluster:
            closed = self.state.closed_indices(cluster)
            return {
                name: {
                    "shards": shards,
                    "documents": len(cluster.documents.get(name, ())),
                    "being_restored": name in closed,
                }
                for name, shards in cluster.indices.items()
            }

    def _index(self, method: str, index: EmulatedIndex, fields: Fields) -> Any:
        def make(fields: Fields) -> None:
            if unknown := sorted(set(fields) - {"shards"}):
                raise ValueError(f"unknown: {', '.join(unknown)}; known is shards")
            index.create(fields.get("shards", 1))

        if method == "DELETE":
            index.drop()
            return {}
        _carry_out(method, {"PUT": make}, fields)
        if not index.exists:
            raise LookupError(f"the cluster {index.cluster_id} has no index {index.name}")
        return self._indices(index.cluster_id)[index.name]

    def _documents(self, method: str, index: EmulatedIndex, fields: Fields) -> Any:
        _carry_out(method, {"POST": index.write, "DELETE": lambda _fields: index.clear()}, fields)
        return index.documents()

    def _document(self, method: str, index: EmulatedIndex, key: str, fields: Fields) -> Any:
        if method == "DELETE":
            index.delete(key)
            return {}
        _carry_out(method, {"PUT": lambda document: index.write({key: document})}, fields)
        documents = index.documents()
        if key not in documents:
            raise LookupError(f"the index {index.name} has no document {key}")
        return documents[key]


def _carry_out(method: str, changes: Mapping[str, Callable[[Fields], None]], fields: Fields) -> None:
    """Make the change that the method stands for; GET changes nothing."""
    if method == "GET":
        return
    if method not in changes:
        raise LookupError(_unknown(method))
    changes[method](fields)


def _unknown(method: str) -> str:
    return f"no such call with {method}; known are {PREFIX} and {PREFIX}/ID/indices[/INDEX[/documents[/ID]]]"
