"""What the plans of restores, deletions and prunings share: they are checked once, and travel as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from airflow_css.operators.stay import WaitingTask
from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.events import RETRY_FINDS_IT
from airflow_css.tasks.rendered import check_number

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
            raise CssReplyError(f"The trigger's event cannot be read ({cause}). {RETRY_FINDS_IT}") from cause


def check_waiting(task: WaitingTask) -> dict[str, Any]:
    """
    Return ``poll_interval``, ``timeout`` and ``turn_timeout`` of an operator, in seconds.

    :param task: The operator.
    :raises CssUsageError: if one of them breaks a rule.
    """
    interval = task.poll_interval
    return {
        "poll_interval": None if interval is None else check_number("poll_interval", interval, at_least=1),
        "timeout": check_number("timeout", task.timeout, at_least=1),
        "turn_timeout": check_number("turn_timeout", task.turn_timeout, at_least=0),
    }
