"""What the parts of a creation read of the task they belong to: its parameters, its hook, its log."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from airflow_css.hooks.css import CssHook
from airflow_css.tasks.fields import CssTask

__all__ = ["CreateTask"]


class CreateTask(CssTask, Protocol):
    """A create operator, seen from its parts; the meaning of each attribute stands there."""

    snapshot_name: Any
    indices: Any
    description: Any
    wait_for_completion: bool
    deferrable: bool
    poll_interval: float | None
    timeout: float
    turn_timeout: float
    on_existing: str
    allow_partial: bool
    fail_if_empty: bool
    hold: bool
    outlets: Any
    hook_class: ClassVar[type[CssHook]]

    def defer(self, *args: Any, **kwargs: Any) -> Any:
        """Hand the wait to a trigger."""

    def get_template_env(self, *args: Any, **kwargs: Any) -> Any:
        """Return what renders templates."""
