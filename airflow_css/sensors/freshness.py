"""The wait for a backup that is new enough: what is asked of the list, and what is said when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, cast

from airflow.providers.common.compat.sdk import PokeReturnValue

from airflow_css.protocol.conditions import Condition
from airflow_css.protocol.errors import CssError, CssSnapshotError, CssWaitTimeoutError
from airflow_css.protocol.freshness import KINDS, SCOPES, SnapshotFresh, check_word
from airflow_css.protocol.models import Snapshot, SnapshotPolicy
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.provenance import make_mark
from airflow_css.protocol.staleness import why_stale
from airflow_css.sensors.sensing import Found, SensingTask, Wish
from airflow_css.tasks.fields import cluster_of, folded_prefix
from airflow_css.tasks.looks import with_other_keys
from airflow_css.tasks.night import raise_for_airflow
from airflow_css.tasks.rendered import check_number
from airflow_css.tasks.run_context import identify

__all__ = ["FreshnessTask", "FreshnessWish", "fresh_condition"]


class FreshnessTask(SensingTask, Protocol):
    """A freshness sensor, seen from its parts; the meaning of each attribute stands there."""

    max_age: Any
    name_prefix: Any
    scope: Any
    kind: Any
    looks_once: bool


def fresh_condition(sensor: FreshnessTask, context: Any) -> SnapshotFresh:
    """
    Return what a freshness sensor waits for.

    :param sensor: The sensor, with its templates rendered.
    :param context: Airflow's context.
    :raises CssUsageError: if a parameter breaks a rule.
    """
    age = sensor.max_age.total_seconds() if isinstance(sensor.max_age, timedelta) else sensor.max_age
    condition = SnapshotFresh(
        max_age=check_number("max_age", age, at_least=1),
        name_prefix=folded_prefix(sensor) or "",
        scope=check_word("scope", sensor.scope, SCOPES),
        made_by=check_word("kind", sensor.kind, KINDS),
    )
    if condition.scope in {"deployment", "dag"}:
        mark = make_mark(identify(context, sensor.hook.deployment), None)
        condition.owner = mark.dag if condition.scope == "dag" else mark.deployment
    return condition


class FreshnessWish(Wish):
    """
    What one freshness sensor waits for, in one stay in a worker.

    :param sensor: The sensor.
    :param context: Airflow's context.
    """

    def __init__(self, sensor: FreshnessTask, context: Any) -> None:
        super().__init__(sensor, context)
        self._looks_once = sensor.looks_once
        self._policy: SnapshotPolicy | None = None
        self._policy_was_read = False
        self._newest: Snapshot | None = None

    def poke(self) -> PokeReturnValue:
        """Return whether there is a fresh backup; without a timeout, fail when there is none."""
        if not self._looks_once:
            return super().poke()
        try:
            return PokeReturnValue(is_done=True, xcom_value=self._look_once())
        except CssError as error:
            raise_for_airflow(error)

    def _look_once(self) -> Found:
        condition = self.wait.condition
        self.cluster_id = with_other_keys(self.hook, lambda: cluster_of(self.sensor))
        # No other look will repeat this one, so the client does.
        listed = with_other_keys(self.hook, lambda: self.hook.get_conn().list_snapshots(self.cluster_id))
        found = self.judge(condition, listed)
        if found is None:
            reason = self._reason(listed)
            raise CssSnapshotError(f"There is no fresh backup: {reason}", self._newest, curable=False)
        return found

    def judge(self, condition: Condition, seen: Sequence[Snapshot]) -> Found | None:
        """
        Return the facts of the newest good snapshot when it is new enough.

        :param condition: What is waited for.
        :param seen: The snapshots of the cluster.
        """
        self._read_policy(cast("SnapshotFresh", condition))
        return super().judge(condition, seen)

    def _read_policy(self, condition: SnapshotFresh) -> None:
        """Learn which bucket the cluster reads. Keys that may list need not be allowed to read the policy."""
        if self._policy_was_read:
            return
        self._policy_was_read = True
        try:
            self._policy = self.hook.get_conn().get_snapshot_policy(self.cluster_id, once=True)
        except CssError as error:
            self.sensor.log.debug("The policy for automatic snapshots could not be read: %s", error)
            return
        condition.bucket = self._policy.bucket

    def _reason(self, listed: Sequence[Snapshot]) -> str:
        wanted = cast("SnapshotFresh", self.wait.condition)
        reason = why_stale(wanted, listed, self._policy, self.hook.clock.now())
        self._newest = reason.newest
        return str(reason)

    def too_late(self, late: CssWaitTimeoutError) -> Found:
        """
        Return the backup if it has come just now, or raise with the reason, which takes a look of its own.

        :param late: What was reported when the time was up.
        """
        try:
            listed = self.hook.get_conn().list_snapshots(self.cluster_id, once=True)
        except CssError:
            raise late from None
        found = self.judge(self.wait.condition, listed)
        if found is not None:
            return found
        waited = in_words(self.wait.deadline - self.wait.asked_at)
        raise CssWaitTimeoutError(f"No fresh backup came within {waited}: {self._reason(listed)}", self._newest)

    @property
    def label(self) -> str:
        """The snapshot that was not good enough, for people."""
        return f"{self._newest.name} ({self._newest.id})" if self._newest else "none that this task looks for"
