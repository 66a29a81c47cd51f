"""What one creation is about: checked in full at the start, before anything is sent, and read by every later step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from airflow_css.operators.carried import check_waiting
from airflow_css.operators.create_task import CreateTask
from airflow_css.operators.outlets import refuse_untrue_outlets
from airflow_css.protocol.adoption import SnapshotOrder, check_on_existing
from airflow_css.protocol.description import describe
from airflow_css.protocol.names import check_description, fold_name, join_indices
from airflow_css.protocol.provenance import make_mark
from airflow_css.protocol.waiting import Expectations
from airflow_css.tasks.fields import cluster_of, given
from airflow_css.tasks.rendered import check_flag, check_rendered
from airflow_css.tasks.run_context import identify, is_first_try
from airflow_css.tasks.turn import Turn

__all__ = ["CreationPlan", "make_plan"]


@dataclass(frozen=True)
class CreationPlan:
    """
    One creation.

    :param order: The snapshot that was asked for.
    :param run: The task instance, for people.
    :param look_first: Whether the list must be read before the first creation.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param timeout: Seconds from the snapshot's own start until the wait is given up.
    :param turn_timeout: Seconds to wait for the cluster to become free; 0 for not at all.
    :param css_conn_id: The connection.
    :param waits: Whether the end is waited for.
    """

    order: SnapshotOrder
    run: str
    look_first: bool
    poll_interval: float | None
    timeout: float
    turn_timeout: float
    css_conn_id: str = ""
    waits: bool = True

    @property
    def cluster_id(self) -> str:
        """The cluster."""
        return self.order.cluster_id

    @property
    def turn(self) -> Turn:
        """Whose turn is waited for, and how long."""
        return Turn(self.cluster_id, self.turn_timeout, self.poll_interval)

    def remembering(self, left_behind: tuple[str, ...]) -> CreationPlan:
        """
        Return the plan with what a deleted run of the same id left behind.

        :param left_behind: Ids of snapshots; nothing changes when there are none.
        """
        return replace(self, order=replace(self.order, left_behind=left_behind)) if left_behind else self


def make_plan(operator: CreateTask, context: Any) -> CreationPlan:
    """
    Return the plan of an operator's creation.

    :param operator: The operator, with its templates rendered.
    :param context: Airflow's context.
    :raises CssUsageError: if a parameter breaks a rule.
    :raises CssConfigError: if the connection cannot be used, or names no cluster where one is needed.
    """
    check_rendered("css_conn_id", operator.css_conn_id)
    # Everything that can be checked without asking CSS comes first: a mistake must not cost a call.
    waiting = check_waiting(operator)
    on_existing = check_on_existing(operator.on_existing)
    flags = {name: check_flag(name, getattr(operator, name)) for name in ("allow_partial", "fail_if_empty")}
    hold = check_flag("hold", operator.hold)
    description = given(operator, "description")
    if description is not None:
        check_description(str(description))
    indices = given(operator, "indices")
    joined = None if indices is None else join_indices(indices)
    name = _name(operator, context)
    identity = identify(context, operator.hook.deployment)
    mark = make_mark(identity, joined, hold=hold, damaged=operator.keeps_damage)
    cluster_id = cluster_of(operator)
    refuse_untrue_outlets(operator, cluster_id, name, waits=operator.wait_for_completion)
    return CreationPlan(
        order=SnapshotOrder(
            cluster_id=cluster_id,
            name=name,
            description=describe(description, identity, mark),
            mark=mark,
            expected=Expectations(joined, **flags),
            on_existing=on_existing,
        ),
        run=str(identity),
        look_first=not is_first_try(context, identity),
        css_conn_id=str(operator.css_conn_id),
        **waiting,
    )


def _name(operator: CreateTask, context: Any) -> str:
    name = operator.snapshot_name
    if callable(name):
        # Airflow has called it by now, except when execute() is called directly, as in a user's own test.
        name = name(context, operator.get_template_env())
    text = str(check_rendered("snapshot_name", name))
    name = fold_name(text)
    if name != text:
        operator.log.info("The snapshot name %r is not legal as it is; %r is used.", text, name)
    return name
