"""One try after another to have the snapshot of an order, each with what the ones before it learnt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_css.hooks.css import CssHook
from airflow_css.operators.plan import CreationPlan
from airflow_css.protocol.errors import CssBusyError

if TYPE_CHECKING:
    from airflow_css.client.ensure import EnsuredSnapshot

__all__ = ["CreationAttempt"]


class CreationAttempt:
    """
    Makes or adopts the snapshot, once for each call.

    :param hook: Brings the client.
    :param plan: The creation.
    """

    def __init__(self, hook: CssHook, plan: CreationPlan) -> None:
        self._hook = hook
        self._order = plan.order
        self._look_first = plan.look_first

    def __call__(self) -> EnsuredSnapshot:
        """
        Return the snapshot.

        :raises CssBusyError: if another operation is in the way.
        """
        look_first, self._look_first = self._look_first, True
        try:
            return self._hook.get_conn().fulfil(self._order, look_first=look_first)
        except CssBusyError as busy:
            self._order = replace(self._order, left_behind=busy.left_behind or self._order.left_behind)
            raise
