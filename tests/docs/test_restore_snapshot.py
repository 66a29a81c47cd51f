"""The how-to for restoring: its tables are those of the code."""

from __future__ import annotations

import ast
import re

import pytest

from airflow_css.operators.snapshot import RestoreSnapshotOperator
from airflow_css.protocol.preview import Renaming
from airflow_css.protocol.restoring import AGREE_AFTER, AGREE_APART
from tests.docs.markdown import page
from tests.parameters import parameters_of

HOW_TO = page("docs/how-to/restore-snapshot.md")


def test_the_parameters_are_those_of_the_operator() -> None:
    """Each parameter has one line with its default, and those marked with T are the templates."""
    rows = HOW_TO.table("parameter", below="## Parameters")
    taken = parameters_of(RestoreSnapshotOperator)
    shown = {re.findall(r"`(\w+)`", row[0])[0]: row[1] for row in rows}
    assert set(shown) == set(taken)
    literals = {name: ast.literal_eval(cell.strip("`")) for name, cell in shown.items() if cell.startswith("`")}
    needed = {name for name, parameter in taken.items() if parameter.default is parameter.empty}
    assert {name for name, cell in shown.items() if cell == "must be given"} == needed
    assert {name: literals.get(name) for name in shown if name not in needed} == {
        name: taken[name].default for name in shown if name not in needed
    }
    templates = {re.findall(r"`(\w+)`", row[0])[0] for row in rows if row[0].endswith(" T")}
    assert templates == set(RestoreSnapshotOperator.template_fields)


@pytest.mark.parametrize(("pattern", "replacement", "name"), HOW_TO.table("pattern"))
def test_a_name_is_made_as_shown(pattern: str, replacement: str, name: str) -> None:
    """What the page shows for ``orders-2026`` is what comes of it."""
    assert Renaming(pattern.strip("`"), replacement.strip("`")).apply("orders-2026") == name.strip("`")


def test_the_rule_for_an_end_has_its_numbers() -> None:
    """The page names the seconds of the rule."""
    said = f"at least {AGREE_APART.seconds} seconds apart and {AGREE_AFTER.seconds} seconds after the call"
    assert said in HOW_TO.text
