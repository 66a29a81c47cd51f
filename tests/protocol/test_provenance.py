"""The mark in a description: what is written can be read, fits, and is never mistaken."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.protocol.description import describe
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.provenance import Mark, RunIdentity, has_unknown_mark, make_mark, read_mark, write_mark

FORBIDDEN = set("!<>=&\"'\\")
WRITTEN = "[af1 a1b2c3 11111111 22222222 33333333 44444444 0]"

any_text = st.text(st.characters(), max_size=300)
identities = st.builds(
    RunIdentity, any_text, any_text, any_text, any_text, st.integers(-1, 100_000), st.integers(0, 40)
)


def _hex(length: int) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from("0123456789abcdef"), min_size=length, max_size=length)


_flags = st.sampled_from([{}, {"hold": True}, {"damaged": True}])
marks = st.builds(
    lambda mark, flag: replace(mark, **flag),
    st.builds(Mark, _hex(6), _hex(8), _hex(8), _hex(8), _hex(8), st.integers(0, 10**15)),
    _flags,
)
legal_words = st.text(st.characters(exclude_characters="!<>=&\"'\\").filter(str.isprintable), min_size=1, max_size=200)


@given(marks)
def test_a_written_mark_is_read_back(mark: Mark) -> None:
    """Whatever a mark says, it can be read from where it was written, after any words and before blanks."""
    written = write_mark(mark)
    assert read_mark(written) == mark
    assert read_mark(f"words [of the user] {written} \n") == mark
    assert not has_unknown_mark(written)


@given(marks)
def test_a_mark_is_short(mark: Mark) -> None:
    """In the first 36 lives a mark takes at most 56 characters."""
    assert len(write_mark(replace(mark, life=mark.life % 36))) <= 56


def test_a_mark_looks_as_documented() -> None:
    """The text of a mark is part of what is kept stable between versions."""
    mark = Mark("a1b2c3", "11111111", "22222222", "33333333", "44444444", life=37, hold=True)
    assert write_mark(mark) == "[af1 a1b2c3 11111111 22222222 33333333 44444444 11 hold]"


def test_the_mark_of_a_damaged_state_says_so() -> None:
    """A word of its own at the place of the hold; another word makes a mark of another version."""
    mark = Mark("a1b2c3", "11111111", "22222222", "33333333", "44444444", damaged=True)
    assert write_mark(mark) == WRITTEN.replace(" 0]", " 0 hurt]")
    assert has_unknown_mark(WRITTEN.replace(" 0]", " 0 ache]"))


def test_fingerprints_are_kept_between_versions() -> None:
    """The mark of a task instance stays what it is: a later version must find what this one made."""
    mark = make_mark(RunIdentity("prod", "orders", "backup", "scheduled__2026-11-23", life=2), "orders-*")
    assert write_mark(mark) == "[af1 6754af 48f1b323 e7629e52 03c1d65a ea8fc67b 2]"


@given(st.none() | legal_words, identities, st.booleans())
@example("w" * 200, RunIdentity("d" * 50, "d" * 250, "t" * 250, "r" * 250, 1023, 39), True)  # noqa: FBT003 - positional by hypothesis
@example("w" * 200, RunIdentity("", "d", "t", "r", -1, 0), False)  # noqa: FBT003 - as above
@example(None, RunIdentity("a<b", 'x"y', "l\nb", "r'r", -1, 0), False)  # noqa: FBT003 - as above
def test_a_description_fits_and_says_everything_that_counts(text: str | None, run: RunIdentity, hold: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """A description has at most 256 legal characters, begins with the user's words and ends in the mark, uncut."""
    mark = make_mark(run, "orders-*", hold=hold)
    described = describe(text, run, mark)
    assert len(described) <= 256
    assert not set(described) & FORBIDDEN
    assert described.isprintable()
    assert described.startswith((text or "").rstrip())
    assert described.endswith(write_mark(mark))
    assert read_mark(described) == mark


