"""
The calls of CSS: one entry each, with method, path, the status that means success, and what the answer holds.

The client sends by these entries and the emulator routes by them. ``read_reply`` is the only judge of an answer:
success is the documented status *and* a body that holds what was promised.

Source: CSS API reference, "Snapshot Management" and "Cluster Management", 2025-12-01.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from airflow_css.protocol.codes import error_from_reply
from airflow_css.protocol.errors import CssReplyError, ErrorReply
from airflow_css.protocol.models import Cluster, CreatedSnapshot, Snapshot, SnapshotPolicy
from airflow_css.protocol.names import check_cluster_id, check_project_id, check_snapshot_id
from airflow_css.protocol.parsing import parse_cluster, parse_created, parse_policy, parse_snapshot

__all__ = [
    "CALLS",
    "CREATE_SNAPSHOT",
    "DELETE_SNAPSHOT",
    "GET_CLUSTER",
    "GET_SNAPSHOT_POLICY",
    "LIST_CLUSTERS",
    "LIST_SNAPSHOTS",
    "RESTORE_SNAPSHOT",
    "Call",
    "ClusterPage",
    "build_create_body",
    "build_restore_body",
    "read_error",
    "read_reply",
]

T = TypeVar("T")

_NO_JSON = object()
"""Stands for a body that is there but cannot be decoded."""

_CLUSTERS = "/v1.0/{project_id}/clusters"
_CLUSTER = f"{_CLUSTERS}/{{cluster_id}}"
_CHECKS: dict[str, Callable[[str], str]] = {
    "project_id": check_project_id,
    "cluster_id": check_cluster_id,
    "snapshot_id": check_snapshot_id,
}


@dataclass(frozen=True)
class Call(Generic[T]):
    """
    One call of the service.

    :param name: The name that client, emulator, errors and documentation share.
    :param method: The HTTP method.
    :param template: The path with its parameters in braces.
    :param ok: The one status that means success.
    :param parse: Builds the model from the decoded body.
    """

    name: str
    method: str
    template: str
    ok: int
    parse: Callable[[Any], T]

    @property
    def is_read(self) -> bool:
        """Whether the call changes nothing."""
        return self.method == "GET"

    def path(self, **segments: str) -> str:
        """
        Return the path of the call.

        :param segments: The path parameters by name.
        :raises CssUsageError: if one is not what it should be. An empty snapshot id would turn the deletion of one
            snapshot into another call, so nothing unchecked reaches a path.
        """
        return self.template.format(**{name: _CHECKS[name](value) for name, value in segments.items()})

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """
        Return the path parameters if the request is this call, otherwise ``None``.

        :param method: The HTTP method.
        :param path: The path of the request, without the query.
        """
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template.replace(".", r"\."))
        found = re.fullmatch(pattern, path) if method == self.method else None
        return found.groupdict() if found else None


@dataclass(frozen=True)
class ClusterPage:
    """
    One page of the cluster list.

    :param clusters: The clusters of this page.
    :param total: How many there are in all.
    """

    clusters: tuple[Cluster, ...]
    total: int


def _parse_snapshots(payload: Any) -> tuple[Snapshot, ...]:
    backups = payload.get("backups") if isinstance(payload, Mapping) else None
    if not isinstance(backups, list):
        raise CssReplyError("The list of snapshots came without its array 'backups'")
    return tuple(parse_snapshot(entry) for entry in backups)


def _parse_cluster_page(payload: Any) -> ClusterPage:
    entries = payload.get("clusters") if isinstance(payload, Mapping) else None
    if not isinstance(entries, list):
        raise CssReplyError("The list of clusters came without its array 'clusters'")
    clusters = tuple(parse_cluster(entry) for entry in entries)
    total = payload.get("totalSize")
    return ClusterPage(clusters, total if isinstance(total, int) else len(clusters))


def _parse_nothing(payload: Any) -> None:
    if payload is not None and not (isinstance(payload, Mapping) and "error" not in payload):
        raise CssReplyError("an empty answer was expected, and something else came")


CREATE_SNAPSHOT: Call[CreatedSnapshot] = Call(
    "create_snapshot", "POST", f"{_CLUSTER}/index_snapshot", 201, parse_created
)
LIST_SNAPSHOTS: Call[tuple[Snapshot, ...]] = Call(
    "list_snapshots", "GET", f"{_CLUSTER}/index_snapshots", 200, _parse_snapshots
)
DELETE_SNAPSHOT: Call[None] = Call(
    "delete_snapshot", "DELETE", f"{_CLUSTER}/index_snapshot/{{snapshot_id}}", 200, _parse_nothing
)
RESTORE_SNAPSHOT: Call[None] = Call(
    "restore_snapshot", "POST", f"{_CLUSTER}/index_snapshot/{{snapshot_id}}/restore", 201, _parse_nothing
)
GET_SNAPSHOT_POLICY: Call[SnapshotPolicy] = Call(
    "get_snapshot_policy", "GET", f"{_CLUSTER}/index_snapshot/policy", 200, parse_policy
)
GET_CLUSTER: Call[Cluster] = Call("get_cluster", "GET", _CLUSTER, 200, parse_cluster)
LIST_CLUSTERS: Call[ClusterPage] = Call("list_clusters", "GET", _CLUSTERS, 200, _parse_cluster_page)

CALLS: tuple[Call[Any], ...] = (
    CREATE_SNAPSHOT,
    LIST_SNAPSHOTS,
    DELETE_SNAPSHOT,
    RESTORE_SNAPSHOT,
    GET_SNAPSHOT_POLICY,
    GET_CLUSTER,
    LIST_CLUSTERS,
)


def build_create_body(name: str, *, indices: str | None = None, description: str | None = None) -> dict[str, str]:
    """
    Return the body of a creation.

    :param name: The snapshot name.
    :param indices: The index list as one text; ``None`` backs up all.
    :param description: The description; ``None`` for none.
    """
    body = {"name": name, "description": description, "indices": indices}
    return {key: value for key, value in body.items() if value}


def build_restore_body(
    target_cluster_id: str,
    *,
    indices: str | None = None,
    rename_pattern: str | None = None,
    rename_replacement: str | None = None,
    replace_existing: bool = False,
) -> dict[str, str | bool]:
    """
    Return the body of a restore.

    Source: CSS API reference, "Restoring a Snapshot", 2025-12-01: keys with underscores. Up to mid-2025 they were
    ``targetCluster``, ``renamePattern`` and ``renameReplacement``.

    :param target_cluster_id: The cluster to restore to.
    :param indices: The index list as one text; ``None`` restores all.
    :param rename_pattern: The regular expression that finds the part of a name to replace; ``None`` for no renaming.
    :param rename_replacement: What comes in its place.
    :param replace_existing: Overwrite indices of the same name.
    """
    optional = {"indices": indices, "rename_pattern": rename_pattern, "rename_replacement": rename_replacement}
    body: dict[str, str | bool] = {"target_cluster": target_cluster_id}
    body.update({key: value for key, value in optional.items() if value is not None})
    if replace_existing:
        # Regions with an API from before March 2025 do not know the key; left out, it means no to all of them.
        body["replace_exist_indices"] = True
    return body


def read_reply(call: Call[T], status: int, headers: Mapping[str, str], body: bytes) -> T:
    """
    Return what an answer holds, or raise what it means.

    :param call: The call that was answered.
    :param status: HTTP status.
    :param headers: Headers of the answer; names in any case.
    :param body: The body as it came.
    :raises CssApiError: if CSS refused, also when a refusal came with a status of success.
    :raises CssReplyError: if the answer is not what the call promises.
    """
    payload = _decode(body)
    error = read_error(call.name, status, headers, payload, body)
    if error.code or not 200 <= status < 300:
        raise error_from_reply(error)
    if status != call.ok:
        raise CssReplyError(f"{call.name} was answered with HTTP {status} where {call.ok} is documented", error)
    try:
        return call.parse(payload)
    except CssReplyError as cause:
        raise CssReplyError(f"{call.name} was answered with HTTP {status}, but: {cause.args[0]}", error) from cause


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        # Not only broken JSON: also an endless number, or brackets without end.
        return _NO_JSON


def read_error(call: str, status: int, headers: Mapping[str, str], payload: Any, body: bytes = b"") -> ErrorReply:
    """
    Return the facts of an answer as far as they tell of an error.

    Four shapes are known: CSS itself, its documentation, the gateway, and the sign-in service.

    :param call: Name of the call.
    :param status: HTTP status.
    :param headers: Headers of the answer; names in any case.
    :param payload: The decoded body, ``None`` when there is none.
    :param body: The body as it came, for an answer that is not JSON.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    code, message = _code_and_message(payload)
    if not message and payload is _NO_JSON and status >= 300:
        message = body[:200].decode(errors="replace").strip()
    request_id = lower.get("x-request-id") or lower.get("x-iam-trace-id") or _text(payload, "request_id")
    return ErrorReply(
        status=status,
        code=code,
        message=_without_echo(message),
        request_id=request_id,
        call=call,
        retry_after=_seconds(lower.get("retry-after")),
    )


def _code_and_message(payload: Any) -> tuple[str, str]:
    inner = payload.get("error") if isinstance(payload, Mapping) else None
    if isinstance(inner, Mapping):
        # The sign-in service puts the HTTP status where others put their code.
        return "", _text(inner, "message") or _text(inner, "title")
    code = _text(payload, "errCode") or _text(payload, "error_code") or _text(payload, "errorCode")
    message = _text(payload, "externalMessage") or _text(payload, "error_msg") or _text(payload, "errorMsg")
    return code, message


def _text(payload: Any, key: str) -> str:
    value = payload.get(key) if isinstance(payload, Mapping) else None
    return value if isinstance(value, str) else ""


def _without_echo(message: str) -> str:
    # After a bad signature the gateway repeats the request that it saw, security token included.
    return re.sub(r"(?is)canonical_?\s?request\s*:.*", "[echo of the request left out]", message)


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
