"""What one restore is about: checked in full at the start, before anything is sent, and read by every later step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from airflow_css.operators.carried import CarriedPlan, check_waiting
from airflow_css.operators.stay import WaitingTask
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.fingerprint import short_hash
from airflow_css.protocol.names import check_cluster_id, check_snapshot_id, join_indices
from airflow_css.protocol.preview import Renaming
from airflow_css.protocol.renaming import check_renaming
from airflow_css.protocol.selection import Ownership
from airflow_css.tasks.fields import cluster_of, folded, folded_prefix, given
from airflow_css.tasks.rendered import check_flag, check_number, check_rendered
from airflow_css.tasks.run_context import identify, number_in_life
from airflow_css.tasks.turn import Turn

__all__ = ["RestorePlan", "RestoreTask", "make_restore_plan"]

SAME = "same"
_EXISTING = ("keep", "replace")
# Which task made it is no way to choose here: a task that restores made none.
_SCOPES = ("dag", "deployment", "package")


class RestoreTask(WaitingTask, Protocol):
    """A restore operator, seen from its parts; the meaning of each attribute stands there."""

    snapshot_id: Any
    snapshot_name: Any
    latest_good: bool
    name_prefix: Any
    scope: str | None
    max_age: timedelta | float | None
    indices: Any
    rename_pattern: Any
    rename_replacement: Any
    target_cluster_id: Any
    existing_indices: str
    allow_partial: bool
    verify: Any


@dataclass(frozen=True)
class RestorePlan(CarriedPlan):
    """
    One restore.

    :param cluster_id: The cluster that owns the snapshot.
    :param target_cluster_id: The cluster that is restored to.
    :param css_conn_id: The connection.
    :param run: The task instance, for people.
    :param life: In which life it is.
    :param number_in_life: The number of the try in this life, from 1.
    :param snapshot_id: The snapshot; ``None`` when it is named or chosen.
    :param snapshot_name: Its name; ``None`` when it is given by id or chosen.
    :param name_prefix: What the name of the chosen one begins with; ``None`` for any.
    :param scope: Whose the chosen one must be; ``None`` for anybody's.
    :param deployment: Name of this Airflow's deployment; empty when unknown.
    :param dag_id: The DAG.
    :param max_age: How old the chosen one may be, in seconds; ``None`` for any age.
    :param indices: What is taken out of it, as it is sent; ``None`` for all.
    :param rename_pattern: What is replaced in the names; ``None`` for nothing.
    :param rename_replacement: By what.
    :param replaces: Whether indices of the same name are overwritten.
    :param allow_partial: Whether a snapshot in which shards failed will do.
    :param poll_interval: Lower bound between two looks, in seconds; ``None`` for none.
    :param timeout: Seconds from the restore's start until the wait is given up.
    :param turn_timeout: Seconds to wait for the clusters to become free; 0 for not at all.
    :param waits: Whether the end is waited for.
    """

    cluster_id: str
    target_cluster_id: str
    css_conn_id: str
    run: str
    life: int
    number_in_life: int
    snapshot_id: str | None
    snapshot_name: str | None
    name_prefix: str | None
    scope: str | None
    deployment: str
    dag_id: str
    max_age: float | None
    indices: str | None
    rename_pattern: str | None
    rename_replacement: str | None
    replaces: bool
    allow_partial: bool
    poll_interval: float | None
    timeout: float
    turn_timeout: float
    waits: bool

    @property
    def turn(self) -> Turn:
        """Whose turn is waited for, and how long."""
        return Turn(self.target_cluster_id, self.turn_timeout, self.poll_interval, source_id=self.cluster_id)

    @property
    def owner(self) -> Ownership | None:
        """Whose the chosen one must be; ``None`` for anybody's."""
        return Ownership(self.deployment, self.dag_id, self.scope) if self.scope else None

    @property
    def renaming(self) -> Renaming | None:
        """How the indices are renamed; ``None`` for not at all."""
        if self.rename_pattern is None or self.rename_replacement is None:
            return None
        return Renaming(self.rename_pattern, self.rename_replacement)

    @property
    def may_be_repeated(self) -> bool:
        """Whether a second restore of the same cannot make matters worse than the first."""
        return self.renaming is not None or self.replaces

    @property
    def order(self) -> str:
        """Fingerprint of what is asked for: two tries that differ in it want different things."""
        which = (self.snapshot_id, self.snapshot_name, self.name_prefix, self.scope)
        how = (self.indices, self.rename_pattern, self.rename_replacement, self.replaces)
        return short_hash(self.cluster_id, self.target_cluster_id, *which, *how)


