"""What a restore carries over a wait: a later version understands what an earlier one wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_css.operators.restore_plan import RestorePlan
from airflow_css.operators.restore_result import RestoreResult
from airflow_css.protocol.errors import CssReplyError

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "triggers").glob("restore_*.json"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_restore_of_any_version_goes_on(path: Path) -> None:
    """What any version let a trigger carry is understood, and says the same again."""
    carried = json.loads(path.read_text())["kwargs"]["carry"]
    assert json.loads(json.dumps(RestorePlan.from_json(carried["plan"]).as_json())) == carried["plan"]
    # What a later version has learnt to say is unknown of what an earlier one began.
    assert RestoreResult.from_json(carried["result"]).as_json() == {"taken_at": None, **carried["result"]}


@pytest.mark.parametrize("facts", [None, {}, {"cluster_id": "x"}, [], "plan"], ids=str)
def test_what_is_no_plan_is_refused(facts: object) -> None:
    """Anything else is an error that says what to do."""
    with pytest.raises(CssReplyError, match="restart the triggerer"):
        RestorePlan.from_json(facts)
