"""What the page says about waiting, compared with the constants that decide it."""

from __future__ import annotations

import re

import pytest

from airflow_css.operators.stay import BACKSTOP_SECONDS
from airflow_css.protocol import events, turns, waiting
from airflow_css.triggers import looking, poll_hub
from tests.docs.markdown import page

PAGE = page("docs/explanation/how-waiting-works.md")
MOST = 1 + waiting.JITTER

DELAYS = {
    "first distance": f"{waiting.FIRST_DELAY_SECONDS:g} s",
    "share of the age or time, at most": f"{waiting.SHARE_OF_AGE * MOST * 100:.0f} %",
    "longest distance": f"{waiting.LONGEST_DELAY_SECONDS * MOST:g} s",
    "variation": f"{waiting.JITTER * 100:g} %",
    "shortest distance between two looks of all": f"{poll_hub.FRESH_SECONDS:g} s",
    "looks at once, per connection": str(poll_hub.LOOKS_AT_ONCE_PER_CONNECTION),
    "no answer after": f"{poll_hub.LONGEST_LOOK_SECONDS:g} s",
}
WORDS = {10: "ten"}
BACKOFFS = [turns.Contradictions(count).backoff_seconds for count in range(1, 10)]
SENTENCES = (
    f"did not become busy within {turns.UNUSED_TURN_SECONDS:g} s",
    f"by {BACKOFFS[0]:g} s at first and doubling up to {BACKOFFS[-1]:g} s",
    f"After {WORDS[turns.MOST_CONTRADICTIONS]} such answers in a row",
    f"survives {WORDS[waiting.FORGIVEN_IN_A_ROW]} such looks in a row",
    f"as long as they take no more than {waiting.FORGIVEN_SECONDS / 60:g} min",
    f"remembers refused keys for {WORDS[int(looking.REFUSED_FOR_SECONDS / 60)]} minutes",
    f"reads each connection again every {looking.READ_ANEW_SECONDS / 60:g} min",
    f"set {BACKSTOP_SECONDS:g} s later",
    f"at least {waiting.GONE_BETWEEN_LOOKS.total_seconds():g} s apart",
    f"the second at least {waiting.GONE_AFTER_CREATION.total_seconds():g} s after the creation",
    f"Success is the word `{events.ENDED}`",
)


def test_the_table_of_distances_is_that_of_the_code() -> None:
    """Each row of the table has the value that the code goes by, and none is missing."""
    assert dict(PAGE.table("what", below="## When it looks")) == DELAYS


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_number_in_a_sentence_is_that_of_the_code(sentence: str) -> None:
    """Each number that the prose gives is the one that the code goes by."""
    assert sentence in re.sub(r"\s+", " ", PAGE.prose)


def test_another_number_would_be_noticed() -> None:
    """The comparison is of the whole sentence, number included."""
    assert SENTENCES[0].replace("60", "61") not in re.sub(r"\s+", " ", PAGE.prose)
