"""
How the tasks of a checkpoint hang together.

Theory of operation. ``snapshot`` is a setup task and precedes every task that begins the work; ``restore`` is its
teardown and follows every task of the work, since one with a lenient trigger rule may end before another. So Airflow
restores only after a good snapshot and when nothing writes any more, also when a user marks the run as failed, and it
clears snapshot and restore with any task of the work. ``verdict`` is an ordinary task and the group's only leaf: it
turns the run red, and what follows the group waits for it. ``seal`` is a teardown that counts for the run: it turns it
red where Airflow skipped the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_css.checkpoints.own_parameters import own_parameters
from airflow_css.checkpoints.plan import Checkpoint, Work
from airflow_css.checkpoints.restore_task import CheckpointRestore
from airflow_css.checkpoints.snapshot_task import CheckpointSafety, CheckpointSnapshot
from airflow_css.checkpoints.verdict_task import CheckpointSeal, CheckpointVerdict
from airflow_css.checkpoints.wishes import Wishes
from airflow_css.protocol.errors import CssUsageError

__all__ = ["wire"]

ALL_SUCCESS = "all_success"


def wire(group: TaskGroup, wishes: Wishes) -> None:
    """
    Add the checkpoint's own tasks to a group that holds the work.

    :param group: The group, inside which nothing more is added.
    :param wishes: What the user asked for.
    :raises CssUsageError: if the work cannot be protected.
    """
    inside = list(group.iter_tasks())
    work = [task for task in inside if not task.is_teardown]
    _check_work(str(group.group_id), work)
    checkpoint = Checkpoint(
        group_id=str(group.group_id),
        mode=wishes.way.mode,
        in_place=wishes.way.in_place,
        work=_as_work(work),
        has_safety=wishes.has_safety,
    )
    with group:
        snapshot = _own(CheckpointSnapshot, "snapshot", checkpoint, **wishes.snapshot)
        steps = _way_back(checkpoint, wishes)
        verdict, seal = _ends(checkpoint, wishes)
    _link_work(snapshot, inside, steps, verdict)
    for earlier, later in zip(steps, [*steps[1:], verdict], strict=True):
        earlier >> later
    for step in steps:
        step.as_teardown(setups=snapshot)
    steps[-1] >> seal
    seal.as_teardown(setups=snapshot, on_failure_fail_dagrun=True)
    if wishes.retention is not None:
        _prune_after(group, checkpoint, wishes.retention, snapshot, steps[-1])


def _own(kind: Any, label: str, checkpoint: Checkpoint, **given: Any) -> Any:
    # However the run before ended, this one may have something to undo; only its begin is the DAG's to hold back.
    past = {} if label == "snapshot" else {"depends_on_past": False, "wait_for_downstream": False}
    return kind(**own_parameters(kind, {"task_id": label, "checkpoint": checkpoint, **past, **given}))


def _check_work(group_id: str, work: Sequence[Any]) -> None:
    if not work:
        rule = "a checkpoint protects the tasks defined inside it, and there is none; teardown tasks do not count"
        raise CssUsageError("group_id", group_id, rule, "with css_checkpoint(...): load()")
    if any(isinstance(task, CheckpointVerdict) for task in work):
        rule = "it has another checkpoint inside, and two would roll the same work back; keep one of them"
        raise CssUsageError("group_id", group_id, rule, group_id)
    for task in _roots(work):
        if task.trigger_rule != ALL_SUCCESS:
            given = getattr(task.trigger_rule, "value", task.trigger_rule)
            rule = (
                f"the task {task.task_id} begins the work, and with this rule it could run without a snapshot; begin "
                "with a task that has all_success"
            )
            raise CssUsageError("trigger_rule", given, rule, ALL_SUCCESS)


def _as_work(work: Sequence[Any]) -> Work:
    mapped = tuple(task.task_id for task in work if _is_mapped(task))
    return Work(tuple(task.task_id for task in work if task.task_id not in mapped), mapped)


def _is_mapped(task: Any) -> bool:
    return hasattr(task, "expand_input") or any(task.iter_mapped_task_groups())


def _way_back(checkpoint: Checkpoint, wishes: Wishes) -> list[Any]:
    """Return the tasks from the end of the work to the restored state, in their order."""
    steps: list[Any] = []
    if wishes.way.mode == "confirm":
        # Airflow before 3.1 has nothing to ask with, and nobody else pays for loading it.
        from airflow_css.checkpoints.confirm_task import CheckpointConfirm

        steps.append(_own(CheckpointConfirm, "confirm", checkpoint, **wishes.confirm))
    if wishes.has_safety:
        steps.append(_own(CheckpointSafety, "safety", checkpoint, **wishes.safety))
    pulled = "{{{{ ti.xcom_pull(task_ids='{}', key='{}') }}}}"
    snapshot_id, cluster_id = (pulled.format(checkpoint.task("snapshot"), key) for key in ("backup_id", "cluster_id"))
    steps.append(
        _own(
            CheckpointRestore,
            "restore",
            checkpoint,
            snapshot_id=snapshot_id,
            cluster_id=cluster_id,
            target_cluster_id="same",
            **wishes.restore,
        )
    )
    return steps


def _ends(checkpoint: Checkpoint, wishes: Wishes) -> tuple[Any, Any]:
    verdict = _own(CheckpointVerdict, "verdict", checkpoint, trigger_rule="all_done", retries=0, **wishes.connection)
    return verdict, _own(CheckpointSeal, "seal", checkpoint, retries=0, **wishes.connection)


def _link_work(snapshot: Any, inside: Sequence[Any], steps: Sequence[Any], verdict: Any) -> None:
    work = [task for task in inside if not task.is_teardown]
    for task in _roots(work):
        snapshot >> task
    for task in inside:
        for step in steps:
            task >> step
        # Airflow lets nothing that runs after failures follow a setup task directly.
        if not task.is_setup and not task.is_teardown:
            task >> verdict


def _roots(work: Sequence[Any]) -> list[Any]:
    ids = {task.task_id for task in work}
    return [task for task in work if ids.isdisjoint(task.upstream_task_ids)]


def _prune_after(
    group: TaskGroup, checkpoint: Checkpoint, retention: Mapping[str, Any], snapshot: Any, restore: Any
) -> None:
    from airflow_css.checkpoints.prune_task import CheckpointPrune

    with group:
        prune = _own(
            CheckpointPrune,
            "prune",
            checkpoint,
            scope="task",
            task_ids=[checkpoint.task("snapshot"), checkpoint.task("safety")],
            **retention,
        )
    restore >> prune
    prune.as_teardown(setups=snapshot)
