"""A restore drill in one line of a DAG: proof that backups can be restored, with a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_css.checkpoints.drill_tasks import (
    NAMES,
    Drill,
    DrillBegin,
    DrillChecked,
    DrillCleanUp,
    DrillReport,
    DrillRestore,
    DrillVerdict,
)
from airflow_css.checkpoints.groups import ClosingGroup, refuse_dag
from airflow_css.checkpoints.own_parameters import of_cluster, own_parameters
from airflow_css.checkpoints.plan import Work
from airflow_css.checkpoints.wished_values import check_list
from airflow_css.checkpoints.wishes import without_none
from airflow_css.protocol.errors import CssUsageError

__all__ = ["RestoreDrill", "css_restore_drill"]

SAME = "same"
ALL_DONE = "all_done"


@dataclass(frozen=True)
class RestoreDrill:
    """
    A drill, for the tasks inside it and after it.

    :param group: The task group.
    :param names: Stands for the restored names: what the tasks of the check look at. A list of texts.
    :param restored: Stands for all that the restore tells, as ``RestoreSnapshotOperator`` returns it.
    :param report: Stands for the report. A task that takes it runs after the drill, also when that failed.
    """

    group: TaskGroup
    names: Any
    restored: Any
    report: Any


def css_restore_drill(
    group_id: str,
    *,
    clean_up: Callable[[list[str]], object] | None = None,
    target_cluster_id: str = SAME,
    cluster_id: str | None = None,
    cluster_name: str | None = None,
    css_conn_id: str | None = None,
    name_prefix: str | None = None,
    scope: str | None = None,
    max_age: timedelta | float | None = None,
    indices: str | Sequence[str] | None = None,
    deferrable: bool | None = None,
    poll_interval: float | None = None,
    timeout: float = 90_000,
    turn_timeout: float = 21_600,
    retries: int | None = None,
) -> AbstractContextManager[RestoreDrill]:
    """
    Return a context that restores the newest good backup, has the tasks inside it check it, and reports.

    Each restored index has a new name, with a fingerprint of the run in front: nothing that exists is touched. When the
    tasks inside have ended, well or badly, ``clean_up`` removes what was restored, and one JSON document reports what
    was shown. The run is red unless the restore, the check and the clean-up succeeded.

    .. seealso:: :doc:`/how-to/restore-drill`

    :param group_id: Name of the task group. It holds the check and the tasks ``begin``, ``restore``, ``checked``,
        ``clean_up``, ``report`` and ``verdict``.
    :param clean_up: A function that removes the restored indices; it is given their names, and one pattern where they
        cannot be foreseen. CSS has no call for it. It must be given unless another cluster is restored to.
    :param target_cluster_id: The cluster that is restored to. Default ``same``, that of the backup. (templated)
    :param cluster_id: The id of the backup's cluster. (templated)
    :param cluster_name: Its exact name, instead of the id. (templated) Without either, the connection's default cluster
        is used.
    :param css_conn_id: The Airflow connection. Default as the DAG's ``default_args`` say, else ``css_default``.
        (templated)
    :param name_prefix: What the backup's name begins with. Default: any name. (templated)
    :param scope: Whose the backup is: ``dag``, ``deployment`` or ``package``. Default: anybody's.
    :param max_age: How old the backup may be, as ``timedelta`` or in seconds. Default: any age.
    :param indices: What is taken out of it, as a list or a text with commas. Default: everything. (templated)
    :param deferrable: Whether the restore waits in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poll_interval: Lower bound between two looks, in seconds. Default: 2 at first, then growing with the age up
        to 60.
    :param timeout: Seconds that the restore may take. Default 90,000 (25 hours).
    :param turn_timeout: Seconds to wait for the clusters to become free; 0 to fail at once. Default 21,600 (6 hours).
    :param retries: How often restore and clean-up are retried. Default as the DAG's ``default_args`` say.
    :raises CssUsageError: when the DAG is parsed, if nothing is inside, or nobody would remove what is restored.
    """
    if clean_up is None and target_cluster_id in (SAME, cluster_id):
        rule = "what a drill restores to the cluster of the backup must be removed, and CSS has no call for it"
        raise CssUsageError("clean_up", clean_up, rule, "a function that deletes the indices it is given")
    if clean_up is not None and not callable(clean_up):
        raise CssUsageError("clean_up", clean_up, "it is a function", "a function that deletes the indices it is given")
    check_list("indices", indices, ["orders", "customers"])
    which = {**of_cluster(cluster_id, cluster_name), "name_prefix": name_prefix, "indices": indices}
    restore: dict[str, Any] = {"target_cluster_id": target_cluster_id, **which}
    restore |= {"scope": scope, "max_age": max_age, "timeout": timeout, "turn_timeout": turn_timeout}
    restore |= without_none(
        css_conn_id=css_conn_id, deferrable=deferrable, poll_interval=poll_interval, retries=retries
    )
    return _drill(group_id, restore, clean_up, without_none(retries=retries))


@contextmanager
def _drill(
    group_id: str, parameters: dict[str, Any], clean_up: Callable[[list[str]], object] | None, retried: dict[str, Any]
) -> Iterator[RestoreDrill]:
    group = ClosingGroup(group_id, tooltip="proves that a backup restores")
    with group:
        refuse_dag(group, "its instances would mistake each other's indices for their own")
        begin = _own(DrillBegin, "begin", retries=0)
        restore = _own(
            DrillRestore,
            "restore",
            drill_begin=begin.task_id,
            has_clean_up=clean_up is not None,
            latest_good=True,
            rename_pattern="(.+)",
            rename_replacement=f"{{{{ ti.xcom_pull(task_ids='{begin.task_id}')['prefix'] }}}}$1",
            **parameters,
        )
        checked = _own(DrillChecked, "checked", trigger_rule=ALL_DONE, retries=0)
        steps: list[Any] = [checked]
        if clean_up is not None:
            drill = Drill(begin.task_id, restore.task_id)
            steps.append(_own(DrillCleanUp, "clean_up", drill=drill, clean_up=clean_up, **retried))
        report = _own(
            DrillReport,
            "report",
            drill=Drill(begin.task_id, restore.task_id),
            checked=checked.task_id,
            clean_up=steps[-1].task_id if clean_up else "",
            trigger_rule=ALL_DONE,
        )
        verdict = _own(DrillVerdict, "verdict", report=report.task_id, trigger_rule=ALL_DONE, retries=0)
        restored: Any = restore.output
        yield RestoreDrill(group, restored[NAMES], restored, report.output)
    own = {begin.task_id, restore.task_id, *(step.task_id for step in steps), report.task_id, verdict.task_id}
    checks = [task for task in group.iter_tasks() if task.task_id not in own]
    report.checks, report.last = _as_work(str(group.group_id), checks), _last(checks)
    _link(checks, begin, restore, [*steps, report, verdict])
    group.is_closed = True


def _own(kind: Any, label: str, **given: Any) -> Any:
    return kind(**own_parameters(kind, {"task_id": label, **given}))


def _as_work(group_id: str, checks: Sequence[Any]) -> Work:
    work = [task for task in checks if not task.is_teardown]
    if not work:
        rule = "a drill runs the tasks defined inside it as its check, and there is none"
        raise CssUsageError("group_id", group_id, rule, "with css_restore_drill(...) as drill: check(drill.names)")
    for task in work:
        if _cuts_short(task):
            rule = (
                f"{task.task_id} would skip report and verdict too, and the run would be green without a check; set "
                "ignore_downstream_trigger_rules=False, so that it skips only what follows it directly"
            )
            raise CssUsageError("task", task.task_id, rule, "ignore_downstream_trigger_rules=False")
    mapped = [task.task_id for task in work if hasattr(task, "expand_input") or any(task.iter_mapped_task_groups())]
    return Work(tuple(task.task_id for task in work if task.task_id not in mapped), tuple(mapped))


def _cuts_short(task: Any) -> bool:
    kinds = getattr(task, "operator_class", type(task)).__mro__
    given = getattr(task, "partial_kwargs", vars(task)).get("ignore_downstream_trigger_rules", True)
    return bool(given) and any(kind.__name__ == "ShortCircuitOperator" for kind in kinds)


def _last(checks: Sequence[Any]) -> tuple[str, ...]:
    work = {task.task_id: task for task in checks if not task.is_teardown}
    return tuple(task_id for task_id, task in work.items() if work.keys().isdisjoint(task.downstream_task_ids))


def _link(checks: Sequence[Any], begin: Any, restore: Any, steps: Sequence[Any]) -> None:
    begin >> restore
    ids = {task.task_id for task in checks}
    for task in checks:
        if ids.isdisjoint(task.upstream_task_ids):
            restore >> task
        # Each of them, not only the last: one with a lenient rule may end before another.
        task >> steps[0]
    for earlier, later in pairwise(steps):
        earlier >> later
    clean = next((step for step in steps if isinstance(step, DrillCleanUp)), None)
    if clean is not None:
        # So it runs whatever became of restore and check, and also when a user marks the run as failed.
        clean.as_teardown(setups=begin)
