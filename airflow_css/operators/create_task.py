"""What the parts of a creation read of the task they belong to: its parameters, its hook, its log."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from airflow_css.hooks.css import CssHook
from airflow_css.triggers.log import Log

__all__ = ["CreateTask"]


class CreateTask(Protocol):
    """A create operator, seen from its parts; the meaning of each attribute stands there."""

    cluster_id: Any
    cluster_name: Any
    snapshot_name: Any
    indices: Any
    description: Any
    css_conn_id: str
    wait_for_completion: bool
    deferrable: bool
    poll_interval: float | None
    timeout: float
    turn_timeout: float
    on_existing: str
    allow_partial: bool
    fail_if_empty: bool
    hold: bool
    given_fields: tuple[str, ...]
    task_id: str
    dag: Any
    hook_class: ClassVar[type[CssHook]]

    @property
    def hook(self) -> CssHook:
        """The hook for the rendered connection."""

    @property
    def log(self) -> Log:
        """Where the task tells what happens."""

    def has_dag(self) -> bool:
        """Whether it belongs to a DAG."""

    def defer(self, *args: Any, **kwargs: Any) -> Any:
        """Hand the wait to a trigger."""

    def get_template_env(self, *args: Any, **kwargs: Any) -> Any:
        """Return what renders templates."""
