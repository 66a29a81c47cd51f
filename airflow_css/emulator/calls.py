"""
The calls that the emulator knows: those of the client, and those by which a scene is set.

Source: CSS API reference, "Snapshot Management", 2025-12-01.
"""

from __future__ import annotations

from typing import Any

from airflow_css.protocol.wire import CALLS, Call

__all__ = ["EMULATED", "NOT_EMULATED"]

_CLUSTERS = "/v1.0/{project_id}/clusters"
_CLUSTER = f"{_CLUSTERS}/{{cluster_id}}"
_SNAPSHOTS = f"{_CLUSTER}/index_snapshot"
_V2_CLUSTERS = "/v2.0/{project_id}/clusters"
_V2_POLICY = f"{_V2_CLUSTERS}/{{cluster_id}}/snapshots/policy"


def _call(name: str, method: str, template: str) -> Call[None]:
    return Call(name, method, template, 200, lambda _payload: None)


SETTING_CALLS: tuple[Call[Any], ...] = (
    _call("update_snapshot_setting", "POST", f"{_SNAPSHOTS}/setting"),
    _call("start_auto_setting", "POST", f"{_SNAPSHOTS}/auto_setting"),
    _call("create_auto_create_policy", "POST", f"{_SNAPSHOTS}/policy"),
    _call("stop_snapshot", "DELETE", f"{_SNAPSHOTS}s"),
    _call("start_auto_create_snapshots", "POST", f"{_V2_POLICY}/open"),
    _call("stop_auto_create_snapshots", "PUT", f"{_V2_POLICY}/close"),
)
EMULATED: tuple[Call[Any], ...] = (*CALLS, *SETTING_CALLS)

# Calls about clusters that CSS has and the emulator has not, and that a scene might want. Each is refused with 501, so
# that nobody takes silence for success.
# Source: CSS API reference, "Cluster Management", 2025-12-01, and the official SDK 3.1.219.
NOT_EMULATED: tuple[Call[Any], ...] = (
    _call("create_cluster", "POST", _CLUSTERS),
    _call("create_cluster_v2", "POST", _V2_CLUSTERS),
    _call("delete_cluster", "DELETE", _CLUSTER),
    _call("restart_cluster", "POST", f"{_CLUSTER}/restart"),
    _call("restart_cluster_v2", "POST", f"{_V2_CLUSTERS}/{{cluster_id}}/restart"),
    _call("rolling_restart", "POST", f"{_V2_CLUSTERS}/{{cluster_id}}/rolling-restart"),
    _call("update_extend_cluster", "POST", f"{_CLUSTER}/extend"),
    _call("update_extend_instance_storage", "POST", f"{_CLUSTER}/role_extend"),
    _call("update_cluster_name", "POST", f"{_CLUSTER}/changename"),
)
