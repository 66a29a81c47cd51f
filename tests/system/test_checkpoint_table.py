"""
The whole table of checkpoints: what fails, what a retry does, in which mode, and what is cleared afterwards.

What is expected is generated, by an oracle that follows the documentation and shares nothing with the package.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tests.system.checkpoint_oracle import CASES, CONTROL, MODES, Case, expect
from tests.system.checkpoint_playing import play_script

pytestmark = pytest.mark.system


@pytest.fixture(scope="session")
def table(airflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every case, on one Airflow."""
    home = tmp_path_factory.mktemp("table") / "home"
    return play_script(airflow_python, home, "checkpoint_table", "checkpoint_table_dags.py")


def _expected(case: Case) -> list[dict[str, Any]]:
    return [asdict(end) for end in expect(case)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_end_is_as_documented(table: dict[str, Any], case: Case) -> None:
    """States of every task and of the run, calls at CSS and documents are as documented, also after each clear."""
    assert table[case.name] == _expected(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.step and case.retry != "helps"], ids=lambda c: c.name)
def test_the_modes_are_told_apart(table: dict[str, Any], case: Case) -> None:
    """Control: what came of a case is not what is documented of the same case in another mode."""
    for mode in set(MODES) - {case.mode}:
        assert table[case.name] != _expected(replace(case, mode=mode))


def test_a_hasty_restore_is_noticed(table: dict[str, Any]) -> None:
    """Control: a restore that does not wait for the writer beside ends otherwise than documented."""
    (seen,), (documented,) = table[CONTROL.name], _expected(replace(CONTROL, mode="in_place"))
    assert seen["states"]["restore"] != documented["states"]["restore"]
    assert "writer_late" in seen["documents"]
    assert "writer_late" not in documented["documents"]
