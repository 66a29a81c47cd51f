"""The task groups of checkpoints and drills, and the DAGs that cannot have one."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_css.protocol.errors import CssUsageError

__all__ = ["ClosingGroup", "refuse_dag"]


class ClosingGroup(TaskGroup):
    """A task group that takes no more tasks once it is wired: nothing would protect them, and no report name them."""

    is_closed = False

    def add(self, task: Any) -> Any:
        """
        Add a task or a group, as Airflow does by itself.

        :param task: What is added.
        :raises CssUsageError: if the group is closed.
        """
        if self.is_closed:
            rule = f"the group {self.group_id} is closed, and would not count what is added to it afterwards"
            raise CssUsageError("task", task.node_id, rule, "a task inside the with block, or outside the group")
        return super().add(task)


def refuse_dag(group: TaskGroup, mapped: str) -> None:
    """
    Return if the group stands where it can do what it is for.

    :param group: The group.
    :param mapped: What would go wrong in a mapped task group.
    :raises CssUsageError: if the DAG fails fast, or the group is mapped.
    """
    dag, group_id = group.dag, group.group_id
    if getattr(dag, "fail_fast", False) or getattr(dag, "fail_stop", False):
        rule = (
            f"the DAG {dag.dag_id} fails fast: Airflow then ends every other task at once, and allows no task that "
            "runs after a failure, so nothing could be done about one; leave fail_fast (fail_stop) out"
        )
        raise CssUsageError("group_id", group_id, rule, group_id)
    if any(group.iter_mapped_task_groups()):
        raise CssUsageError("group_id", group_id, f"it stands in a mapped task group, and {mapped}", group_id)
