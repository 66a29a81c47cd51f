"""When it is done: verdicts, delays, and the rules for absence and for looks without an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from airflow_css.protocol.waiting import (
    VERDICTS,
    Absence,
    Expectations,
    Forgiveness,
    Verdict,
    expected_duration,
    judge_created,
    newest_good,
    next_delay,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD = Snapshot("id", "orders", SnapshotStatus.COMPLETED, "COMPLETED", total_shards=6, failed_shards=0)


def _after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_every_status_has_a_verdict() -> None:
    """A status that is added later cannot be forgotten in the table."""
    assert set(VERDICTS) == set(SnapshotStatus)


S = SnapshotStatus
STRICT, PARTIAL, EMPTY = Expectations(), Expectations(allow_partial=True), Expectations(fail_if_empty=False)
JUDGED = [
    (S.BUILDING, 6, 0, STRICT, Verdict.WAIT),
    (S.BUILDING, 0, 3, STRICT, Verdict.WAIT),
    (S.UNKNOWN, 0, 3, STRICT, Verdict.WAIT),
    (S.COMPLETED, 6, 0, STRICT, Verdict.GOOD),
    (S.COMPLETED, None, None, STRICT, Verdict.GOOD),
    (S.COMPLETED, 6, 1, STRICT, Verdict.FAILED),
    (S.COMPLETED, 6, 1, PARTIAL, Verdict.GOOD),
    (S.COMPLETED, 0, 0, STRICT, Verdict.FAILED),
    (S.COMPLETED, 0, 0, PARTIAL, Verdict.FAILED),
    (S.COMPLETED, 0, 0, EMPTY, Verdict.GOOD),
    (S.PART_FAILED, 6, 1, STRICT, Verdict.FAILED),
    (S.PART_FAILED, 6, 0, STRICT, Verdict.FAILED),
    (S.PART_FAILED, None, None, STRICT, Verdict.FAILED),
    (S.PART_FAILED, 6, 1, PARTIAL, Verdict.GOOD),
    (S.PART_FAILED, 0, 0, PARTIAL, Verdict.FAILED),
    (S.PART_FAILED, 6, 6, PARTIAL, Verdict.FAILED),
    (S.COMPLETED, 6, 6, PARTIAL, Verdict.FAILED),
    (S.FAILED, 6, 0, Expectations(allow_partial=True, fail_if_empty=False), Verdict.FAILED),
]


@pytest.mark.parametrize(("status", "total", "failed", "expected", "verdict"), JUDGED)
def test_what_a_state_means(
    status: SnapshotStatus, total: int | None, failed: int | None, expected: Expectations, verdict: Verdict
) -> None:
    """Status, shards and what was asked for decide together; a bad verdict always has a reason."""
    snapshot = Snapshot("id", "n", status, status.value, total_shards=total, failed_shards=failed)
    judgement = judge_created(snapshot, expected)
    assert judgement.verdict is verdict
    assert bool(judgement.reason) is (verdict is Verdict.FAILED)


MATCHED = [
    (None, ("a",), True),
    ("*", ("a",), True),
    ("_all", ("a",), True),
    ("orders-*", ("orders-1", "x"), True),
    ("orders-*,customers", ("orders-1",), False),
    ("orders-*,-orders-tmp", ("orders-1",), True),
    ("-tmp-*", ("a",), True),
    ("logs", ("logs-1",), False),
    ("a[1]", ("a1",), False),
    ("a[1]", ("a[1]",), True),
    ("a*[*", ("ab[c",), True),
    ("orders", (), True),
]


@pytest.mark.parametrize(("indices", "listed", "is_good"), MATCHED)
def test_every_wanted_index_is_looked_for(indices: str | None, listed: tuple[str, ...], is_good: bool) -> None:  # noqa: FBT001 - a table's column
    """A name or pattern without an index in the snapshot is a failure no retry cures; an absent list proves nothing."""
    judgement = judge_created(replace(GOOD, indices=listed), Expectations(indices))
    assert (judgement.verdict is Verdict.GOOD) is is_good
    assert judgement.curable is is_good
    assert judge_created(replace(GOOD, indices=listed), Expectations(indices, fail_if_empty=False)).verdict is (
        Verdict.GOOD
    )


def test_a_partial_snapshot_is_described() -> None:
    """The reason counts the shards, as far as CSS does."""
    partial = replace(GOOD, status=S.PART_FAILED, status_word="PART_FAILED", failed_shards=2)
    assert judge_created(partial, STRICT).reason == "it is partial (PART_FAILED: 2 of 6 shards failed)"
    unknown = replace(partial, failed_shards=None, total_shards=None)
    assert "an unknown number of an unknown number" in judge_created(unknown, STRICT).reason


ages = st.floats(0, 200_000)
chances = st.floats(0, 1)
expectations = st.none() | st.floats(0, 200_000)


@given(ages, expectations, chances, st.none() | st.floats(0, 600))
def test_a_delay_is_neither_a_storm_nor_a_sleep(
    age: float, expected: float | None, chance: float, at_least: float | None
) -> None:
    """A delay is 1.6 to 72 seconds, a share of the age, and never below what the user set."""
    delay = next_delay(age, expected=expected, chance=chance, at_least=at_least)
    assert delay >= (at_least or 0)
    if not at_least:
        assert 1.6 <= delay <= 72
        assert delay <= max(2.4, 0.12 * age) + 1e-6


@given(ages, st.floats(0.01, 200_000), chances)
def test_a_delay_aims_at_the_usual_end(age: float, left: float, chance: float) -> None:
    """Shortly before the usual end, the next look is due about then."""
    delay = next_delay(age, expected=age + left, chance=chance)
    assert delay <= max(2.4, 1.2 * left) + 1e-6


def _lag(duration: float, expected: float | None, draws: list[float]) -> float:
    """Look until the end is seen; return by how much it was missed."""
    age, number = 0.0, 0
    while age < duration:
        age += next_delay(age, expected=expected, chance=draws[number % len(draws)])
        number += 1
    return age - duration


draws = st.lists(chances, min_size=1, max_size=40)


@given(st.floats(0.1, 20_000), expectations, draws)
def test_the_end_is_seen_soon(duration: float, expected: float | None, draws: list[float]) -> None:
    """However the dice fall and whatever was expected, the lag is at most 12 % of the duration and 2.4 s, or 72 s."""
    assert _lag(duration, expected, draws) <= min(0.12 * duration + 2.4, 72) + 1e-6


def test_the_lag_keeps_its_budget_in_the_worst_case() -> None:
    """The lag is at most 10 % of the duration and 3 s, however the dice fall."""
    age = 0.0
    while age < 2_000:
        delay = next_delay(age, expected=None, chance=1.0)
        # The worst moment to end is just after a look.
        assert delay <= 0.1 * age + 3
        age += delay


@given(st.lists(st.tuples(st.floats(0.1, 60), st.booleans()), max_size=40), st.none() | st.floats(-60, 60))
def test_gone_means_missed_twice_after_a_while(looks: list[tuple[float, bool]], created: float | None) -> None:
    """Gone is only what two looks in a row, 10 s apart, missed, the second at least 30 s after the creation."""
    absence = Absence(created_at=None if created is None else _after(created))
    now, missed_since = 0.0, None
    for pause, listed in looks:
        now += pause
        first = missed_since if missed_since is not None else now
        expected = not listed and now - first >= 10 and (created is None or now - created >= 30)
        # A microsecond more or less is the clock's own rounding.
        if min(abs(now - first - 10), abs(now - (created or 0) - 30)) > 1e-3:
            assert absence.is_gone(listed=listed, now=_after(now)) is expected
        else:
            absence.is_gone(listed=listed, now=_after(now))
        missed_since = None if listed else first


def test_the_first_missing_look_never_decides() -> None:
    """One list without the snapshot proves nothing, however late it comes."""
    assert not Absence(created_at=NOW).is_gone(listed=False, now=_after(90_000))


def test_ten_looks_without_an_answer_are_forgiven() -> None:
    """The eleventh in a row is not; an answer in between starts the count again."""
    forgiveness = Forgiveness()
    assert all(forgiveness.allows(_after(n)) for n in range(10))
    assert not forgiveness.allows(_after(10))
    forgiveness.reset()
    assert all(forgiveness.allows(_after(1_000 + n)) for n in range(10))


def test_fifteen_minutes_without_an_answer_are_forgiven() -> None:
    """Not more, even when they hold few looks."""
    forgiveness = Forgiveness()
    assert forgiveness.allows(NOW)
    assert forgiveness.allows(_after(900))
    assert not forgiveness.allows(_after(900.1))


MARK = make_mark(RunIdentity("prod", "orders", "backup", "run"), "orders-*")


def _finished(number: int, seconds: float, **changes: Any) -> Snapshot:
    began = _after(number * 100_000)
    made = replace(
        GOOD,
        id=f"id-{number}",
        description=write_mark(MARK),
        started_at=began,
        ended_at=began + timedelta(seconds=seconds),
    )
    return replace(made, **changes)


def test_the_usual_duration_is_the_median_of_the_last_five() -> None:
    """Only good snapshots of the same request count, newest by their end, in whatever order they are listed."""
    listed = [_finished(n, seconds) for n, seconds in enumerate((9_000, 10, 50, 20, 40, 30))]
    assert expected_duration(listed, MARK.request) == 30
    assert expected_duration(listed[::-1], MARK.request) == 30
    assert expected_duration(listed[:2], MARK.request) == 4_505
    assert expected_duration(listed[:1], MARK.request) is None
    assert expected_duration([], MARK.request) is None
    assert expected_duration(listed, "other") is None
    assert expected_duration(listed, None) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": S.FAILED},
        {"failed_shards": 1},
        {"total_shards": 0},
        {"description": ""},
        {"ended_at": None},
        {"started_at": None},
    ],
)
def test_what_is_not_good_tells_nothing_about_durations(changes: dict[str, Any]) -> None:
    """A bad, foreign or unfinished snapshot does not count as usual."""
    listed = [_finished(0, 10), _finished(1, 1_000, **changes), _finished(2, 20)]
    assert expected_duration(listed, MARK.request) == 15


def test_the_newest_good_one_is_found() -> None:
    """By its beginning, whoever made it; one without any moment comes last."""
    listed = [
        _finished(1, 10, description="a stranger's"),
        _finished(3, 10, status=S.FAILED),
        _finished(2, 10, started_at=None, created_at=_after(0.5 * 100_000)),
        replace(GOOD, id="undated"),
    ]
    found = newest_good(listed)
    assert found is not None
    assert found.id == "id-1"
    assert newest_good(listed[3:]) == listed[3]
    assert newest_good(listed[1:2]) is None


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans(), st.sampled_from(S)), max_size=8))
def test_a_damaged_state_is_never_the_newest_good_one(drawn: list[tuple[int, bool, SnapshotStatus]]) -> None:
    """Among any snapshots the newest good one that holds no damage is found, and none where each holds some."""
    who = RunIdentity("", "d", "t", "r")
    words = {damaged: write_mark(make_mark(who, None, damaged=damaged)) for damaged in (True, False)}
    listed = [_finished(day, 10, description=words[damaged], status=status) for day, damaged, status in drawn]
    days = [day for day, damaged, status in drawn if not damaged and status is S.COMPLETED]
    found = newest_good(listed)
    assert (found.id if found else None) == (f"id-{max(days)}" if days else None)
