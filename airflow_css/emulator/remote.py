"""The documents of an emulator that runs in another process: for tasks and scripts that stand for a load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from airflow_css.emulator.document_calls import PREFIX
from airflow_css.emulator.documents import IndexClosedError

__all__ = ["RemoteIndex"]

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class RemoteIndex:
    """
    One index of an emulated cluster, reached over HTTP: the methods of ``EmulatedIndex``.

    :param url: Where the emulator serves, for example ``http://127.0.0.1:8099``: the endpoint of the connection.
    :param cluster_id: The cluster.
    :param name: The index.
    """

    url: str
    cluster_id: str
    name: str

    @property
    def exists(self) -> bool:
        """Whether the cluster has it now."""
        return self.name in self._call("GET")

    @property
    def is_closed(self) -> bool:
        """Whether it is there and is being restored now."""
        return bool(self._call("GET").get(self.name, {}).get("being_restored"))

    @property
    def shards(self) -> int:
        """How many shards it has; ``LookupError`` if it does not exist."""
        return int(self._call("GET", self.name)["shards"])

    def documents(self) -> dict[str, dict[str, Any]]:
        """
        Return its documents by id.

        :raises LookupError: if it does not exist.
        :raises IndexClosedError: if it is being restored.
        """
        found: dict[str, dict[str, Any]] = self._call("GET", self.name, "documents")
        return found

    def create(self, shards: int = 1) -> None:
        """
        Make it, empty; one that exists with as many shards stays as it is.

        :param shards: How many shards it has, 1 to 1024; default 1.
        :raises ValueError: if the name is none, or it exists with another number.
        :raises IndexClosedError: if it is being restored.
        """
        self._call("PUT", self.name, body={"shards": shards})

    def write(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """
        Add documents, or overwrite those of the same id; an index that does not exist is made with one shard.

        :param documents: JSON objects by id.
        :raises ValueError: if one is no JSON object or too large, or if there would be too many.
        :raises IndexClosedError: if it is being restored.
        """
        self._call("POST", self.name, "documents", body=documents)

    def delete(self, *ids: str) -> None:
        """
        Remove documents, one after the other.

        :param ids: Their ids.
        :raises LookupError: if it or one of them does not exist.
        :raises IndexClosedError: if it is being restored.
        """
        for key in ids:
            self._call("DELETE", self.name, "documents", key)

    def clear(self) -> None:
        """
        Remove all its documents; the index stays.

        :raises LookupError: if it does not exist.
        :raises IndexClosedError: if it is being restored.
        """
        self._call("DELETE", self.name, "documents")

    def drop(self) -> None:
        """
        Remove it with all its documents.

        :raises LookupError: if it does not exist.
        :raises IndexClosedError: if it is being restored.
        """
        self._call("DELETE", self.name)

    def _call(self, method: str, *segments: str, body: Mapping[str, Any] | None = None) -> Any:
        if not self.url.startswith("http://"):
            raise ValueError(
                f"{self.url} is no emulator, http://127.0.0.1:8099 may be one; the documents of a real cluster are "
                "read and written by a client of its engine"
            )
        path = "/".join(quote(part, safe="") for part in (self.cluster_id, "indices", *segments))
        sent = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{PREFIX}/{path}", sent, method=method)  # noqa: S310 - http, as was checked
        # Whatever proxy the shell names leads away from this machine.
        opener = build_opener(ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS) as reply:
                return json.load(reply)
        except HTTPError as error:
            raise _as_told(error) from None


def _as_told(error: HTTPError) -> Exception:
    """Return the error that the same method raises in the emulator's own process."""
    kinds: dict[int, type[Exception]] = {400: ValueError, 404: LookupError, 409: IndexClosedError}
    with error:
        text = error.read().decode(errors="replace")
    if error.code not in kinds:
        return RuntimeError(f"the emulator answered {error.code}: {text[:200]}")
    return kinds[error.code](json.loads(text)["error"])
