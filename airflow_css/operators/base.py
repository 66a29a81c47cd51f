"""What the operators that act on a cluster share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_css.hooks.css import CssHook
from airflow_css.links.css import SnapshotLink
from airflow_css.tasks.missing_date import TellsMissingDate

__all__ = ["ClusterOperator"]


class ClusterOperator(TellsMissingDate, BaseOperator):
    """
    Acts on one cluster, and waits for what it began.

    :param cluster_id: The cluster's id. (templated)
    :param cluster_name: The cluster's exact name, instead of the id. (templated) Without either, the connection's
        default cluster is used.
    :param css_conn_id: The Airflow connection. Default ``css_default``. (templated)
    :param wait_for_completion: Whether to wait for the end. Default yes.
    :param deferrable: Whether to wait in the triggerer, without a worker slot. Default as Airflow's option
        ``[operators] default_deferrable`` says.
    :param poll_interval: Lower bound between two looks, in seconds. Default: 2 at first, then growing with the age up
        to 60.
    :param turn_timeout: Seconds to wait for the cluster to become free; 0 to fail at once. Default 21,600 (6 hours).
    """

    operator_extra_links: Sequence[SnapshotLink] = (SnapshotLink(),)
    hook_class: ClassVar[type[CssHook]] = CssHook

    def __init__(
        self,
        *,
        cluster_id: str | None = None,
        cluster_name: str | None = None,
        css_conn_id: str = CssHook.default_conn_name,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float | None = None,
        turn_timeout: float = 21_600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_id = cluster_id
        self.cluster_name = cluster_name
        self.css_conn_id = css_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.turn_timeout = turn_timeout

    @cached_property
    def hook(self) -> CssHook:
        """The hook for the rendered connection."""
        return self.hook_class(self.css_conn_id)
