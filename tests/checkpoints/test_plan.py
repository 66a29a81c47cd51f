"""What a checkpoint decides and says, from states alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.checkpoints.plan import (
    APPROVE,
    LEAVE,
    Checkpoint,
    TaskState,
    Word,
    Work,
    check_consent,
    check_mode,
    check_names,
    decide,
    judge,
    step_of_restore,
    step_of_safety,
    still_at_work,
)
from airflow_css.protocol.errors import CssUsageError

CHECKPOINT = Checkpoint("load", "rollback", in_place=True, work=Work(("load.a", "load.b")))
BAD, BEGUN = {"failed", "upstream_failed"}, {"failed", "success"}
ENDS = ("success", "failed", "upstream_failed", "skipped", "removed")
states_of_work = st.lists(st.sampled_from(ENDS), min_size=1, max_size=6)


def _work(*states: str) -> tuple[TaskState, ...]:
    return tuple(TaskState(f"load.{'abcdef'[place]}", state) for place, state in enumerate(states))


@given(states_of_work)
def test_something_is_undone_only_after_a_failure_of_work_that_had_begun(states: list[str]) -> None:
    """Whatever the states, it is restored exactly when one is bad and one had begun."""
    expected = bool(BAD & set(states)) and bool(BEGUN & set(states))
    assert (decide(_work(*states)).word is Word.GO) is expected


@given(states_of_work)
def test_the_run_goes_on_only_without_a_failure(states: list[str]) -> None:
    """The verdict fails when a task of the work is bad, skips when none ran, and else lets the run go on."""
    word = judge(CHECKPOINT, _work(*states), {"snapshot": "success", "restore": "skipped"}, "").word
    expected = Word.FAIL if BAD & set(states) else Word.GO if "success" in states else Word.SKIP
    assert word is expected


@pytest.mark.parametrize(
    ("snapshot", "restore", "done"),
    [
        ("success", "success", "Back."),
        ("success", "skipped", "Back."),
        ("failed", "upstream_failed", "Nothing was rolled back: there is nothing to go back to."),
    ],
)
def test_a_verdict_names_the_failure_first(snapshot: str, restore: str, done: str) -> None:
    """What failed comes before what was done about it; what an earlier life said is not repeated."""
    ends = {"snapshot": snapshot, "restore": restore}
    said = judge(CHECKPOINT, _work("failed", "upstream_failed"), ends, "Back.").reason
    assert said == f"Failed: load.a; 1 task could not run because of that. {done}"


def test_a_verdict_says_nothing_twice() -> None:
    """What a skipped restore said of the failure itself is left out."""
    work, ends = _work("failed"), {"snapshot": "success", "restore": "skipped"}
    told = step_of_restore(replace(CHECKPOINT, mode="report"), work, None, "").reason
    said = judge(CHECKPOINT, work, ends, told).reason
    assert said == "Failed: load.a. Nothing was rolled back: the mode is 'report'."


def test_a_verdict_says_why_nothing_was_begun() -> None:
    """Without a snapshot nothing of the work began, and nothing is rolled back."""
    ends = {"snapshot": "failed", "restore": "upstream_failed"}
    assert judge(CHECKPOINT, _work("upstream_failed"), ends, "").reason == (
        "The snapshot was not made, so no work was begun. Nothing was rolled back: there is nothing to go back to."
    )


def test_a_verdict_after_a_failed_restore_speaks_of_shards_in_place_only() -> None:
    """The usual cause is named where it can be the cause."""
    ends = {"snapshot": "success", "restore": "failed"}
    in_place = judge(CHECKPOINT, _work("failed"), ends, "", "Here it is.").reason
    beside = judge(replace(CHECKPOINT, in_place=False), _work("failed"), ends, "").reason
    assert "The rollback failed: the log of load.restore says why." in in_place
    assert "clear load.restore alone" in in_place
    assert in_place.endswith("Here it is.")
    assert "number of shards was changed" in in_place
    assert "shards" not in beside


def test_many_failures_are_counted() -> None:
    """A mapped task of which hundreds fail does not fill the log."""
    work = tuple(TaskState("load.m", "failed", index) for index in range(12))
    assert decide(work).reason == "Failed: load.m[0], load.m[1], load.m[2], load.m[3], load.m[4] and 7 more."


@pytest.mark.parametrize(
    ("mode", "asked", "safety", "word", "says"),
    [
        ("rollback", None, "", Word.GO, "Failed"),
        ("report", None, "", Word.SKIP, "the mode is 'report'"),
        ("confirm", ("success", APPROVE), "", Word.GO, "Failed"),
        ("confirm", ("success", LEAVE), "", Word.SKIP, "the answer was 'Leave it as it is'"),
        ("confirm", ("failed", ""), "", Word.SKIP, "nobody agreed to it"),
        ("rollback", None, "failed", Word.FAIL, "could not be backed up (load.safety is failed)"),
        ("rollback", None, "success", Word.GO, "Failed"),
        ("confirm", ("success", LEAVE), "skipped", Word.SKIP, "the answer was"),
    ],
)
def test_what_stands_between_a_failure_and_the_restore(
    mode: str, asked: tuple[str, str] | None, safety: str, word: Word, says: str
) -> None:
    """The mode, a human's answer and the backup of the damaged state are heard, in this order."""
    checkpoint = replace(CHECKPOINT, mode=mode, has_safety=bool(safety))
    step = step_of_restore(checkpoint, _work("failed"), asked, safety)
    assert step.word is word
    assert says in step.reason


