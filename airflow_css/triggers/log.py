"""What the parts of a task need of a logger: Airflow 2 and 3 bring different ones."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Log"]


class Log(Protocol):
    """Takes a message and its arguments, at four levels."""

    def debug(self, message: str, /, *args: Any) -> None:
        """Tell what only somebody who searches wants to know."""

    def info(self, message: str, /, *args: Any) -> None:
        """Tell what happens."""

    def warning(self, message: str, /, *args: Any) -> None:
        """Tell what the user should change."""

    def error(self, message: str, /, *args: Any) -> None:
        """Tell what went wrong."""
