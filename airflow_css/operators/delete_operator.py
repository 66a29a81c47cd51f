"""The operator that deletes a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_css.operators.base import ClusterOperator

if TYPE_CHECKING:
    from airflow_css.operators.deletion import Deletion

__all__ = ["DeleteSnapshotOperator"]


_OPTIONAL = ("cluster_id", "cluster_name", "snapshot_id", "snapshot_name")


class DeleteSnapshotOperator(ClusterOperator):
    """
    Deletes one snapshot for good, and succeeds when the cluster no longer lists it.

    It looks first. What is being made or restored is waited for; what somebody holds, and what the cluster's own policy
    looks after, is refused. An error is never taken for a deletion: only a list without the snapshot is.

    XComs: ``return_value`` with ``snapshot_id``, ``name``, ``cluster_id``, ``deleted`` and ``was_missing``.

    .. seealso:: :doc:`/how-to/delete-snapshots`

    :param snapshot_id: The snapshot: its backup id. (templated)
    :param snapshot_name: Its name, instead of the id; it is folded as when it was made. (templated) Exactly one of the
        two is needed.
    :param ignore_missing: Whether a snapshot that the cluster does not list is a success. Default yes. Without, the
        task fails; but a retry succeeds, because the try before may have deleted it.
    :param allow_automatic: Whether an automatic snapshot may go, once automatic creation is off. Default no.
    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param wait_for_completion: Whether to wait until it is gone. Without, the task succeeds when CSS has accepted the
        deletion. Default yes.
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poll_interval: Lower bound between two looks, in seconds. Default: 2 at first, then growing with the age up
        to 60.
    :param timeout: Seconds from the deletion until it must be gone. Default 3,600.
    :param turn_timeout: Seconds to wait while something works on the snapshot or on the cluster; 0 to fail at once.
        Default 21,600 (6 hours).
    :raises AirflowFailException: for everything that no retry can cure.
    :raises CssError: for everything that a retry may cure.

    Source: CSS API reference, "Deleting a Snapshot", 2025-12-01.
    """

    template_fields: Sequence[str] = ("cluster_id", "cluster_name", "snapshot_id", "snapshot_name", "css_conn_id")
    ui_color = "#f4d4d4"

    def __init__(
        self,
        *,
        snapshot_id: str | None = None,
        snapshot_name: str | None = None,
        ignore_missing: bool = True,
        allow_automatic: bool = False,
        timeout: float = 3_600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.snapshot_id = snapshot_id
        self.snapshot_name = snapshot_name
        self.ignore_missing = ignore_missing
        self.allow_automatic = allow_automatic
        self.timeout = timeout
        # Rendering overwrites the fields; afterwards nobody could tell the DAG's own None from a rendered one.
        self.given_fields = tuple(name for name in _OPTIONAL if getattr(self, name) is not None)
        self._deletion: Deletion | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """
        Return what was deleted, after it is gone.

        :param context: Airflow's context.
        """
        return self._delete(context).start()

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Go on after a wait in the triggerer.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._delete(context).resume(event)

    def _delete(self, context: Any) -> Deletion:
        # Imported here: what only a worker needs must not be paid for at every parse of every DAG file.
        from airflow_css.operators.deletion import Deletion

        self._deletion = Deletion(self, context)
        return self._deletion

    def on_kill(self) -> None:
        """Say that CSS goes on with what it has accepted."""
        if self._deletion is not None:
            self._deletion.tell_killed()
