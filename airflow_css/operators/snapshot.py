"""The operators for snapshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from airflow_css.operators.base import ClusterOperator
from airflow_css.operators.default_name import NameFromRun
from airflow_css.operators.delete_operator import DeleteSnapshotOperator
from airflow_css.operators.list_operator import ListSnapshotsOperator
from airflow_css.operators.restore_operator import RestoreSnapshotOperator

if TYPE_CHECKING:
    from airflow_css.operators.creation import Creation

__all__ = ["CreateSnapshotOperator", "DeleteSnapshotOperator", "ListSnapshotsOperator", "RestoreSnapshotOperator"]


_OPTIONAL = ("cluster_id", "cluster_name", "indices", "description")


class CreateSnapshotOperator(ClusterOperator):
    """
    Makes one snapshot of a cluster per run, waits for it, and gives its id: the backup id.

    However often the task is retried, killed or resumed, there is one snapshot. It carries a mark in its description,
    by which a later try finds it. The operator never deletes anything.

    XComs: ``return_value`` and ``backup_id`` (the id), ``snapshot_name``, ``cluster_id``, and at the end ``snapshot``
    with the facts. ``backup_id``, ``snapshot_name`` and ``cluster_id`` are there before the wait begins.

    .. seealso:: :doc:`/how-to/create-snapshot`

    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param snapshot_name: Template, or a callable that takes the context and the Jinja environment. What it renders to
        is folded into a legal name. Default: derived from DAG, date and run. (templated)
    :param indices: Index names and patterns, as a list or a text with commas, at most 1,024 characters. Default: all.
        (templated)
    :param description: Your own words, at most 200 characters, none of ``!<>=&"'`` and no backslash. (templated)
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param wait_for_completion: Whether to wait for the end. Without, the task succeeds when CSS has accepted the
        snapshot. Default yes.
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poll_interval: Lower bound between two looks, in seconds. Default: 2 at first, then growing with the age up
        to 60.
    :param timeout: Seconds from the snapshot's own start; retries do not extend it. Default 90,000 (25 hours).
    :param turn_timeout: Seconds to wait for the cluster to become free; 0 to fail at once. Default 21,600 (6 hours).
    :param on_existing: What to do, after the task was cleared, with the snapshot it made before: ``adopt`` (default)
        uses it, ``new`` makes another one, ``fail`` fails. A retry always uses its own.
    :param allow_partial: Accept a snapshot in which shards failed. Default no.
    :param fail_if_empty: Fail when nothing was backed up, or a requested name or pattern has no index. Default yes.
    :param hold: Add the word ``hold`` to the mark, for whoever cleans up: this one is to stay. Default no.
    :raises AirflowFailException: for everything that no retry can cure.
    :raises CssError: for everything that a retry may cure.

    Source: CSS API reference, "Manually Creating a Snapshot", 2025-08-15.
    """

    template_fields: Sequence[str] = (
        "cluster_id",
        "cluster_name",
        "snapshot_name",
        "indices",
        "description",
        "css_conn_id",
    )
    ui_color = "#d7e9f7"
    # Of no parameter: only a checkpoint knows that what it backs up is damaged.
    keeps_damage: bool = False

    def __init__(
        self,
        *,
        snapshot_name: str | Callable[[Any, Any], str] | None = None,
        indices: str | Sequence[str] | None = None,
        description: str | None = None,
        timeout: float = 90_000,
        on_existing: str = "adopt",
        allow_partial: bool = False,
        fail_if_empty: bool = True,
        hold: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.snapshot_name = NameFromRun() if snapshot_name is None else snapshot_name
        self.indices = indices
        self.description = description
        self.timeout = timeout
        self.on_existing = on_existing
        self.allow_partial = allow_partial
        self.fail_if_empty = fail_if_empty
        self.hold = hold
        # Rendering overwrites the fields; afterwards nobody could tell the DAG's own None from a rendered one.
        self.given_fields = tuple(name for name in _OPTIONAL if getattr(self, name) is not None)
        self._creation: Creation | None = None

    def execute(self, context: Any) -> str:
        """
        Return the backup id, after the snapshot ended well.

        :param context: Airflow's context.
        """
        return self._create(context).start()

    def resume_at_turn(self, context: Any, event: Any = None) -> str:
        """
        Go on when the cluster's turn has come.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._create(context).resume_at_turn(event)

    def execute_complete(self, context: Any, event: Any = None) -> str:
        """
        Return the backup id when the snapshot has ended.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._create(context).resume_at_end(event)

    def _create(self, context: Any) -> Creation:
        # Imported here: what only a worker needs must not be paid for at every parse of every DAG file.
        from airflow_css.operators.creation import Creation

        self._creation = Creation(self, context)
        return self._creation

    def on_kill(self) -> None:
        """Leave the snapshot alone, and say so."""
        if self._creation is not None:
            self._creation.tell_killed()
