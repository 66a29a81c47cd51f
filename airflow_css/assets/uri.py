"""The URI of a backup, and what an event of it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.names import check_cluster_id, fold_prefix

if TYPE_CHECKING:
    from airflow_css.protocol.models import Snapshot

__all__ = ["BackupUri", "event_extra", "read_uri", "sanitize_uri"]

SCHEME = "css"
_EXAMPLE = "css://4f3deec3-efa8-4598-bf91-560aad1377a3/orders-"


class BackupUri(NamedTuple):
    """
    What an asset of ours speaks of.

    :param cluster_id: The cluster.
    :param name_prefix: What the names of its snapshots begin with; empty for any.
    """

    cluster_id: str
    name_prefix: str

    def __str__(self) -> str:
        return f"{SCHEME}://{self.cluster_id}/{self.name_prefix}"


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """
    Return the URI in the one way to write it; Airflow calls this for each asset of the scheme.

    :param uri: The URI, taken apart.
    :raises CssUsageError: if it names no cluster, or no legal name can begin so.
    """
    text = uri.path.lstrip("/")
    if uri.query or uri.fragment:
        rule = "it names a cluster and the beginning of a name, and nothing behind a ? or #"
        raise CssUsageError("asset", uri.geturl(), rule, _EXAMPLE)
    cluster_id = check_cluster_id(uri.netloc.lower())
    return uri._replace(netloc=cluster_id, path=f"/{fold_prefix(text) if text else ''}")


def read_uri(asset: object) -> BackupUri | None:
    """
    Return what an outlet speaks of, ``None`` when it is no asset of ours.

    :param asset: What a task has among its outlets: an asset, a reference to one, or an alias.
    """
    parts = urlsplit(str(getattr(asset, "uri", "")))
    return BackupUri(parts.netloc, parts.path.lstrip("/")) if parts.scheme == SCHEME else None


def event_extra(cluster_id: str, snapshot: Snapshot) -> dict[str, Any]:
    """
    Return what an event says of a backup, as plain JSON and under the names of the task's XComs.

    :param cluster_id: The cluster.
    :param snapshot: The snapshot.
    """
    return {
        "backup_id": snapshot.id,
        "snapshot_name": snapshot.name,
        "cluster_id": cluster_id,
        "snapshot": snapshot.as_json(),
    }
