"""What a snapshot sensor waits for, from its rendered fields."""

from __future__ import annotations

from typing import Any, Protocol

from airflow_css.protocol.conditions import Condition
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.names import check_snapshot_id, fold_name
from airflow_css.protocol.sensed import SnapshotGone, SnapshotGood, SnapshotRestored
from airflow_css.sensors.sensing import SensingTask
from airflow_css.tasks.fields import given
from airflow_css.tasks.rendered import check_flag

__all__ = ["snapshot_condition"]

EXPECTATIONS = ("good", "restored", "gone")


class SnapshotTask(SensingTask, Protocol):
    """A snapshot sensor, seen from its parts; the meaning of each attribute stands there."""

    snapshot_id: Any
    snapshot_name: Any
    expect: str
    allow_partial: bool
    fail_if_empty: bool


def snapshot_condition(sensor: SnapshotTask) -> Condition:
    """
    Return what a snapshot sensor waits for.

    :param sensor: The sensor, with its templates rendered.
    :raises CssUsageError: if a parameter breaks a rule.
    """
    if sensor.expect not in EXPECTATIONS:
        raise CssUsageError("expect", sensor.expect, f"it is one of {', '.join(EXPECTATIONS)}", "good")
    snapshot_id, snapshot_name = _which(sensor)
    allow_partial = check_flag("allow_partial", sensor.allow_partial)
    fail_if_empty = check_flag("fail_if_empty", sensor.fail_if_empty)
    if sensor.expect == "restored":
        return SnapshotRestored(snapshot_id, snapshot_name)
    if sensor.expect == "gone":
        return SnapshotGone(snapshot_id, snapshot_name)
    return SnapshotGood(snapshot_id, snapshot_name, allow_partial=allow_partial, fail_if_empty=fail_if_empty)


def _which(sensor: SnapshotTask) -> tuple[str | None, str | None]:
    snapshot_id, snapshot_name = given(sensor, "snapshot_id"), given(sensor, "snapshot_name")
    if (snapshot_id is None) == (snapshot_name is None):
        rule = "either snapshot_id or snapshot_name is needed, not both; an id fits"
        raise CssUsageError("snapshot", snapshot_name or snapshot_id, rule, "9dc4f5c9-33c0-45c7-9378-ae35ae350682")
    if snapshot_id is not None:
        return check_snapshot_id(snapshot_id), None
    name = fold_name(snapshot_name)
    if name != snapshot_name:
        sensor.log.info("No snapshot has the name %r; %r is looked for.", snapshot_name, name)
    return None, name
