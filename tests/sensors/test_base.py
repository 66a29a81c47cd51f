"""What the sensors share is no sensor by itself."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_css.protocol.sensed import ClusterIdle
from airflow_css.sensors.base import CssSensor

GIVEN: dict[str, Any] = {
    "task_id": "wait",
    "cluster_id": None,
    "cluster_name": None,
    "css_conn_id": "css_default",
    "deferrable": False,
    "poke_interval": None,
}


def test_a_sensor_that_waits_for_nothing_cannot_be_made() -> None:
    """Whoever forgets what is waited for hears it when the DAG is loaded, not when the task runs."""
    with pytest.raises(TypeError, match=r"abstract method '?condition"):
        CssSensor(**GIVEN)  # type: ignore[abstract] # this is the mistake


def test_a_sensor_that_says_what_it_waits_for_can_be_made() -> None:
    """One method is all that is missing."""

    class Waits(CssSensor):
        def condition(self, context: Any) -> ClusterIdle:  # noqa: ARG002 - nothing is needed of it
            return ClusterIdle()

    assert Waits(**GIVEN).task_id == "wait"