def test_the_damaged_state_is_backed_up_only_when_it_will_be_overwritten() -> None:
    """Neither without a failure nor against a human's answer."""
    assert step_of_safety(_work("success"), None).word is Word.SKIP
    assert step_of_safety(_work("failed"), ("success", LEAVE)).word is Word.SKIP
    assert step_of_safety(_work("failed"), ("success", APPROVE)).word is Word.GO


@pytest.mark.parametrize("state", ["", "running", "queued", "deferred", "up_for_retry", "restarting", "awaiting_input"])
def test_what_has_not_ended_may_still_write(state: str) -> None:
    """Every state but those of an end counts as at work."""
    assert [task.label for task in still_at_work(_work("success", state))] == ["load.b"]
    assert still_at_work(_work(*ENDS)) == ()


@pytest.mark.parametrize("indices", [None, [], "", "orders,", "*", "orders-*", ["orders", "-x"], "_all", ["<now>"]])
def test_what_is_overwritten_is_named(indices: list[str] | str | None) -> None:
    """All, a pattern, an exclusion and an empty list are refused, with the rule."""
    with pytest.raises(CssUsageError, match="by its name"):
        check_names(indices, is_rendered=True)


def test_a_template_is_judged_when_it_is_rendered() -> None:
    """While a DAG is parsed a template may become anything; afterwards its text is what it is."""
    check_names(["orders-{{ ds }}", "customers"], is_rendered=False)
    with pytest.raises(CssUsageError, match="by its name"):
        check_names(["orders-{{ ds }}", "c*"], is_rendered=False)
    check_names("orders-2026, customers", is_rendered=True)


def test_in_place_needs_the_word() -> None:
    """Nothing but the word itself is consent, and without in_place it is asked what it is for."""
    check_consent(in_place=True, consent="overwrite")
    check_consent(in_place=False, consent=None)
    for consent in (None, "yes", ""):
        with pytest.raises(CssUsageError, match="consent='overwrite'"):
            check_consent(in_place=True, consent=consent)
    with pytest.raises(CssUsageError, match="goes with in_place=True only"):
        check_consent(in_place=False, consent="overwrite")


def test_a_mode_is_one_of_three() -> None:
    """Another word is refused."""
    assert [check_mode(mode) for mode in ("rollback", "report", "confirm")] == ["rollback", "report", "confirm"]
    with pytest.raises(CssUsageError, match="rollback, report, confirm"):
        check_mode("ask")
