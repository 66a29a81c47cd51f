"""The demo of a rollback: it is content only with what it promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from airflow_css.demo_rollback import ORDERS, find_fault
from tests.docs.environment import make_folder, type_commands
from tests.docs.markdown import page

DAMAGE: dict[str, Any] = {"1": {"cents": 0}}
VERDICT = "Failed: protected.check. Rolled back: orders-2026-11 as in the snapshot x (y)."


@pytest.mark.parametrize(
    ("damaged", "now", "state", "verdict", "fault"),
    [
        (DAMAGE, ORDERS, "failed", VERDICT, ""),
        ({}, ORDERS, "failed", VERDICT, "The load did not break."),
        (ORDERS, ORDERS, "failed", VERDICT, "The load did not break."),
        (DAMAGE, DAMAGE, "failed", VERDICT, "The data did not come back."),
        (DAMAGE, {}, "failed", VERDICT, "The data did not come back."),
        (DAMAGE, ORDERS, "success", VERDICT, "The run does not say that it was rolled back."),
        (DAMAGE, ORDERS, "failed", "", "The run does not say that it was rolled back."),
        (DAMAGE, ORDERS, "failed", "Not rolled back.", "The run does not say that it was rolled back."),
    ],
)
def test_it_is_content_only_when_all_went_as_it_should(
    damaged: Any, now: Any, state: str, verdict: str, fault: str
) -> None:
    """The load must have broken, the data must be back, and the red run must say so."""
    assert find_fault(damaged, now, state, verdict) == fault


@pytest.mark.heavy
def test_it_shows_the_damage_and_the_way_back(tmp_path: Path) -> None:
    """Typed as in the README, it shows the documents before, the damage, the documents after and the verdict."""
    (command,) = re.findall(r"`(\S+/airflow-css demo --rollback)`", page("README.md").text)
    done = type_commands(make_folder(tmp_path), command)
    assert done.returncode == 0, done.stdout
    places = [
        done.stdout.find(text)
        for text in (
            "Before the load",
            '1  {"customer": "ada", "cents": 1250}',
            "task protected.check FAILED",
            "These orders cost nothing: 1, 3.",
            "The load has left this behind",
            '1  {"customer": "ada", "cents": 0}',
            "task protected.restore succeeded",
            "task protected.verdict FAILED",
            "After the rollback",
            "Failed: protected.check. Rolled back: orders-2026-11 as in the snapshot",
            "The run is red, as it should be",
            "finished in ",
        )
    ]
    assert -1 not in places, done.stdout
    assert places == sorted(places), done.stdout
    assert done.stdout.count('1  {"customer": "ada", "cents": 1250}') == 2
