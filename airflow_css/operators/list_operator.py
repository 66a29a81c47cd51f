"""The operator that lists snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_css.hooks.css import CssHook
from airflow_css.tasks.missing_date import TellsMissingDate

__all__ = ["ListSnapshotsOperator"]


_OPTIONAL = ("cluster_id", "cluster_name", "name_prefix", "name_regex")


class ListSnapshotsOperator(TellsMissingDate, BaseOperator):
    """
    Gives the snapshots of a cluster that fit all of its filters, newest first.

    It changes nothing, and waits for nothing.

    XComs: ``return_value``, a list with one dictionary of plain JSON for each snapshot: ``id``, ``name``, ``status``,
    ``is_good``, ``is_damaged``, ``is_automatic``, ``description``, ``indices``, ``total_shards``, ``failed_shards``,
    ``restore_status``, ``bucket``, ``cluster_id``, ``created_at``, ``started_at``, ``ended_at``, ``duration_seconds``.
    ``is_damaged`` is true of a damaged state that a checkpoint kept, which is then not ``is_good``.

    .. seealso:: :doc:`/how-to/list-snapshots`

    :param status: Only those in this state: ``BUILDING``, ``COMPLETED``, ``FAILED`` or ``PART_FAILED``; several as a
        list or a text with commas. Default: any.
    :param only_good: Only those that can be relied on: completed, no failed shard, not empty, no damaged state that a
        checkpoint kept. Default no.
    :param name_prefix: What the name begins with; it is folded as names are. (templated) Default: anything.
    :param name_regex: A regular expression that matches the whole name. (templated) Default: anything.
    :param older_than: Only those that began longer ago, as ``timedelta``, seconds, or a text such as ``14d`` or
        ``1y5m7d2h``. Default: any age. One of unknown age does not fit.
    :param newer_than: Only those that began less long ago, likewise.
    :param kind: ``manual`` for those that somebody asked for, ``automatic`` for those of the cluster's policy. Default:
        both.
    :param scope: Only those that bear a mark of this package: ``package`` for all of them, ``deployment`` for those of
        this Airflow, ``dag`` for those of this DAG, ``task`` for those of the tasks in ``task_ids``. Default: also
        those without a mark.
    :param task_ids: With the scope ``task``: the tasks of this DAG that made them.
    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :raises AirflowFailException: for everything that no retry can cure.
    :raises CssError: for everything that a retry may cure.

    Source: CSS API reference, "Querying the Snapshot List", 2025-12-01.
    """

    template_fields: Sequence[str] = ("cluster_id", "cluster_name", "name_prefix", "name_regex", "css_conn_id")
    ui_color = "#e3efe0"
    hook_class: ClassVar[type[CssHook]] = CssHook

    def __init__(
        self,
        *,
        status: str | Sequence[str] | None = None,
        only_good: bool = False,
        name_prefix: str | None = None,
        name_regex: str | None = None,
        older_than: str | timedelta | float | None = None,
        newer_than: str | timedelta | float | None = None,
        kind: str | None = None,
        scope: str | None = None,
        task_ids: Sequence[str] = (),
        cluster_id: str | None = None,
        cluster_name: str | None = None,
        css_conn_id: str = CssHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.status = status
        self.only_good = only_good
        self.name_prefix = name_prefix
        self.name_regex = name_regex
        self.older_than = older_than
        self.newer_than = newer_than
        self.kind = kind
        self.scope = scope
        self.task_ids = task_ids
        self.cluster_id = cluster_id
        self.cluster_name = cluster_name
        self.css_conn_id = css_conn_id
        # Rendering overwrites the fields; afterwards nobody could tell the DAG's own None from a rendered one.
        self.given_fields = tuple(name for name in _OPTIONAL if getattr(self, name) is not None)

    @cached_property
    def hook(self) -> CssHook:
        """The hook for the rendered connection."""
        return self.hook_class(self.css_conn_id)

    def execute(self, context: Any) -> list[dict[str, Any]]:
        """
        Return the snapshots, newest first.

        :param context: Airflow's context.
        """
        # Imported here: what only a worker needs must not be paid for at every parse of every DAG file.
        from airflow_css.operators.listing import Listing

        return Listing(self, context).fetch()
