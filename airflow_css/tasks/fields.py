"""What a task's template fields came to, and which cluster they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssConfigError, CssUsageError
from airflow_css.protocol.names import check_cluster_id, fold_name, fold_prefix
from airflow_css.tasks.rendered import check_rendered
from airflow_css.triggers.log import Log

__all__ = ["CssTask", "cluster_of", "folded", "folded_prefix", "given"]


class CssTask(Protocol):
    """An operator or sensor of a cluster, seen from its parts; the meaning of each attribute stands there."""

    cluster_id: Any
    cluster_name: Any
    css_conn_id: str
    given_fields: tuple[str, ...]
    task_id: str
    dag: Any

    @property
    def hook(self) -> CssHook:
        """The hook for the rendered connection."""

    @property
    def log(self) -> Log:
        """Where the task tells what happens."""

    def has_dag(self) -> bool:
        """Whether it belongs to a DAG."""


def given(task: CssTask, field: str) -> Any:
    """
    Return the rendered value of a field, ``None`` only when the DAG gave none.

    :param task: The operator or sensor.
    :param field: Name of its parameter.
    :raises CssUsageError: if it was rendered to nothing that can be used.
    """
    is_given = field in task.given_fields or _is_mapped_over(task, field)
    return check_rendered(field, getattr(task, field)) if is_given else None


def _is_mapped_over(task: CssTask, field: str) -> bool:
    """Return whether the DAG expands over the field: then a None is one value among others, and a missing one."""
    dag = task.dag if task.has_dag() else None
    mapped = dag.get_task(task.task_id) if dag else None
    expanded = getattr(mapped, "expand_input", None)
    if expanded is None:
        return False
    values = getattr(expanded, "value", None)
    if isinstance(values, Mapping):
        return field in values
    # By expand_kwargs: what it brings is not known from the DAG, but Airflow keeps what the task was made with.
    made_with = getattr(task, "_BaseOperator__init_kwargs", {})
    return field in made_with and field not in getattr(mapped, "partial_kwargs", {})


def cluster_of(task: CssTask) -> str:
    """
    Return the id of the cluster that a task works on: given by id, by name, or the connection's default.

    :param task: The operator or sensor.
    :raises CssUsageError: if both id and name are given, or one of them breaks a rule.
    :raises CssConfigError: if none is given and the connection has no default, or no cluster has the name.
    """
    cluster_id, cluster_name = given(task, "cluster_id"), given(task, "cluster_name")
    if cluster_id is not None and cluster_name is not None:
        rule = "the cluster_id is given too, and only one of them may be; leave one out"
        raise CssUsageError("cluster_name", cluster_name, rule, "search-prod")
    if cluster_id is not None:
        return check_cluster_id(cluster_id)
    if cluster_name is not None:
        return _cluster_id_of(task, str(cluster_name))
    default = task.hook.settings.cluster_id
    if not default:
        raise CssConfigError(
            f"No cluster is named. Set cluster_id or cluster_name of the task, or the extra 'cluster_id' of the "
            f"connection {task.css_conn_id!r}, for example to '4f3deec3-efa8-4598-bf91-560aad1377a3'"
        )
    return default


def _cluster_id_of(task: CssTask, name: str) -> str:
    cluster = task.hook.find_cluster(name)
    if cluster is None:
        visible = ", ".join(c.name for c in task.hook.list_clusters()[:10]) or "none"
        raise CssConfigError(
            f"No cluster is named {name!r} in project {task.hook.settings.project_id}. Visible are: {visible}. "
            "Check the name, the region and the project; an id goes into cluster_id"
        )
    return cluster.id


def folded(task: CssTask, field: str, text: str) -> str:
    """
    Return a legal snapshot name, or beginning of one, for what a field was rendered to; a change is logged.

    :param task: The operator or sensor.
    :param field: Name of its parameter.
    :param text: What it was rendered to.
    :raises CssUsageError: if nothing legal can be made of it.
    """
    name = fold_name(text)
    if name != text:
        task.log.info("The %s %r is not legal as it is; %r is used.", field, text, name)
    return name


def folded_prefix(task: CssTask) -> str | None:
    """
    Return what legal names begin with for a task's ``name_prefix``, ``None`` for any; a change is logged.

    :param task: The operator or sensor.
    :raises CssUsageError: if no legal name can begin so.
    """
    text = given(task, "name_prefix")
    if text is None:
        return None
    prefix = fold_prefix(text)
    if prefix != text:
        task.log.info("No snapshot name begins with %r; %r is looked for.", text, prefix)
    return prefix
