"""What each call does to the state, and its true answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from airflow_css.emulator.exchange import Reply, Request, css_refusal, json_reply
from airflow_css.emulator.faults import FaultScript
from airflow_css.emulator.orders import read_creation, read_restore
from airflow_css.emulator.settings import read_opening, read_policy, read_setting
from airflow_css.emulator.state import ServiceState

__all__ = ["Effects"]

Segments = Mapping[str, str]


@dataclass(frozen=True)
class Effects:
    """
    Carries out calls.

    :param state: What there is.
    :param faults: Say how works end that begin.
    """

    state: ServiceState
    faults: FaultScript

    def carry_out(self, call: str, request: Request, segments: Segments) -> Reply:
        """
        Return the answer to a call after its effect.

        Assumed: a cluster that is missing is noticed before a body that is wrong.

        :param call: Its name.
        :param request: The request.
        :param segments: The path parameters.
        :raises Refusal: if a rule forbids it.
        """
        if "cluster_id" in segments:
            self.state.find(segments["cluster_id"])
        effects: dict[str, Callable[[Request, Segments], Reply]] = {
            "create_snapshot": self._create,
            "list_snapshots": self._list_snapshots,
            "delete_snapshot": self._delete,
            "restore_snapshot": self._restore,
            "get_snapshot_policy": self._show_policy,
            "get_cluster": self._show_cluster,
            "list_clusters": self._list_clusters,
            "update_snapshot_setting": self._update_setting,
            "start_auto_setting": self._start_auto_setting,
            "create_auto_create_policy": self._set_policy,
            "stop_snapshot": self._stop,
            "start_auto_create_snapshots": self._open_policy,
            "stop_auto_create_snapshots": self._close_policy,
        }
        return effects[call](request, segments)

    def _create(self, request: Request, segments: Segments) -> Reply:
        entry = self.state.create(segments["cluster_id"], read_creation(request.body), self.faults.next_fate)
        return json_reply(201, {"backup": {"id": entry.id, "name": entry.name}})

    def _list_snapshots(self, _request: Request, segments: Segments) -> Reply:
        return json_reply(200, {"backups": self.state.list_snapshots(segments["cluster_id"])})

    def _delete(self, _request: Request, segments: Segments) -> Reply:
        self.state.delete(segments["cluster_id"], segments["snapshot_id"], self.faults.next_deletion)
        return Reply(200)

    def _restore(self, request: Request, segments: Segments) -> Reply:
        order = read_restore(request.body)
        self.state.restore(segments["cluster_id"], segments["snapshot_id"], order, self.faults.next_restore_fate)
        return Reply(201)

    def _show_policy(self, _request: Request, segments: Segments) -> Reply:
        return json_reply(200, self.state.find(segments["cluster_id"]).policy.shown())

    def _show_cluster(self, _request: Request, segments: Segments) -> Reply:
        return json_reply(200, self.state.show_cluster(segments["cluster_id"]))

    def _list_clusters(self, request: Request, _segments: Segments) -> Reply:
        return json_reply(200, self._cluster_page(request.query))

    def _update_setting(self, request: Request, segments: Segments) -> Reply:
        self.state.order_settings(segments["cluster_id"], read_setting(request.body))
        return Reply(200)

    def _start_auto_setting(self, _request: Request, segments: Segments) -> Reply:
        self.state.order_settings(segments["cluster_id"], None)
        return Reply(200)

    def _set_policy(self, request: Request, segments: Segments) -> Reply:
        self.state.order_policy(segments["cluster_id"], read_policy(request.body))
        return Reply(200)

    def _stop(self, _request: Request, segments: Segments) -> Reply:
        self.state.stop(segments["cluster_id"])
        return Reply(200)

    def _open_policy(self, request: Request, segments: Segments) -> Reply:
        self.state.order_policy(segments["cluster_id"], read_opening(request.body))
        return Reply(200)

    def _close_policy(self, _request: Request, segments: Segments) -> Reply:
        self.state.close_policy(segments["cluster_id"])
        return Reply(200)

    def _cluster_page(self, query: str) -> dict[str, Any]:
        """
        Return one page of the cluster list.

        Source: CSS API reference, "Querying the Cluster List", 2025-12-01: ``offset`` and ``limit`` are 1 to 1000,
        default 1 and 10.
        """
        asked = parse_qs(query, keep_blank_values=True)
        offset, limit = _paging(asked, "offset", 1), _paging(asked, "limit", 10)
        engine = asked.get("datastoreType", [""])[-1].lower()
        word = self.state.rules.status_while_snapshotting
        found = [c for c in self.state.clusters() if not engine or c.engine.lower() == engine]
        page = found[offset - 1 : offset - 1 + limit]
        return {"totalSize": len(found), "clusters": [c.shown(status_while_snapshotting=word) for c in page]}


def _paging(asked: Mapping[str, list[str]], name: str, default: int) -> int:
    text = asked.get(name, [str(default)])[-1]
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 1000:
        raise css_refusal("CSS.0001", f"{name} is a number from 1 to 1000")
    return int(text)
