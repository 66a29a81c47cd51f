"""The operator that restores a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_css.operators.base import ClusterOperator

if TYPE_CHECKING:
    from airflow_css.operators.restoration import Restoration

__all__ = ["RestoreSnapshotOperator"]


_OPTIONAL = (
    "cluster_id",
    "cluster_name",
    "snapshot_id",
    "snapshot_name",
    "name_prefix",
    "indices",
    "rename_pattern",
    "rename_replacement",
)


class RestoreSnapshotOperator(ClusterOperator):
    """
    Restores one snapshot, waits for the end of this very restore, and gives what was restored.

    Only a good snapshot is restored. A retry joins a restore that an earlier try began. Where nothing tells whether it
    did, the restore is sent once more only if that makes nothing worse: with new names, or with ``replace``.

    XComs: ``return_value`` with snapshot, clusters, status, duration and the names; before the wait begins
    ``snapshot_id``, ``snapshot_name``, ``cluster_id``, ``target_cluster_id`` and ``indices``: pairs of ``source`` and
    ``target`` names, or nothing when the snapshot does not list its indices by name.

    .. seealso:: :doc:`/how-to/restore-snapshot`

    :param target_cluster_id: The cluster to restore to; ``same`` for the one that the snapshot is of. (templated)
    :param snapshot_id: The snapshot: its backup id. (templated)
    :param snapshot_name: Its name, instead of the id; it is folded as when it was made. (templated)
    :param latest_good: Restore the newest snapshot that can be relied on. Default no. Exactly one of ``snapshot_id``,
        ``snapshot_name`` and this is needed.
    :param name_prefix: With ``latest_good``: what its name begins with. Default: any. (templated)
    :param scope: With ``latest_good``: whose it must be: ``dag`` (made by this DAG), ``deployment`` (by this Airflow)
        or ``package`` (by any task of this package). Default: anybody's, automatic ones included.
    :param max_age: With ``latest_good``: how old it may be, as ``timedelta`` or seconds. Default: any age.
    :param cluster_id: The cluster that the snapshot is of. (templated)
    :param cluster_name: Its exact name, instead of the id. (templated) Without either, the connection's default cluster
        is used.
    :param indices: What to take out of the snapshot: index names and patterns, as a list or a text with commas.
        Default: all. (templated)
    :param rename_pattern: A regular expression; each place where it matches an index name is replaced. Java's rules
        hold: ``(.+)`` matches a whole name once. Goes with ``rename_replacement`` only. (templated)
    :param rename_replacement: What each match becomes; ``$1`` is the first group. (templated)
    :param existing_indices: ``keep`` (default) leaves indices of the same name as they are, in silence; ``replace``
        overwrites them.
    :param allow_partial: Restore also a snapshot in which shards failed. Default no.
    :param verify: Called after the end with the new names as a tuple (``None`` when they cannot be foreseen); if it
        returns ``False`` or raises, the task fails.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param wait_for_completion: Whether to wait for the end. Without, the task succeeds when CSS has accepted the
        restore. Default yes.
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poll_interval: Lower bound between two looks, in seconds. Default: 2 at first, then growing with the age up
        to 60.
    :param timeout: Seconds from the restore's start; retries do not extend it. Default 90,000 (25 hours).
    :param turn_timeout: Seconds to wait for both clusters to become free; 0 to fail at once. Default 21,600 (6 hours).
    :raises AirflowFailException: for everything that no retry can cure.
    :raises CssError: for everything that a retry may cure.

    Source: CSS API reference, "Restoring a Snapshot", 2025-11-17.
    """

    template_fields: Sequence[str] = (
        "cluster_id",
        "cluster_name",
        "snapshot_id",
        "snapshot_name",
        "name_prefix",
        "indices",
        "rename_pattern",
        "rename_replacement",
        "target_cluster_id",
        "css_conn_id",
    )
    ui_color = "#f9e3d2"

    def __init__(
        self,
        *,
        target_cluster_id: str,
        snapshot_id: str | None = None,
        snapshot_name: str | None = None,
        latest_good: bool = False,
        name_prefix: str | None = None,
        scope: str | None = None,
        max_age: timedelta | float | None = None,
        indices: str | Sequence[str] | None = None,
        rename_pattern: str | None = None,
        rename_replacement: str | None = None,
        existing_indices: str = "keep",
        allow_partial: bool = False,
        verify: Callable[[tuple[str, ...] | None], object] | None = None,
        timeout: float = 90_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target_cluster_id = target_cluster_id
        self.snapshot_id = snapshot_id
        self.snapshot_name = snapshot_name
        self.latest_good = latest_good
        self.name_prefix = name_prefix
        self.scope = scope
        self.max_age = max_age
        self.indices = indices
        self.rename_pattern = rename_pattern
        self.rename_replacement = rename_replacement
        self.existing_indices = existing_indices
        self.allow_partial = allow_partial
        self.verify = verify
        self.timeout = timeout
        # Rendering overwrites the fields; afterwards nobody could tell the DAG's own None from a rendered one.
        self.given_fields = tuple(name for name in _OPTIONAL if getattr(self, name) is not None)
        self._restoration: Restoration | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """
        Return what was restored, after the restore ended well.

        :param context: Airflow's context.
        """
        return self._restore(context).start()

    def resume_at_turn(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Go on when the cluster's turn has come.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._restore(context).resume_at_turn(event)

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Return what was restored when the restore has ended.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._restore(context).resume_at_end(event)

    def _restore(self, context: Any) -> Restoration:
        # Imported here: what only a worker needs must not be paid for at every parse of every DAG file.
        from airflow_css.operators.restoration import Restoration

        self._restoration = Restoration(self, context)
        return self._restoration

    def on_kill(self) -> None:
        """Let the restore go on, since CSS cannot stop one, and say so."""
        if self._restoration is not None:
            self._restoration.tell_killed()