def make_restore_plan(task: RestoreTask, context: Any) -> RestorePlan:
    """
    Return the plan of an operator's restore.

    :param task: The operator, with its templates rendered.
    :param context: Airflow's context.
    :raises CssUsageError: if a parameter breaks a rule.
    :raises CssConfigError: if the connection cannot be used, or names no cluster where one is needed.
    """
    check_rendered("css_conn_id", task.css_conn_id)
    waiting = check_waiting(task)
    indices = given(task, "indices")
    pattern, replacement = _renaming(task)
    which = _which(task)
    replaces = _replaces(task)
    target = str(check_rendered("target_cluster_id", task.target_cluster_id))
    if target != SAME:
        check_cluster_id(target)
    cluster_id = cluster_of(task)
    identity = identify(context, task.hook.deployment)
    return RestorePlan(
        cluster_id=cluster_id,
        target_cluster_id=cluster_id if target == SAME else target,
        css_conn_id=str(task.css_conn_id),
        run=str(identity),
        life=identity.life,
        number_in_life=number_in_life(context, identity),
        **which,
        deployment=identity.deployment,
        dag_id=identity.dag_id,
        indices=None if indices is None else join_indices(indices),
        rename_pattern=pattern,
        rename_replacement=replacement,
        replaces=replaces,
        allow_partial=check_flag("allow_partial", task.allow_partial),
        **waiting,
    )


def _which(task: RestoreTask) -> dict[str, Any]:
    snapshot_id, name = given(task, "snapshot_id"), given(task, "snapshot_name")
    latest_good = check_flag("latest_good", task.latest_good)
    ways = [value for value in (snapshot_id, name, latest_good or None) if value is not None]
    if len(ways) != 1:
        rule = "exactly one of snapshot_id, snapshot_name and latest_good=True says which snapshot is restored"
        raise CssUsageError("snapshot to restore", snapshot_id or name, rule, "latest_good=True")
    prefix = folded_prefix(task)
    narrowing = {"name_prefix": prefix, "scope": task.scope, "max_age": task.max_age}
    for what, value in narrowing.items():
        if value is not None and not latest_good:
            raise CssUsageError(what, value, "it goes with latest_good=True only", "latest_good=True")
    if task.scope not in (None, *_SCOPES):
        raise CssUsageError("scope", task.scope, f"it is one of {', '.join(_SCOPES)}, or None", "dag")
    return {
        "snapshot_id": None if snapshot_id is None else check_snapshot_id(str(snapshot_id)),
        "snapshot_name": None if name is None else folded(task, "snapshot_name", str(name)),
        "name_prefix": prefix,
        "scope": task.scope,
        "max_age": _max_age(task.max_age),
    }


def _max_age(value: timedelta | float | None) -> float | None:
    if value is None:
        return None
    return check_number("max_age", value.total_seconds() if isinstance(value, timedelta) else value, at_least=1)


def _renaming(task: RestoreTask) -> tuple[str | None, str | None]:
    pattern, replacement = given(task, "rename_pattern"), given(task, "rename_replacement")
    if pattern is None and replacement is None:
        return None, None
    texts = _text(pattern), _text(replacement)
    check_renaming(*texts)
    # A mistake in them must not wait for the cluster.
    Renaming(str(pattern), str(replacement)).apply("orders")
    return texts


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _replaces(task: RestoreTask) -> bool:
    if task.existing_indices not in _EXISTING:
        rule = "it is 'keep' to leave indices of the same name as they are, or 'replace' to overwrite them"
        raise CssUsageError("existing_indices", task.existing_indices, rule, "keep")
    return task.existing_indices == "replace"
