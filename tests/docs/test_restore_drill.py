"""The how-to for restore drills: its tables are those of the code, and its schema is that of the reports."""

from __future__ import annotations

import ast
import inspect
import json
import re

from airflow_css.checkpoints.drill_report import SCHEMA, SCHEMA_VERSION, Outcome
from airflow_css.checkpoints.drill_tasks import DrillRestore
from airflow_css.checkpoints.task_group import css_restore_drill
from tests.docs.markdown import ROOT, page

HOW_TO = page("docs/how-to/restore-drill.md")


def test_the_parameters_are_those_of_the_code() -> None:
    """Each parameter has one line with its default, and those marked with T are templates of the restore."""
    rows = HOW_TO.table("parameter", below="## Parameters")
    taken = inspect.signature(css_restore_drill).parameters
    shown = {re.findall(r"`(\w+)`", row[0])[0]: row[1].strip("`") for row in rows}
    assert list(shown) == list(taken)
    optional = {name: p.default for name, p in taken.items() if p.default is not p.empty}
    assert {name: ast.literal_eval(shown[name]) for name in optional} == optional
    templates = {re.findall(r"`(\w+)`", row[0])[0] for row in rows if row[0].endswith(" T")}
    assert templates == set(DrillRestore.template_fields) & set(taken)


def test_the_keys_are_those_of_the_schema() -> None:
    """Each key of a report has one line, in the order of the schema, and the words are those of the code."""
    rows = HOW_TO.table("key", below="## The report")
    schema = json.loads((ROOT / "docs/how-to/restore-drill.schema.json").read_text(encoding="utf-8"))
    assert [row[0].strip("`") for row in rows] == schema["required"] == list(schema["properties"])
    lines = {row[0].strip("`"): row[1] for row in rows}
    assert re.findall(r"`(\w+)`", lines["outcome"]) == list(Outcome) == schema["properties"]["outcome"]["enum"]
    assert (lines["schema"].strip("`"), schema["properties"]["schema_version"]["const"]) == (SCHEMA, SCHEMA_VERSION)
