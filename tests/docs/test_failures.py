"""The cook-book of failures: its rows are the code's, and each is what a task really says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from airflow_css.protocol.codes import CODE_RULES, STATUS_RULES, Rule
from tests.docs.markdown import page
from tests.running import TaskRun
from tests.task_log import reading_the_log
from tests.world import World, new_world

FAILURES = page("docs/failures.md")
_numbers = itertools.count()


def _of(rule: Rule) -> str:
    return "waits, then retries" if rule.waits else "retries" if rule.curable else "fails at once"


def _shown(below: str) -> list[tuple[tuple[str, ...], str, str, str]]:
    rows = FAILURES.table("the answer has", below=below)
    return [(tuple(re.findall(r"`([^`]+)`", row[0])), row[1], row[2], row[3]) for row in rows]


def test_the_codes_are_those_of_the_code() -> None:
    """Every row of the code's table stands on the page, with its meaning, its remedy and what Airflow does."""
    shown = _shown("## CSS answered with a code") + _shown("## The gateway or the sign-in service answered")
    rules = sorted(CODE_RULES, key=lambda rule: not rule.codes[0].startswith("CSS."))
    assert shown == [(rule.codes, rule.meaning, rule.remedy, _of(rule)) for rule in rules]


def test_the_statuses_are_those_of_the_code() -> None:
    """The same holds for answers without a known code."""
    assert _shown("## An answer without a known code") == [
        ((f"HTTP {status}",), rule.meaning, rule.remedy, _of(rule)) for status, rule in STATUS_RULES.items()
    ]


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    """One world for all rows; each row plays a run of its own."""
    with new_world() as world:
        yield world


@pytest.mark.parametrize("status", STATUS_RULES)
def test_a_task_says_what_the_page_says_of_a_status(status: int, shared: World) -> None:
    """The same holds for an answer that has only a status."""
    rule = STATUS_RULES[status]
    shared.connect()
    shared.emulator.faults.clear()
    shared.emulator.faults.answer(status, call="create_snapshot", times=None)
    with reading_the_log() as log:
        outcome = shared.run(TaskRun(run_id=f"manual__{next(_numbers)}"), retries=1, turn_timeout=0)
    shared.emulator.faults.clear()
    assert outcome.state == ("up_for_retry" if rule.curable else "failed")
    assert f"HTTP {status}" in str(outcome.error)
    assert rule.remedy in str(outcome.error)
    assert log.having("Newest good backup:", "error")


@pytest.mark.parametrize("row", FAILURES.table("the error says", below="## No answer came"), ids=lambda row: row[0])
def test_a_task_says_that_no_answer_came(row: list[str], world: World) -> None:
    """Nothing listens, or the connection breaks: the words of the row, a retry, and the midnight line."""
    if "no connection" in row[0]:
        world.emulator.stop()
    else:
        world.emulator.faults.drop(times=None)
    with reading_the_log() as log:
        outcome = world.run(retries=1)
    assert row[0].strip("`") in str(outcome.error)
    assert outcome.state == {"retries": "up_for_retry"}[row[3]]
    assert log.having("Newest good backup:", "error")


@pytest.mark.parametrize("rule", CODE_RULES, ids=lambda rule: rule.codes[0])
def test_a_task_says_what_the_page_says(rule: Rule, shared: World) -> None:
    """A creation that is answered with the code fails with the code and the remedy, and ends with the midnight line."""
    shared.connect()
    shared.emulator.faults.clear()
    shared.emulator.faults.answer(400, rule.codes[0], call="create_snapshot", times=None)
    with reading_the_log() as log:
        outcome = shared.run(TaskRun(run_id=f"manual__{next(_numbers)}"), retries=1, turn_timeout=0)
    shared.emulator.faults.clear()
    assert outcome.state == ("up_for_retry" if rule.curable else "failed")
    said = str(outcome.error)
    assert rule.codes[0] in said
    assert rule.remedy in said
    assert re.search(r"\(request id \w+\)$", said)
    assert log.having("Newest good backup:", "error")
