"""
What a task tells Airflow's metrics, besides what Airflow counts of every task.

The tags are the cluster, the DAG and the task: few values each, and none of them secret. Runs, snapshots and indices
are no tags, since each value of a tag makes another series.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any

from airflow_css.tasks.run_context import identify, number_in_life
from airflow_css.triggers.log import Log
from airflow_css.version_compat import airflow_stats

__all__ = ["Count", "Level", "Metrics", "Time"]


class Count(StrEnum):
    """What is counted."""

    CREATED = "css.snapshot.created"
    ADOPTED = "css.snapshot.adopted"
    FAILED = "css.snapshot.failed"
    DELETED = "css.snapshot.deleted"
    RESTORE_SENT = "css.restore.sent"
    RESTORE_JOINED = "css.restore.joined"
    RESTORE_FAILED = "css.restore.failed"
    RETRIED = "css.task.retried"


class Time(StrEnum):
    """What is timed."""

    DURATION = "css.snapshot.duration"
    WAIT = "css.snapshot.wait"
    TURN = "css.turn.wait"
    RESTORE_DURATION = "css.restore.duration"


class Level(StrEnum):
    """What has a level."""

    SHARDS = "css.snapshot.shards"
    FAILED_SHARDS = "css.snapshot.failed_shards"


class Metrics:
    """
    Takes what a task tells. It never fails: a metric that is lost must not cost a backup.

    :param context: Airflow's context.
    :param cluster_id: The cluster that the task works on.
    :param log: Where it is told, for whoever searches, that a metric was lost.
    """

    def __init__(self, context: Any, cluster_id: str, log: Log) -> None:
        self._context = context
        self._cluster_id = cluster_id
        self._log = log

    def count(self, what: Count) -> None:
        """
        Count one.

        :param what: Of what.
        """
        self._send(lambda stats, tags: stats.incr(what.value, tags=tags))

    def time(self, what: Time, seconds: float | None) -> None:
        """
        Tell how long something took.

        :param what: What.
        :param seconds: How long; nothing is told when it is ``None``.
        """
        if seconds is not None:
            took = timedelta(seconds=max(0.0, seconds))
            self._send(lambda stats, tags: stats.timing(what.value, took, tags=tags))

    def level(self, what: Level, value: float | None) -> None:
        """
        Tell how much there is of something.

        :param what: Of what.
        :param value: How much; nothing is told when it is ``None``.
        """
        if value is not None:
            self._send(lambda stats, tags: stats.gauge(what.value, value, tags=tags))

    def count_retry(self) -> None:
        """Count this try, unless it is the first of its life."""
        if number_in_life(self._context, identify(self._context, "")) > 1:
            self.count(Count.RETRIED)

    def _send(self, tell: Callable[[Any, dict[str, str]], object]) -> None:
        try:
            ti = self._context["ti"]
            tags = {"cluster_id": self._cluster_id, "dag_id": str(ti.dag_id), "task_id": str(ti.task_id)}
            tell(airflow_stats(), tags)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the metrics, the task goes on
            self._log.debug("A metric was lost: %s", error)
