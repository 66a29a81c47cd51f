"""The check of CI that reads bandit's findings: what counts as explained."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from tests.house.sources import ROOT, sources

CHECK = runpy.run_path(str(ROOT / ".ci" / "security.py"))
NAMED = "# noqa: S105 - the name of a header, not a secret"


def _finding(number: str) -> dict[str, Any]:
    """Return what bandit would say of the first line that is explained to ruff."""
    for source in sources("airflow_css"):
        for line, text in enumerate(source.text.splitlines(), 1):
            if text.endswith(NAMED):
                return {"filename": source.name, "line_range": [line], "test_id": number}
    pytest.fail("no line bears the explanation any more")


def test_what_ruff_was_told_with_a_reason_is_explained() -> None:
    """The same number on the same line is one exception for both tools."""
    assert CHECK["_is_explained"](_finding("B105"))


@pytest.mark.parametrize("number", ["B10", "B1050", "B106", "B307"])
def test_another_objection_to_the_same_line_is_not(number: str) -> None:
    """An explanation is good for its own number only."""
    assert not CHECK["_is_explained"](_finding(number))


def test_the_libraries_asked_about_are_those_that_are_imported() -> None:
    """Each run-time dependency is there with the version that is installed."""
    asked = {entry.partition("==")[0] for entry in CHECK["_dependencies"]()}
    assert {"apache-airflow", "requests", "urllib3", "pendulum"} <= asked
