"""What one pruning is about: checked in full at the start, before anything is sent, and read by every later step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any, Protocol

from airflow_css.operators.carried import check_waiting
from airflow_css.operators.stay import WaitingTask
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.events import unreadable
from airflow_css.protocol.names import check_snapshot_id
from airflow_css.protocol.rules import RetentionRules, check_rules
from airflow_css.protocol.selection import NameFilter, Ownership, Selection
from airflow_css.tasks.fields import cluster_of, folded, folded_prefix, given
from airflow_css.tasks.rendered import check_flag, check_rendered
from airflow_css.tasks.run_context import identify

__all__ = ["PruneTask", "PruningPlan", "make_pruning_plan"]

_SPANS = ("keep_within", "older_than")


class PruneTask(WaitingTask, Protocol):
    """A prune operator, seen from its parts; the meaning of each attribute stands there."""

    hold_ids: Any
    hold_names: Any
    scope: Any
    task_ids: Any
    include_foreign: bool
    name_prefix: Any
    name_regex: Any
    is_dry_run: bool


@dataclass(frozen=True)
class PruningPlan:
    """
    One pruning.

    :param cluster_id: The cluster.
    :param css_conn_id: The connection.
    :param run: The task instance, for people.
    :param rules: What to keep.
    :param selection: Which may be judged.
    :param dry_run: Whether nothing is deleted.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param timeout: Seconds from the last deletion until all must be gone.
    :param turn_timeout: Seconds to come back to those that are busy; 0 for not at all.
    :param waits: Whether the end is waited for.
    """

    cluster_id: str
    css_conn_id: str
    run: str
    rules: RetentionRules
    selection: Selection
    dry_run: bool
    poll_interval: float | None
    timeout: float
    turn_timeout: float
    waits: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        facts = asdict(self)
        facts["rules"] |= {name: _written(facts["rules"][name]) for name in _SPANS}
        facts["selection"]["owner"]["scope"] = str(self.selection.owner.scope)
        return facts

    @classmethod
    def from_json(cls, facts: Any) -> PruningPlan:
        """
        Return the plan that an event brought back.

        :param facts: What ``as_json`` gave.
        :raises CssReplyError: if it is not that.
        """
        try:
            given_rules, chosen = dict(facts["rules"]), dict(facts["selection"])
            rules = RetentionRules(**{**given_rules, **{name: _read(given_rules[name]) for name in _SPANS}})
            selection = Selection(
                Ownership(**chosen["owner"]), bool(chosen["include_foreign"]), NameFilter(**chosen["name"])
            )
            return cls(**{**facts, "rules": rules, "selection": selection})
        except (KeyError, TypeError, ValueError) as cause:
            raise unreadable(cause) from cause


def _written(span: str | timedelta | None) -> Any:
    return {"seconds": span.total_seconds()} if isinstance(span, timedelta) else span


def _read(span: Any) -> Any:
    return timedelta(seconds=float(span["seconds"])) if isinstance(span, Mapping) else span


def make_pruning_plan(task: PruneTask, context: Any) -> PruningPlan:
    """
    Return the plan of an operator's pruning.

    :param task: The operator, with its templates rendered.
    :param context: Airflow's context.
    :raises CssUsageError: if a parameter breaks a rule.
    :raises CssConfigError: if the connection cannot be used, or names no cluster where one is needed.
    """
    check_rendered("css_conn_id", task.css_conn_id)
    waiting = check_waiting(task)
    rules = check_rules(_rules(task))
    name = NameFilter(folded_prefix(task), given(task, "name_regex"))
    identity = identify(context, task.hook.deployment)
    owner = Ownership(identity.deployment, identity.dag_id, task.scope, task.task_ids)
    selection = Selection(owner, check_flag("include_foreign", task.include_foreign), name)
    selection.check()
    return PruningPlan(
        cluster_id=cluster_of(task),
        css_conn_id=str(task.css_conn_id),
        run=str(identity),
        rules=rules,
        selection=selection,
        dry_run=check_flag("dry_run", task.is_dry_run),
        **waiting,
    )


def _rules(task: PruneTask) -> RetentionRules:
    own = {field.name: getattr(task, field.name) for field in fields(RetentionRules)}
    # A snapshot that is to be held must not be lost to a misspelt id.
    ids = [check_snapshot_id(item) for item in _items(task, "hold_ids")]
    names = [folded(task, "hold_names", item) for item in _items(task, "hold_names")]
    return RetentionRules(**{**own, "hold_ids": tuple(ids), "hold_names": tuple(names)})


def _items(task: PruneTask, field: str) -> list[str]:
    value = given(task, field)
    if value is None:
        return []
    given_items = value if isinstance(value, list) else [value]
    items = [item.strip() for text in given_items for item in str(text).split(",")]
    for item in items:
        # Folded, two names on one line would become one that nobody has.
        if not item or "\n" in item:
            rule = "its items are separated by commas, and none is empty or goes over a line"
            raise CssUsageError(field, value, rule, ["orders-20261123t000000z"])
    return items
