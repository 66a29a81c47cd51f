"""The operator that keeps some snapshots and deletes the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_css.links.css import SnapshotLink
from airflow_css.operators.base import ClusterOperator

if TYPE_CHECKING:
    from airflow_css.operators.pruning import Pruning

__all__ = ["PruneSnapshotsOperator"]


_OPTIONAL = ("cluster_id", "cluster_name", "name_prefix", "name_regex", "hold_ids", "hold_names")


def _is_given(name: str, value: Any) -> bool:
    """Return whether the DAG gives a value: an empty list that it holds is none, but one that is rendered is a loss."""
    holds_nothing = name.startswith("hold_") and isinstance(value, list | tuple) and not value
    return value is not None and not holds_nothing


class KeepingOperator(ClusterOperator):
    """
    Knows the rules of a retention.

    :param keep_last: Keep the newest so many. At least one keep rule must be above zero.
    :param keep_hourly: Keep the newest of each of the last so many hours that have one.
    :param keep_daily: The same with days.
    :param keep_weekly: The same with ISO weeks.
    :param keep_monthly: The same with months.
    :param keep_yearly: The same with years.
    :param keep_within: Keep all that are younger than this before the newest good one, as text such as ``14d`` or
        ``1y5m7d2h``, or as ``timedelta``.
    :param timezone: IANA name of the zone whose hours, days, weeks, months and years count. Default ``UTC``.
    :param older_than: Only what is older than this, counted from now, may go, as text or ``timedelta``. Default: any
        age.
    :param max_delete: At most so many go in one try, the oldest first; the others are postponed. Default: all.
    """

    def __init__(
        self,
        *,
        keep_last: int | None = None,
        keep_hourly: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        keep_yearly: int | None = None,
        keep_within: str | timedelta | None = None,
        timezone: str = "UTC",
        older_than: str | timedelta | None = None,
        max_delete: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keep_last = keep_last
        self.keep_hourly = keep_hourly
        self.keep_daily = keep_daily
        self.keep_weekly = keep_weekly
        self.keep_monthly = keep_monthly
        self.keep_yearly = keep_yearly
        self.keep_within = keep_within
        self.timezone = timezone
        self.older_than = older_than
        self.max_delete = max_delete


class PruneSnapshotsOperator(KeepingOperator):
    """
    Keeps the snapshots that its rules name, deletes the others, and gives the plan with a reason for each snapshot.

    The keep rules are those of ``restic forget``; what one of them keeps stays. They count for each group of snapshots
    by itself. Whatever the rules say, these are never touched: what is being made or restored, automatic ones, held
    ones, the newest good one of a group, and those of unknown age or with a mark of an unknown version. By default
    only snapshots that this DAG of this Airflow made are judged at all.

    XComs: ``return_value`` with ``cluster_id``, ``counts``, ``snapshots`` (id, name, verdict, reason and date of each),
    ``deleted`` and ``skipped`` (ids), and ``dry_run``.

    .. seealso:: :doc:`/how-to/retention`

    :param keep_last: Keep the newest so many. At least one keep rule must be above zero.
    :param keep_hourly: Keep the newest of each of the last so many hours that have one.
    :param keep_daily: The same with days.
    :param keep_weekly: The same with ISO weeks.
    :param keep_monthly: The same with months.
    :param keep_yearly: The same with years.
    :param keep_within: Keep all that are younger than this before the newest good one, as text such as ``14d`` or
        ``1y5m7d2h``, or as ``timedelta``.
    :param timezone: IANA name of the zone whose hours, days, weeks, months and years count. Default ``UTC``.
    :param older_than: Only what is older than this, counted from now, may go, as text or ``timedelta``. Default: any
        age.
    :param max_delete: At most so many go in one try, the oldest first; the others are postponed. Default: all.
    :param hold_ids: Ids of snapshots that are never touched, as a list or a text with commas; ``None`` or ``[]`` for
        none. A template that renders to nothing is refused. (templated)
    :param hold_names: Names of snapshots that are never touched, likewise; they are folded. (templated)
    :param scope: Whose snapshots are judged: ``dag`` (default) of this DAG, ``task`` of the tasks in ``task_ids``,
        ``deployment`` of every DAG of this Airflow, ``package`` of every Airflow that uses this package.
    :param task_ids: With the scope ``task``: the tasks of this DAG that made the snapshots.
    :param group_by: What makes a group: some of ``deployment``, ``dag``, ``task`` (with its map index) and ``request``
        (the index list); ``None`` for one group. Default: all four.
    :param include_foreign: Judge also those without a mark of this package, such as hand-made ones. Needs
        ``name_prefix`` or ``name_regex``. Default no.
    :param name_prefix: Judge only those whose name begins so; it is folded as names are. (templated)
    :param name_regex: Judge only those whose whole name matches this regular expression. (templated)
    :param dry_run: Give the plan and delete nothing. Default no.
    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param wait_for_completion: Whether to wait until all that go are gone. Without, the task succeeds when CSS has
        accepted the deletions. Default yes.
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poll_interval: Lower bound between two looks, in seconds. Default: 2 at first, then growing with the age up
        to 60.
    :param timeout: Seconds from the last deletion until all must be gone. Default 3,600.
    :param turn_timeout: Seconds to come back to those of which CSS says "busy"; 0 for a single try. Default 21,600 (6
        hours).
    :raises AirflowFailException: for everything that no retry can cure.
    :raises CssError: for everything that a retry may cure. A retry makes a new plan.

    Source: CSS API reference, "Deleting a Snapshot", 2025-12-01.
    """

    template_fields: Sequence[str] = (
        "cluster_id",
        "cluster_name",
        "name_prefix",
        "name_regex",
        "hold_ids",
        "hold_names",
        "css_conn_id",
    )
    # There is no single snapshot to lead to.
    operator_extra_links: Sequence[SnapshotLink] = ()
    ui_color = "#f4e6d4"

    def __init__(
        self,
        *,
        hold_ids: str | Sequence[str] | None = None,
        hold_names: str | Sequence[str] | None = None,
        scope: str = "dag",
        task_ids: Sequence[str] = (),
        group_by: Sequence[str] | None = ("deployment", "dag", "task", "request"),
        include_foreign: bool = False,
        name_prefix: str | None = None,
        name_regex: str | None = None,
        dry_run: bool = False,
        timeout: float = 3_600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hold_ids = hold_ids
        self.hold_names = hold_names
        self.scope = scope
        self.task_ids = task_ids
        self.group_by = group_by
        self.include_foreign = include_foreign
        self.name_prefix = name_prefix
        self.name_regex = name_regex
        self.is_dry_run = dry_run
        self.timeout = timeout
        # Rendering overwrites the fields; afterwards nobody could tell the DAG's own None from a rendered one.
        self.given_fields = tuple(name for name in _OPTIONAL if _is_given(name, getattr(self, name)))

    def execute(self, context: Any) -> dict[str, Any]:
        """
        Return the plan, after everything that goes is gone.

        :param context: Airflow's context.
        """
        return self._prune(context).start()

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Go on after a wait in the triggerer.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._prune(context).resume(event)

    def _prune(self, context: Any) -> Pruning:
        # Imported here: what only a worker needs must not be paid for at every parse of every DAG file.
        from airflow_css.operators.pruning import Pruning

        return Pruning(self, context)
