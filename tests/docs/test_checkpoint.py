"""The pages about checkpoints: their tables are those of the code."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_css.checkpoints.plan import MODES
from airflow_css.checkpoints.task_group import css_checkpoint
from airflow_css.version_compat import AIRFLOW_V_3_1_PLUS
from tests.docs.markdown import page

HOW_TO = page("docs/how-to/checkpoint.md")
PROMISES = page("docs/explanation/what-a-checkpoint-promises.md")


class Quick(BaseOperator):
    """A task."""

    def execute(self, context: Any) -> None:
        """Do nothing."""


def test_the_parameters_are_those_of_the_function() -> None:
    """Each parameter has one line with its default, in the order of the signature."""
    rows = HOW_TO.table("parameter", below="## Parameters")
    taken = inspect.signature(css_checkpoint).parameters
    shown = {re.findall(r"`(\w+)`", row[0])[0]: row[1] for row in rows}
    assert list(shown) == list(taken)
    assert shown.pop("group_id") == "must be given"
    defaults = {name: ast.literal_eval(cell.strip("`")) for name, cell in shown.items()}
    assert defaults == {name: taken[name].default for name in defaults}


def test_the_modes_are_those_of_the_plan() -> None:
    """Each mode has one line."""
    assert tuple(row[0].strip("`") for row in HOW_TO.table("`mode`")) == MODES


def test_the_tasks_are_those_of_the_group() -> None:
    """The group has the listed tasks of its own, and no other, when everything is asked for."""
    with DAG("d", schedule=None) as dag:
        everything: dict[str, Any] = {"mode": "confirm"} if AIRFLOW_V_3_1_PLUS else {}
        everything |= {"indices": ["a"], "in_place": True, "consent": "overwrite", "safety_snapshot": True}
        with css_checkpoint("load", retention={"keep_last": 1}, **everything):
            Quick(task_id="work")
    own = {name.removeprefix("load.") for name in dag.task_ids} - {"work"}
    listed = {row[0].strip("`") for row in HOW_TO.table("task")}
    assert own == (listed if AIRFLOW_V_3_1_PLUS else listed - {"confirm"})


def test_what_is_not_covered_is_said() -> None:
    """The page says of each known limit that there is one."""
    text = PROMISES.text
    for limit in ("aliases", "dagrun_timeout", "fails fast", "number of shards", "others wrote", "created by the work"):
        assert limit in text, limit
