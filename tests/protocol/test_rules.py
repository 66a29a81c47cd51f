"""The rules of a retention: whatever cannot be meant is refused before anything is judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.rules import COUNTS, RetentionRules, check_rules

LEGAL: list[dict[str, Any]] = [
    *({count: 1} for count in COUNTS),
    {"keep_within": "14d"},
    {"keep_within": timedelta(days=14)},
    {"keep_last": 7, "keep_daily": 0, "keep_weekly": None},
    {"keep_last": 7, "timezone": "Asia/Shanghai", "older_than": "1m", "max_delete": 1},
    {"keep_last": 7, "hold_ids": ["a"], "hold_names": {"b"}, "group_by": None},
    {"keep_last": 7, "group_by": ("task",)},
]


@pytest.mark.parametrize("given", LEGAL, ids=str)
def test_legal_rules_pass_unchanged(given: dict[str, Any]) -> None:
    """What can be kept comes back as it was given."""
    rules = RetentionRules(**given)
    assert check_rules(rules) is rules


ILLEGAL: list[tuple[str, dict[str, Any]]] = [
    ("at least one keep rule", {}),
    ("at least one keep rule", {"keep_last": 0, "keep_daily": 0}),
    ("at least one keep rule", {"older_than": "14d", "max_delete": 5}),
    ("keep_daily -1", {"keep_daily": -1}),
    ("keep_last True", {"keep_last": True}),
    ("keep_last 7.0", {"keep_last": 7.0}),
    ("keep_last '7'", {"keep_last": "7"}),
    ("max_delete 0", {"keep_last": 1, "max_delete": 0}),
    ("max_delete True", {"keep_last": 1, "max_delete": True}),
    ("keep_within '0d'", {"keep_last": 1, "keep_within": "0d"}),
    ("keep_within '-1d'", {"keep_within": "-1d"}),
    ("keep_within 14", {"keep_within": 14}),
    ("keep_within datetime", {"keep_within": timedelta()}),
    ("older_than 'two weeks'", {"keep_last": 1, "older_than": "two weeks"}),
    ("older_than datetime", {"keep_last": 1, "older_than": timedelta(days=-1)}),
    ("timezone 'Mars/Olympus'", {"keep_last": 1, "timezone": "Mars/Olympus"}),
    ("timezone ''", {"keep_last": 1, "timezone": ""}),
    ("timezone '../UTC'", {"keep_last": 1, "timezone": "../UTC"}),
    ("timezone None", {"keep_last": 1, "timezone": None}),
    ("hold_ids 'abc'", {"keep_last": 1, "hold_ids": "abc"}),
    ("hold_names 'abc'", {"keep_last": 1, "hold_names": "abc"}),
    (r"hold_names \[''\]", {"keep_last": 1, "hold_names": [""]}),
    ("group_by 'task'", {"keep_last": 1, "group_by": "task"}),
    (r"group_by \['run'\]", {"keep_last": 1, "group_by": ["run"]}),
    (r"group_by \(\)", {"keep_last": 1, "group_by": ()}),
]


@pytest.mark.parametrize(("said", "given"), ILLEGAL, ids=str)
def test_what_cannot_be_meant_is_refused(said: str, given: dict[str, Any]) -> None:
    """The message names the parameter and its value, the rule, and a legal value."""
    with pytest.raises(CssUsageError, match=said) as caught:
        check_rules(RetentionRules(**given))
    assert "For example:" in str(caught.value)


def test_a_suggested_value_is_legal() -> None:
    """Whoever takes the advice of a message gets further."""
    for _, given in ILLEGAL:
        with pytest.raises(CssUsageError) as caught:
            check_rules(RetentionRules(**given))
        mended = caught.value.legal if not isinstance(caught.value.legal, dict) else None
        check_rules(RetentionRules(**({"keep_last": 1} if mended is None else given | {caught.value.what: mended})))
