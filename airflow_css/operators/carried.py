"""What plans share: how a task waits is checked once, and most of them travel as plain JSON as they are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from airflow_css.operators.stay import WaitingTask
from airflow_css.protocol.events import unreadable
from airflow_css.tasks.rendered import check_flag, check_number

__all__ = ["CarriedPlan", "check_waiting"]


@dataclass(frozen=True)
class CarriedPlan:
    """A plan whose values are all plain JSON."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Any) -> Self:
        """
        Return the plan that an event brought back.

        :param facts: What ``as_json`` gave.
        :raises CssReplyError: if it is not that.
        """
        try:
            return cls(**dict(facts))
        except (TypeError, ValueError) as cause:
            raise unreadable(cause) from cause


def check_waiting(task: WaitingTask) -> dict[str, Any]:
    """
    Return how an operator waits: ``poll_interval``, ``timeout`` and ``turn_timeout`` in seconds, and ``waits``.

    :param task: The operator.
    :raises CssUsageError: if one of them breaks a rule.
    """
    interval = task.poll_interval
    check_flag("deferrable", task.deferrable)
    return {
        "poll_interval": None if interval is None else check_number("poll_interval", interval, at_least=1),
        "timeout": check_number("timeout", task.timeout, at_least=1),
        "turn_timeout": check_number("turn_timeout", task.turn_timeout, at_least=0),
        "waits": check_flag("wait_for_completion", task.wait_for_completion),
    }
