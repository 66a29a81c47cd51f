"""The clock that makes up for another one: when it is corrected, how often, and what the gateway sees of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.client.clock import SystemClock
from airflow_css.client.css import Credentials, CssClient
from airflow_css.client.skew import (
    LARGEST_SKEW,
    MADE_UP_FOR,
    MOST_ENDPOINTS,
    SkewedClock,
    behind_or_ahead,
    server_time,
    skewed_clock_of,
)
from airflow_css.protocol.errors import CssAuthError
from tests.world import World

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


class StandingClock(SystemClock):
    """A clock that shows one moment."""

    def now(self) -> datetime:
        """Return the one moment."""
        return NOW


def _date(skew: timedelta) -> str:
    return format_datetime(NOW + skew, usegmt=True)


def _client(world: World, skew: timedelta, secret_key: str = "") -> CssClient:
    emulator = world.emulator
    keys = Credentials(emulator.access_key, secret_key or emulator.secret_key)
    return CssClient(emulator.url, keys, emulator.project_id, clock=SkewedClock(world.clock, skew))


def _statuses(world: World) -> list[int | None]:
    return [seen.status for seen in world.emulator.requests]


@pytest.mark.parametrize("minutes", [-20, 20, -480])
def test_one_refusal_corrects_the_dates_of_a_client(
    world: World, minutes: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The first call is signed twice, all others once, and one warning gives the measured skew."""
    client = _client(world, timedelta(minutes=minutes))
    for _ in range(3):
        client.get_cluster(world.emulator.cluster_id)
    assert _statuses(world) == [401, 200, 200, 200]
    assert caplog.text.count(f"{abs(minutes)} min") == 1


def test_a_write_is_signed_again_too(world: World) -> None:
    """A refused signature had no effect, so a creation may go out once more, and makes one snapshot."""
    _client(world, timedelta(minutes=20)).create_snapshot(world.emulator.cluster_id, "orders-1")
    assert _statuses(world) == [401, 201]
    assert len(world.emulator.snapshots()) == 1


def test_a_wrong_key_under_a_wrong_clock_is_sent_twice_and_no_more(world: World) -> None:
    """Where the corrected signature is refused as well, the refusal is final."""
    client = _client(world, timedelta(minutes=20), "wrong")
    with pytest.raises(CssAuthError):
        client.get_cluster(world.emulator.cluster_id)
    assert _statuses(world) == [401, 401]


def test_a_right_clock_is_never_signed_by_twice(world: World) -> None:
    """A refusal for another reason costs one request."""
    with pytest.raises(CssAuthError):
        _client(world, timedelta(minutes=5), "wrong").get_cluster(world.emulator.cluster_id)
    assert _statuses(world) == [401]


@pytest.mark.parametrize(
    "date", [None, "", "yesterday", "Mon, 99 Nov 2026 10:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1400"]
)
def test_an_answer_without_a_readable_date_corrects_nothing(date: str | None) -> None:
    """What tells no moment is no reason for another signature."""
    clock = SkewedClock(StandingClock())
    assert server_time(date) is None
    assert clock.correct(date, signed_with=timedelta()) is False
    assert clock.now() == NOW


@given(st.integers(-200_000, 200_000).map(lambda seconds: timedelta(seconds=seconds)))
def test_only_a_skew_that_a_clock_can_have_is_made_up_for(skew: timedelta) -> None:
    """Up to ten minutes nothing is done, nor beyond a day and two hours: such a date would be worth stealing."""
    clock = SkewedClock(StandingClock())
    is_worth_it = clock.correct(_date(skew), signed_with=timedelta())
    assert is_worth_it is (LARGEST_SKEW < abs(skew) <= MADE_UP_FOR)
    assert clock.now() == NOW + (skew if is_worth_it else timedelta())


def test_who_signed_before_the_correction_signs_again() -> None:
    """A refusal of a rightly dated signature changes nothing; one that was dated before is worth another."""
    clock, skew = SkewedClock(StandingClock()), timedelta(minutes=20)
    assert clock.correct(_date(skew), signed_with=timedelta()) is True
    assert clock.correct(_date(skew), signed_with=skew) is False
    assert clock.correct(_date(skew), signed_with=timedelta()) is True
    assert clock.skew == skew


def test_a_clock_that_is_set_right_meanwhile_is_followed(caplog: pytest.LogCaptureFixture) -> None:
    """A process that lives on after somebody mended the clock signs by it again, without another warning."""
    clock, skew = SkewedClock(StandingClock()), timedelta(minutes=20)
    clock.correct(_date(skew), signed_with=timedelta())
    assert clock.correct(_date(timedelta(seconds=1)), signed_with=skew) is True
    assert clock.skew == timedelta()
    assert len(caplog.records) == 1


def test_clients_of_a_process_learn_from_each_other(world: World) -> None:
    """Of ten clients that begin under a wrong clock, one spends a refusal, so the key is not locked."""
    late = SkewedClock(world.clock, timedelta(minutes=-20))
    keys = Credentials(world.emulator.access_key, world.emulator.secret_key)
    for _ in range(10):
        client = CssClient(world.emulator.url, keys, world.emulator.project_id, clock=late)
        client.get_cluster(world.emulator.cluster_id)
    assert _statuses(world) == [401, *[200] * 10]


def test_not_every_endpoint_is_remembered() -> None:
    """The memory is bounded, and endpoints do not share a clock."""
    clock = StandingClock()
    first = skewed_clock_of("https://0.example.com", clock)
    assert skewed_clock_of("https://0.example.com", clock) is first
    for number in range(MOST_ENDPOINTS):
        assert skewed_clock_of(f"https://{number + 1}.example.com", clock) is not first
    assert skewed_clock_of("https://0.example.com", clock) is not first


def test_threads_correct_it_together(caplog: pytest.LogCaptureFixture) -> None:
    """Of many threads that were refused at once, each signs again, and one warning is written."""
    clock = SkewedClock(StandingClock())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: clock.correct(_date(timedelta(hours=1)), signed_with=timedelta()), range(8)))
    assert answers == [True] * 8
    assert caplog.text.count("60 min") == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s behind"), (-119, "119 s ahead of"), (1199, "20 min behind"), (-3600, "60 min ahead")],
)
def test_a_skew_is_said_from_this_machine_s_side(seconds: int, words: str) -> None:
    """What is later there is behind here."""
    assert behind_or_ahead(timedelta(seconds=seconds)).startswith(words)


def test_waiting_is_left_to_the_clock_below(world: World) -> None:
    """Only the date is corrected: seconds pass as they do."""
    clock = SkewedClock(world.clock, timedelta(hours=1))
    before = clock.monotonic()
    clock.sleep(5)
    assert (world.clock.slept, clock.monotonic() - before) == ([5], 5)
