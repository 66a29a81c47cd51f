"""The how-tos for the sensors: their tables are those of the code, and what they show happens."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from airflow_css.protocol.freshness import KINDS, SCOPES
from airflow_css.sensors.one_snapshot import EXPECTATIONS
from airflow_css.sensors.snapshot import SnapshotFreshnessSensor, SnapshotSensor
from tests.docs.markdown import page
from tests.running import run_task
from tests.sensors.playing import play
from tests.world import World

WAIT, ALARM = page("docs/how-to/wait-for-snapshots.md"), page("docs/how-to/freshness-alarm.md")
STATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "good": ({}, {"status": "FAILED"}),
    "restored": ({"restore_status": "success"}, {"restore_status": "failed"}),
    "gone": ({}, {}),
}


def test_the_parameters_are_those_of_the_freshness_sensor() -> None:
    """Each parameter has one line with its default, and those marked with T are the templates."""
    taken = inspect.signature(SnapshotFreshnessSensor).parameters
    shown = {re.findall(r"`(\w+)`", row[0])[0]: row[1] for row in ALARM.table("parameter")}
    assert list(shown) == [name for name in taken if name != "kwargs"]
    literals = {name: ast.literal_eval(cell.strip("`")) for name, cell in shown.items() if cell.startswith("`")}
    optional = {name: parameter for name, parameter in taken.items() if name in shown and name != "max_age"}
    assert {name: literals.get(name) for name in optional} == {name: p.default for name, p in optional.items()}
    templates = [row[0] for row in ALARM.table("parameter") if row[0].endswith(" T")]
    assert templates == [f"`{name}` T" for name in SnapshotFreshnessSensor.template_fields]


def test_the_words_are_those_of_the_code() -> None:
    """Scope, kind and expectation are explained with all their words."""
    lines = {re.findall(r"`(\w+)`", row[0])[0]: row[2] for row in ALARM.table("parameter")}
    assert tuple(re.findall(r'`"(\w+)"`', lines["scope"])) == SCOPES
    assert tuple(re.findall(r'`"(\w+)"`', lines["kind"])) == KINDS
    assert tuple(re.findall(r'"(\w+)"', " ".join(row[0] for row in WAIT.table("`expect`")))) == EXPECTATIONS


@pytest.mark.parametrize("expect", EXPECTATIONS)
def test_an_expectation_ends_as_shown(world: World, expect: str) -> None:
    """The second column succeeds, the third fails at once, if there is one."""
    good, bad = STATES[expect]
    if expect != "gone":
        world.emulator.add_snapshot("good-one", **good)
    assert play(world, SnapshotSensor, snapshot_name="good-one", expect=expect).state == "success"
    (row,) = [row for row in WAIT.table("`expect`") if row[0] == f'`"{expect}"`']
    if row[2] != "never":
        world.emulator.add_snapshot("bad-one", **bad)
        assert play(world, SnapshotSensor, snapshot_name="bad-one", expect=expect).state == "failed"


def test_the_dag_of_the_page_waits(world: World, tmp_path: Path) -> None:
    """Its sensors find what they wait for, under the name that the template renders to."""
    (block,) = WAIT.blocks("python")
    before = block.run(tmp_path)
    world.emulator.add_snapshot("orders-2026-11-23")
    for task in ("backup_is_good", "cluster_is_idle"):
        assert run_task(before[task]).state == "success"
