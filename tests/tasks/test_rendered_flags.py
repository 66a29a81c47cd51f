"""Truth values: whatever switches something on or off takes True and False alone, in every operator and sensor."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import (
    CreateSnapshotOperator,
    DeleteSnapshotOperator,
    ListSnapshotsOperator,
    RestoreSnapshotOperator,
)
from airflow_css.protocol.errors import CssUsageError
from airflow_css.sensors.snapshot import ClusterIdleSensor, SnapshotFreshnessSensor, SnapshotSensor
from airflow_css.tasks.rendered import check_flag
from tests.world import World

TASKS: dict[Any, dict[str, Any]] = {
    CreateSnapshotOperator: {},
    RestoreSnapshotOperator: {"snapshot_name": "orders", "target_cluster_id": "same"},
    DeleteSnapshotOperator: {"snapshot_name": "orders"},
    ListSnapshotsOperator: {},
    PruneSnapshotsOperator: {"keep_last": 1},
    SnapshotSensor: {"snapshot_name": "orders"},
    ClusterIdleSensor: {},
    SnapshotFreshnessSensor: {"max_age": 60, "timeout": 600},
}


def _flags(kind: Any) -> list[str]:
    """Return the parameters of ours that are truth values."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("airflow_css.") and "__init__" in vars(base)]
    found = [parameter for base in ours for parameter in inspect.signature(base.__init__).parameters.values()]
    return sorted({parameter.name for parameter in found if parameter.annotation == "bool"})


FLAGS = [(kind, name) for kind in TASKS for name in _flags(kind)]


def test_the_flags_are_found() -> None:
    """Each of these is one; were one of them missing, the table below would be, too."""
    assert {(CreateSnapshotOperator, "hold"), (PruneSnapshotsOperator, "dry_run")} < set(FLAGS)
    assert {kind for kind, name in FLAGS if name == "deferrable"} == {*TASKS} - {ListSnapshotsOperator}


@pytest.mark.parametrize(("kind", "name"), FLAGS, ids=lambda part: getattr(part, "__name__", part))
def test_a_word_for_a_truth_value_is_refused_before_anything_is_sent(world: World, kind: Any, name: str) -> None:
    """The word "false" would count as true; the task fails at once, names the parameter, and costs no request."""
    outcome = world.run(operator_class=kind, retries=1, **{**TASKS[kind], name: "false"})
    assert outcome.state == "failed"
    error = getattr(outcome.error, "__cause__", None)
    assert isinstance(error, CssUsageError), outcome.error
    assert (error.what, error.value) == (name, "false")
    assert world.emulator.requests == ()


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_returned(value: bool) -> None:  # noqa: FBT001 - a case
    """True and False pass unchanged."""
    assert check_flag("hold", value) is value


@pytest.mark.parametrize("value", ["false", "True", "", 0, 1, None, []], ids=repr)
def test_what_is_no_truth_value_is_refused(value: Any) -> None:
    """The message names the parameter and shows the value, and its example passes."""
    with pytest.raises(CssUsageError, match="hold") as caught:
        check_flag("hold", value)
    assert check_flag("hold", caught.value.legal)
