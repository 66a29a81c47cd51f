"""The link to the console: there as soon as the snapshot is known, and never in anybody's way."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_css.links.css import SnapshotLink
from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow_css.provider_info import get_provider_info
from airflow_css.sensors.snapshot import SnapshotFreshnessSensor, SnapshotSensor
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS
from tests.running import run_task
from tests.sensors.playing import MODES, play, sensor_of
from tests.world import World

TEMPLATE = "https://console.example.com/?region={region}#/{project_id}/{cluster_id}/{snapshot_id}"
KEY = SnapshotLink().xcom_key


def _address(world: World, snapshot_id: str) -> str:
    emulator = world.emulator
    return f"https://console.example.com/?region=eu-west-101#/{emulator.project_id}/{emulator.cluster_id}/{snapshot_id}"


@pytest.fixture
def linked(world: World) -> World:
    """A world whose connection knows the console."""
    world.connect(console_url_template=TEMPLATE)
    return world


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_creation_has_its_link_before_it_ends(linked: World, deferrable: bool) -> None:  # noqa: FBT001 - a table's column
    """The address is pushed with the ids, before any wait."""
    if deferrable:
        outcome = linked.run(deferrable=True)
        assert outcome.state == "deferred"
    else:
        outcome = linked.run(wait_for_completion=False)
    assert outcome.xcom[KEY] == _address(linked, outcome.xcom["backup_id"])


@pytest.mark.parametrize("way", MODES)
def test_a_sensor_has_its_link(linked: World, way: str) -> None:
    """The address leads to the snapshot that was waited for, or found."""
    snapshot_id = linked.emulator.add_snapshot("orders-1")
    waited = play(linked, SnapshotSensor, way=way, snapshot_name="orders-1")
    found = play(linked, SnapshotFreshnessSensor, way=way, max_age=3600, timeout=60)
    assert waited.xcom[KEY] == found.xcom[KEY] == _address(linked, snapshot_id)


def test_a_waiting_sensor_has_its_link_already(linked: World) -> None:
    """Also what is not good yet can be looked at."""
    snapshot_id = linked.emulator.add_snapshot("orders-1", status="BUILDING")
    try:
        outcome = run_task(sensor_of(linked, SnapshotSensor, way="deferred", snapshot_name="orders-1"))
    except TaskDeferred:
        pytest.fail("the runner catches it")
    assert outcome.state == "deferred"
    assert outcome.xcom[KEY] == _address(linked, snapshot_id)


@pytest.mark.parametrize("template", [None, "http://console.example.com/{cluster_id}"])
def test_without_a_usable_template_there_is_no_link(world: World, template: str | None) -> None:
    """Neither none nor a wrong one keeps the snapshot from being made."""
    world.connect(console_url_template=template)
    outcome = world.run()
    assert outcome.state == "success"
    assert KEY not in outcome.xcom


def test_a_link_never_raises() -> None:
    """Without an XCom, without a database, with whatever key: an empty text."""
    assert SnapshotLink().get_link(None, ti_key=None) == ""


@pytest.mark.parametrize("task", [CreateSnapshotOperator, SnapshotSensor, SnapshotFreshnessSensor])
def test_the_tasks_with_a_snapshot_show_the_link(task: Any) -> None:
    """The class of the link is registered, since Airflow 2 drops others without a word."""
    (link,) = task.operator_extra_links
    assert isinstance(link, SnapshotLink)
    assert get_provider_info()["extra-links"] == [f"{SnapshotLink.__module__}.{SnapshotLink.__name__}"]


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="Airflow 2 asks the class itself")
def test_the_key_is_airflow_s_own(world: World) -> None:
    """Airflow 3 reads the address under this key, also while the task runs."""
    from airflow.sdk import BaseOperatorLink

    assert BaseOperatorLink.xcom_key.fget(SnapshotLink()) == KEY  # type: ignore[attr-defined] # a property of the class
    assert world.emulator.requests == ()