def test_a_description_names_the_run_when_there_is_room() -> None:
    """A reader of the console sees whose snapshot it is."""
    run = RunIdentity("prod", "orders", "backup", "manual__1", map_index=3)
    described = describe("before the load", run, make_mark(run, None))
    assert described.startswith("before the load prod/orders/backup manual__1 3 [af1 ")
    assert "-1" not in describe(None, replace(run, map_index=-1), make_mark(run, None)).split("[")[0]


@pytest.mark.parametrize("text", ["x" * 201, "a < b", "two\nlines"])
def test_words_that_cannot_be_sent_are_refused(text: str) -> None:
    """The user's words are refused rather than changed."""
    run = RunIdentity("", "d", "t", "r")
    with pytest.raises(CssUsageError):
        describe(text, run, make_mark(run, None))


UNKNOWN = {
    "a later version": "[af2 a1b2c3 11111111 0]",
    "a much later version": "words [af12 what:ever, it/says]",
    "more fields": WRITTEN.replace(" 0]", " 0 hold more]"),
    "fewer fields": "[af1 a1b2c3 11111111]",
    "upper case": WRITTEN.replace("a1b2c3", "A1B2C3"),
    "a life without end": WRITTEN.replace(" 0]", f" {'z' * 5_000}]"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_mark_is_recognised_and_not_understood(case: str) -> None:
    """What a later version may have made counts as marked, and as nobody's that is known."""
    assert has_unknown_mark(UNKNOWN[case])
    assert read_mark(UNKNOWN[case]) is None


STRANGERS = [
    "",
    "nightly",
    f"{WRITTEN} and more words",
    WRITTEN[:-1],
    WRITTEN[1:],
    "[af a1b2c3]",
    "[xaf1 a1b2c3 11111111]",
    "see [af1]",
    "(af1 a1b2c3 11111111 22222222 33333333 44444444 0)",
]


@pytest.mark.parametrize("description", STRANGERS)
def test_a_strangers_description_has_no_mark(description: str) -> None:
    """Only a mark at the very end counts."""
    assert read_mark(description) is None
    assert not has_unknown_mark(description)


@given(st.text(st.sampled_from("[af12 0b]"), max_size=60) | any_text)
def test_a_mark_is_read_only_from_its_exact_form(description: str) -> None:
    """What is read as a mark can be written again to the same end; whatever else is there reads as none."""
    mark = read_mark(description)
    if mark is not None:
        assert re.sub(r"\s+$", "", description).endswith(write_mark(mark))
    assert not (mark is not None and has_unknown_mark(description))


RUN = RunIdentity("prod", "orders", "backup", "run1", 0, 0)
CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "deployment": ({"deployment": "dev"}, {"deployment", "dag", "task", "run"}),
    "dag": ({"dag_id": "stock"}, {"dag", "task", "run"}),
    "task": ({"task_id": "other"}, {"task", "run"}),
    "map index": ({"map_index": 1}, {"task", "run"}),
    "run": ({"run_id": "run2"}, {"run"}),
    "life": ({"life": 1}, {"life"}),
}


@pytest.mark.parametrize("case", CHANGES)
def test_fingerprints_build_on_each_other(case: str) -> None:
    """Each part of the identity changes its own fingerprint and the finer ones, and no coarser one."""
    change, expected = CHANGES[case]
    one, other = make_mark(RUN, "a"), make_mark(replace(RUN, **change), "a")
    assert {field for field in vars(one) if getattr(one, field) != getattr(other, field)} == expected
    assert one.is_same_instance(other) == (case == "life")


def test_the_request_is_the_index_list() -> None:
    """Another index list is another request of the same instance; none and an empty one are the same."""
    one, other = make_mark(RUN, "a"), make_mark(RUN, "b", hold=True)
    assert one.request != other.request
    assert one.is_same_instance(other)
    assert make_mark(RUN, None) == make_mark(RUN, "")
    assert not one.is_same_instance(None)
