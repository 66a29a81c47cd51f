"""The rows of the cook-book that are played: what a task must say so that its row is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tests.running import Outcome
from tests.task_log import reading_the_log

__all__ = ["STATES", "check_row", "words_of"]

STATES = {"retries": "up_for_retry", "fails at once": "failed"}


def words_of(rows: Iterable[list[str]]) -> list[str]:
    """Return the words of the error in the first column of each row."""
    return [re.findall(r"`([^`]+)`", row[0])[0] for row in rows]


def check_row(row: list[str], play: Callable[[], Outcome]) -> None:
    """
    Play a row: the error has its words and names the way out; the midnight line follows; Airflow does what it says.

    :param row: The words of the error, what they mean, what to do, and what Airflow does.
    :param play: Runs a task that has a retry.
    """
    with reading_the_log() as log:
        outcome = play()
    assert row[0].strip("`") in str(outcome.error)
    assert outcome.state == STATES[row[3]]
    assert log.having("Newest good backup:", "error")
    for name in re.findall(r"`(\w+)", row[2]):
        assert name in str(outcome.error), name
