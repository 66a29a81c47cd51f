"""What the parts of a creation read of the task they belong to: its parameters, its hook, its log."""

from __future__ import annotations

from typing import Any, Protocol

from airflow_css.operators.stay import WaitingTask

__all__ = ["CreateTask"]


class CreateTask(WaitingTask, Protocol):
    """A create operator, seen from its parts; the meaning of each attribute stands there."""

    snapshot_name: Any
    indices: Any
    description: Any
    on_existing: str
    allow_partial: bool
    fail_if_empty: bool
    hold: bool
    outlets: Any
    keeps_damage: bool

    def get_template_env(self, *args: Any, **kwargs: Any) -> Any:
        """Return what renders templates."""
