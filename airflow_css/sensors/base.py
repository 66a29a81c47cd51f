"""What the sensors share: a connection, a cluster, and the three ways to wait."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseSensorOperator

from airflow_css.hooks.css import CssHook
from airflow_css.tasks.missing_date import TellsMissingDate

if TYPE_CHECKING:
    from airflow_css.protocol.conditions import Condition
    from airflow_css.sensors.sensing import Wish

__all__ = ["CssSensor"]

USUAL_POKE_INTERVAL = 60.0

# Airflow 2 takes a call of super() for a use of the sensor outside of a task; it warns, or refuses if so configured.
_wait_as_airflow_does = inspect.unwrap(BaseSensorOperator.execute)


class CssSensor(TellsMissingDate, BaseSensorOperator):
    """
    Waits in a worker, between looks, or in the triggerer.

    :param cluster_id: The cluster's id.
    :param cluster_name: The cluster's exact name, instead of the id.
    :param css_conn_id: The Airflow connection.
    :param deferrable: Whether to wait in the triggerer.
    :param poke_interval: Seconds between two looks; deferred a lower bound. ``None`` for 60, deferred for none.
    """

    ui_color = "#e7f3ee"
    hook_class: ClassVar[type[CssHook]] = CssHook
    looks_once: bool = False
    given_fields: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        cluster_id: str | None,
        cluster_name: str | None,
        css_conn_id: str,
        deferrable: bool,
        poke_interval: timedelta | float | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=USUAL_POKE_INTERVAL if poke_interval is None else poke_interval, **kwargs)
        self.cluster_id = cluster_id
        self.cluster_name = cluster_name
        self.css_conn_id = css_conn_id
        self.deferrable = deferrable
        self.shortest_pause = poke_interval
        self._wish: Wish | None = None

    @cached_property
    def hook(self) -> CssHook:
        """The hook for the rendered connection."""
        return self.hook_class(self.css_conn_id)

    @abstractmethod
    def condition(self, context: Any) -> Condition:
        """
        Return what is waited for, from the rendered fields.

        :param context: Airflow's context.
        """

    def execute(self, context: Any) -> Any:
        """
        Return what was found, once it has come.

        :param context: Airflow's context.
        """
        wish = self.wish(context)
        if self.deferrable and not self.looks_once:
            return wish.told(wish.start)
        return wish.told(lambda: _wait_as_airflow_does(self, context))

    def poke(self, context: Any) -> Any:
        """
        Return whether it has come: one look.

        :param context: Airflow's context.
        """
        return self.wish(context).poke()

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        """
        Return what the trigger found.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        wish = self.wish(context)
        return wish.told(lambda: wish.resume(event))

    def wish(self, context: Any) -> Wish:
        """
        Return the wait; all pokes of one process share it, and what it forgives and has seen.

        :param context: Airflow's context.
        """
        # Imported late: what only a worker needs must not be paid for at every parse of every DAG file.
        from airflow_css.sensors.sensing import Wish

        self._wish = self._wish or Wish(self, context)
        return self._wish
