"""
Calls of the emulator's own, under ``/_emulator/``, for people and for other processes. They need no signature.

::

    GET  /_emulator/state                                  what there is
    POST /_emulator/clock   {"advance": 3600}              turn the clock ahead, in seconds
    POST /_emulator/faults  {"kind": "drop", "call": "create_snapshot", "when": "after"}
    GET  /_emulator/holds                                  the held requests
    POST /_emulator/indices {"cluster_id": "...", "indices": ["orders", "customers"]}
    POST /_emulator/release {"id": 1, "lose": false}       let one go on, or get lost
    ...  /_emulator/clusters...                            indices and documents: see ``document_calls``
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from airflow_css.emulator.bounds import check_seconds
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.document_calls import PREFIX, DocumentCalls
from airflow_css.emulator.exchange import Reply, Request, json_reply
from airflow_css.emulator.faults import FaultScript, Match
from airflow_css.emulator.holds import Hold
from airflow_css.emulator.index_lists import check_index_set
from airflow_css.emulator.state import ServiceState

__all__ = ["Control"]

KINDS = (
    "answer",
    "busy",
    "clear",
    "drop",
    "fate",
    "hold",
    "html",
    "not_json",
    "odd_entries",
    "redirect",
    "restore_fate",
    "slow",
    "slow_deletion",
    "throttle",
    "truncate",
    "without_backup",
)


@dataclass(frozen=True)
class Control:
    """
    Answers the emulator's own calls.

    :param clock: The time.
    :param state: What there is.
    :param faults: What goes wrong.
    :param seen: Returns what came in.
    """

    clock: TurnableClock
    state: ServiceState
    faults: FaultScript
    seen: Callable[[], Sequence[Any]]

    def handle(self, request: Request) -> Reply:
        """
        Return the answer; 400 with a sentence when something is wrong with the request.

        :param request: The request.
        """
        calls: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "state"): self._state,
            ("GET", "holds"): self._holds,
            ("POST", "clock"): self._turn,
            ("POST", "faults"): self._add_fault,
            ("POST", "indices"): self._set_indices,
            ("POST", "release"): self._release,
        }
        call = calls.get((request.method, request.path.removeprefix("/_emulator/")))
        if call is None and not f"{request.path}/".startswith(f"{PREFIX}/"):
            known = ", ".join(f"{method} /_emulator/{name}" for method, name in calls)
            return json_reply(404, {"error": f"known are {known}, and {PREFIX}"})
        try:
            fields = _fields(request.body)
            if call is None:
                return DocumentCalls(self.state).handle(request.method, request.path, fields)
            return json_reply(200, call(fields))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return json_reply(400, {"error": str(error)})

    def _state(self, _fields: Mapping[str, Any]) -> dict[str, Any]:
        requests = [{**asdict(seen), "at": seen.at.isoformat()} for seen in self.seen()]
        return {
            "now": self.clock.now().isoformat(),
            "clusters": [self._cluster(cluster.id) for cluster in self.state.clusters()],
            "faults": self.faults.shown(),
            "holds": self._holds({}),
            "requests": requests,
        }

    def _cluster(self, cluster_id: str) -> dict[str, Any]:
        cluster = self.state.find(cluster_id)
        return {
            "cluster": self.state.show_cluster(cluster_id),
            "policy": cluster.policy.shown(),
            "cancelled_automatic_snapshots": cluster.cancelled,
            "indices": list(cluster.indices),
            "documents": {name: len(cluster.documents.get(name, ())) for name in cluster.indices},
            "restores": [restore.shown() for restore in cluster.restores],
            "snapshots": self.state.list_snapshots(cluster_id),
        }

    def _holds(self, _fields: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [hold.shown() for hold in self.faults.holds]

    def _turn(self, fields: Mapping[str, Any]) -> dict[str, str]:
        return {"now": self.clock.advance(check_seconds("advance", fields.get("advance"))).isoformat()}

    def _set_indices(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Give a cluster these indices, with one shard each or as many as are given; the only cluster needs no id."""
        known = [cluster.id for cluster in self.state.clusters()]
        cluster_id = fields.get("cluster_id", known[0] if len(known) == 1 else None)
        if cluster_id not in known:
            raise ValueError(f"cluster_id is one of {', '.join(known)}, not {cluster_id!r}")
        self.state.change_cluster(cluster_id, indices=check_index_set(fields.get("indices")))
        return {"indices": list(self.state.find(cluster_id).indices)}

    def _add_fault(self, fields: dict[str, Any]) -> dict[str, Any]:
        kind = fields.pop("kind", None)
        if kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
        method = getattr(self.faults, kind)
        _check_names(method, fields)
        added = method(**fields)
        return added.shown() if isinstance(added, Hold) else {"faults": self.faults.shown()}

    def _release(self, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Let the hold with this id go, or all when none is named."""
        chosen = [hold for hold in self.faults.holds if fields.get("id") in {None, hold.number}]
        if not chosen:
            raise ValueError(f"there is no hold {fields.get('id')!r}")
        for hold in chosen:
            if fields.get("lose"):
                hold.lose()
            else:
                hold.release()
        return [hold.shown() for hold in chosen]


def _fields(body: bytes) -> dict[str, Any]:
    fields = json.loads(body or b"{}")
    if not isinstance(fields, dict):
        raise ValueError("the body is a JSON object")  # noqa: TRY004 - the caller is told as by the others
    return fields


def _check_names(method: Callable[..., Any], fields: Mapping[str, Any]) -> None:
    own = set(inspect.signature(method).parameters) - {"match"}
    known = own | (set(Match.__annotations__) if "match" in inspect.signature(method).parameters else set())
    if unknown := sorted(set(fields) - known):
        raise ValueError(f"unknown: {', '.join(unknown)}; known are {', '.join(sorted(known))}")
