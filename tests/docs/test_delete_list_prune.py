"""The how-tos for deleting, listing and retention: their tables are those of the code."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import DeleteSnapshotOperator, ListSnapshotsOperator
from airflow_css.protocol.retention import RetentionVerdict
from airflow_css.protocol.selection import Scope
from tests.docs.markdown import page
from tests.marked import add_marked
from tests.parameters import parameters_of
from tests.world import World

PAGES: dict[str, Any] = {
    "delete-snapshots": DeleteSnapshotOperator,
    "list-snapshots": ListSnapshotsOperator,
    "retention": PruneSnapshotsOperator,
}


def _words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


@pytest.mark.parametrize("name", PAGES)
def test_the_parameters_are_those_of_the_operator(name: str) -> None:
    """Each parameter has one line with its default, and those marked with T are the templates."""
    rows = page(f"docs/how-to/{name}.md").table("parameter", below="## Parameters")
    taken = parameters_of(PAGES[name])
    shown = {_words(row[0])[0]: row[1] for row in rows}
    assert set(shown) == set(taken)
    literals = {which: ast.literal_eval(cell.strip("`")) for which, cell in shown.items() if cell.startswith("`")}
    assert {which: literals.get(which) for which in shown} == {which: p.default for which, p in taken.items()}
    templates = {_words(row[0])[0] for row in rows if row[0].endswith(" T")}
    assert templates == set(PAGES[name].template_fields)


@pytest.mark.parametrize("name", ["list-snapshots", "retention"])
def test_the_scopes_are_those_of_the_code(name: str) -> None:
    """Each scope has one line."""
    rows = page(f"docs/how-to/{name}.md").table("`scope`", below="## Whose snapshots")
    assert {word for row in rows for word in _words(row[0])} == {str(scope) for scope in Scope}


@pytest.mark.parametrize("name", PAGES)
def test_the_keys_of_the_xcom_are_those_that_are_pushed(name: str, world: World) -> None:
    """What the page says of the result is what a task pushes."""
    wanted = add_marked(world, "orders", 1)
    needed: dict[str, dict[str, Any]] = {
        "delete-snapshots": {"snapshot_id": wanted},
        "list-snapshots": {},
        "retention": {"keep_last": 1},
    }
    pushed = world.run(operator_class=PAGES[name], **needed[name]).xcom["return_value"]
    text = page(f"docs/how-to/{name}.md")
    if name == "delete-snapshots":
        (line,) = [line for line in text.text.splitlines() if line.startswith("`return_value` is plain JSON: ")]
        assert _words(line)[1:] == list(pushed)
        return
    below = "## What an entry holds" if name == "list-snapshots" else "## XCom"
    rows = text.table("key", below=below)
    entry = pushed[0] if name == "list-snapshots" else pushed
    assert {word for row in rows for word in _words(row[0])} == set(entry)


def test_the_verdicts_are_those_of_the_code() -> None:
    """The line about counts names every verdict."""
    rows = page("docs/how-to/retention.md").table("key", below="## XCom")
    (said,) = [row[1] for row in rows if row[0] == "`counts`"]
    assert _words(said) == [
        str(verdict)
        for verdict in (
            RetentionVerdict.KEEP,
            RetentionVerdict.DELETE,
            RetentionVerdict.POSTPONED,
            RetentionVerdict.PROTECTED,
            RetentionVerdict.OUT_OF_SCOPE,
        )
    ]
