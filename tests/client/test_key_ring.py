"""The ring: who is asked, when, how often, and what happens to refused keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.client.clock import Clock
from airflow_css.client.credentials import Credentials
from airflow_css.client.key_ring import MOST_RINGS, RINGS, KeyRing, ring_of
from airflow_css.client.sources import EnvironmentKeys, FetchedKeys, FixedKeys
from airflow_css.emulator.clock import TurnableClock
from airflow_css.protocol.errors import CssAuthError, CssConfigError, CssReplyError, CssTransportError, ErrorReply
from tests.turned_clock import TurnedClock

REFUSAL = CssAuthError(ErrorReply(401, "APIGW.0301", "Incorrect IAM authentication information"))
DOWN = CssTransportError("nobody answers", request_may_have_arrived=False)


@dataclass(frozen=True)
class Place:
    """Hands out numbered keys that live as long as a test says, or raises."""

    name: str = "a place"
    is_local: bool = False
    lasts: float = 3600.0
    steps: list[Any] = field(default_factory=list, compare=False)
    asked: list[float] = field(default_factory=list, compare=False)

    def fetch(self, clock: Clock) -> FetchedKeys:
        """Do what the next step says; by default hand out other keys than before."""
        self.asked.append(clock.monotonic())
        step = self.steps.pop(0) if self.steps else len(self.asked)
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step = step()
        return FetchedKeys(_keys(step), clock.now() + timedelta(seconds=self.lasts))


def _keys(number: int) -> Credentials:
    return Credentials(f"AK{number}", f"secret-{number}", f"token-{number}")


@pytest.fixture
def clock() -> TurnedClock:
    """A clock that only sleeping turns."""
    return TurnedClock(TurnableClock(frozen=True))


def test_keys_are_kept_until_they_are_near_their_end(clock: TurnedClock) -> None:
    """Ten minutes before the end others are asked for, and not a moment earlier."""
    place = Place()
    ring = KeyRing(place, clock)
    assert ring.current() == ring.current() == _keys(1)
    clock.sleep(2999)
    assert ring.current() == _keys(1)
    clock.sleep(1)
    assert ring.current() == _keys(2)
    assert len(place.asked) == 2


@given(st.floats(60, 100_000), st.lists(st.floats(0, 5000), max_size=20))
def test_keys_in_use_are_never_over(lasts: float, pauses: list[float]) -> None:
    """Whenever somebody asks, what they get still lives, and nobody is asked twice within a sixtieth of a life."""
    clock = TurnedClock(TurnableClock(frozen=True))
    place = Place(lasts=lasts)
    ring = KeyRing(place, clock)
    given_at: dict[str, float] = {}
    for pause in [0.0, *pauses]:
        clock.sleep(pause)
        keys = ring.current()
        born = given_at.setdefault(keys.access_key, clock.monotonic())
        assert clock.monotonic() - born < lasts
    gaps = [later - earlier for earlier, later in zip(place.asked, place.asked[1:], strict=False)]
    assert all(gap >= min(60.0, lasts / 10) - 1e-3 for gap in gaps)


def test_a_place_that_gives_the_same_keys_until_their_end_is_not_asked_at_every_call(clock: TurnedClock) -> None:
    """Near the end, the same keys again are asked about at most once a minute."""
    place = Place()
    end = clock.now() + timedelta(seconds=3600)
    ring = KeyRing(_Stubborn(place, end), clock)
    ring.current()
    clock.sleep(3100)
    for _ in range(100):
        ring.current()
        clock.sleep(1)
    assert len(place.asked) <= 4


@dataclass(frozen=True)
class _Stubborn:
    place: Place
    end: Any
    name: str = "a stubborn place"
    is_local: bool = False

    def fetch(self, clock: Clock) -> FetchedKeys:
        self.place.fetch(clock)
        return FetchedKeys(_keys(1), self.end)


def test_whoever_has_good_keys_does_not_wait_for_a_renewal(clock: TurnedClock) -> None:
    """While one thread renews, the others go on with the keys that still live."""
    entered, leave = threading.Event(), threading.Event()

    def slowly() -> int:
        entered.set()
        assert leave.wait(20)
        return 2

    place = Place(steps=[1, slowly])
    ring = KeyRing(place, clock)
    ring.current()
    clock.sleep(3100)
    renewing = threading.Thread(target=ring.current)
    renewing.start()
    assert entered.wait(20)
    assert ring.current() == _keys(1)
    leave.set()
    renewing.join(20)
    assert ring.current() == _keys(2)


def test_whoever_has_no_keys_waits_for_the_one_question(clock: TurnedClock) -> None:
    """Ten threads without keys cause one question, and all get its answer, be it keys or an error."""
    leave = threading.Event()

    def ask_all(step: Callable[[], int]) -> tuple[list[object], int]:
        place = Place(steps=[step])
        ring = KeyRing(place, clock)
        answers: list[object] = []

        def ask() -> None:
            try:
                answers.append(ring.current())
            except CssTransportError as error:
                answers.append(str(error))

        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
        while not place.asked:
            threading.Event().wait(0.001)
        leave.set()
        for thread in threads:
            thread.join(20)
        return answers, len(place.asked)

    def answer() -> int:
        assert leave.wait(20)
        return 1

    def fail() -> int:
        # Long enough for the others to come and wait.
        threading.Event().wait(0.2)
        raise DOWN

    assert ask_all(answer) == ([_keys(1)] * 10, 1)
    answers, asked = ask_all(fail)
    # Who comes after the error asks anew, and may get keys.
    assert str(DOWN) in answers
    assert asked <= 3


def test_a_place_that_is_down_is_asked_again_after_a_pause(
    clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """While the present keys live, a failed renewal is a warning, and the next one comes within a minute."""
    place = Place(steps=[1, DOWN, DOWN])
    ring = KeyRing(place, clock)
    ring.current()
    clock.sleep(3100)
    for _ in range(130):
        ring.current()
        clock.sleep(1)
    assert 3 <= len(place.asked) <= 4
    assert caplog.text.count("could not be renewed") == 2
    assert "secret-1" not in caplog.text


def test_after_the_end_the_error_of_the_place_is_raised(clock: TurnedClock) -> None:
    """Keys that are over are not handed out, however long the place is silent."""
    place = Place(steps=[1, DOWN, DOWN])
    ring = KeyRing(place, clock)
    ring.current()
    clock.sleep(3600)
    for _ in range(2):
        with pytest.raises(CssTransportError):
            ring.current()
    assert ring.current() == _keys(4)


def test_refused_keys_are_exchanged_once(clock: TurnedClock) -> None:
    """After a refusal the place is asked once; whoever was refused with the same keys gets the same others."""
    place = Place()
    ring = KeyRing(place, clock)
    first = ring.current()
    assert [ring.other_than(first, REFUSAL) for _ in range(5)] == [_keys(2)] * 5
    assert len(place.asked) == 2


def test_refused_keys_are_not_handed_out_again(clock: TurnedClock) -> None:
    """When the place has only the refused keys, all who ask get the refusal, until it has others."""
    place = Place(steps=[1, 1, 1])
    ring = KeyRing(place, clock)
    assert ring.other_than(ring.current(), REFUSAL) is None
    for _ in range(5):
        with pytest.raises(CssAuthError):
            ring.current()
    assert len(place.asked) == 2
    clock.sleep(61)
    with pytest.raises(CssAuthError):
        ring.current()
    clock.sleep(61)
    assert ring.current() == _keys(4)


def test_a_place_that_is_down_when_keys_were_refused_may_come_back(clock: TurnedClock) -> None:
    """Nobody knows then whether there are others: a later try may help, and the refused ones are not sent meanwhile."""
    place = Place(steps=[1, DOWN])
    ring = KeyRing(place, clock)
    with pytest.raises(CssTransportError):
        ring.other_than(ring.current(), REFUSAL)
    with pytest.raises(CssAuthError):
        ring.current()
    clock.sleep(61)
    assert ring.current() == _keys(3)


def test_a_place_that_refuses_who_asks_is_left_alone_for_ten_minutes(clock: TurnedClock) -> None:
    """Whoever is refused by the sign-in service does not ask again and again, which would lock the keys."""
    place = Place(steps=[REFUSAL])
    ring = KeyRing(place, clock)
    for _ in range(9):
        with pytest.raises(CssAuthError):
            ring.current()
        clock.sleep(60)
    assert len(place.asked) == 1
    clock.sleep(61)
    assert ring.current() == _keys(2)


def test_keys_that_are_over_when_they_come_are_refused(clock: TurnedClock) -> None:
    """A wrong clock is the likely cause, and is named."""
    with pytest.raises(CssReplyError, match="Check the clock of this machine"):
        KeyRing(Place(lasts=-1), clock).current()


def test_secrets_are_told_as_soon_as_they_are_known(clock: TurnedClock) -> None:
    """Each new secret key and token is told once, before anybody can use it."""
    told: list[str] = []
    ring = KeyRing(Place(), clock, told.append)
    ring.current()
    ring.current()
    clock.sleep(3100)
    ring.current()
    assert told == ["secret-1", "token-1", "secret-2", "token-2"]


def test_equal_places_share_a_ring_and_their_number_is_bounded(clock: TurnedClock) -> None:
    """A place is one ring for the process; local ones cost nothing and are not kept; the oldest rings are dropped."""
    first = ring_of(Place("first"), clock)
    assert ring_of(Place("first"), clock) is first
    fixed = FixedKeys(_keys(1))
    assert ring_of(fixed, clock) is not ring_of(fixed, clock)
    assert ring_of(fixed, clock) == ring_of(FixedKeys(_keys(1)), clock)
    for number in range(MOST_RINGS):
        ring_of(Place(f"place {number}"), clock)
    assert ring_of(Place("first"), clock) is not first


def test_a_forked_process_begins_with_no_rings(clock: TurnedClock) -> None:
    """What a fork calls lets every place be asked anew, since a lock of the parent may never be given back."""
    before = ring_of(Place("forked"), clock)
    RINGS.forget()
    assert ring_of(Place("forked"), clock) is not before


def test_the_environment_is_read_for_each_request(clock: TurnedClock) -> None:
    """Keys that are exchanged in the environment are used at once; half a pair is refused."""
    environ = {"HUAWEICLOUD_SDK_AK": "AK1", "HUAWEICLOUD_SDK_SK": "SK1"}
    ring = KeyRing(EnvironmentKeys(environ), clock)
    old = ring.current()
    assert ring.other_than(old, REFUSAL) is None
    environ["HUAWEICLOUD_SDK_SK"] = "SK2"
    assert ring.other_than(old, REFUSAL) == ring.current() == Credentials("AK1", "SK2")
    environ.clear()
    with pytest.raises(CssConfigError, match="holds no keys"):
        ring.current()


def test_printing_a_ring_shows_no_secret(clock: TurnedClock) -> None:
    """Neither the ring nor its place prints what it holds."""
    fixed = KeyRing(FixedKeys(_keys(7)), clock)
    environment = KeyRing(EnvironmentKeys({"HUAWEICLOUD_SDK_SK": "secret-7"}), clock)
    fixed.current()
    assert "secret-7" not in f"{fixed!r} {fixed.source} {environment!r}"
    assert "token-7" not in f"{fixed!r}"


def test_a_renewal_that_ends_in_no_error_of_ours_holds_nobody(clock: TurnedClock) -> None:
    """Whatever stops the one who renews, the next one asks anew."""
    place = Place(steps=[RecursionError("deep down")])
    ring = KeyRing(place, clock)
    with pytest.raises(RecursionError):
        ring.current()
    assert ring.current() == _keys(2)
    assert len(place.asked) == 2


class _Impatient(KeyRing):
    longest_wait_seconds = 0.1


def test_a_renewal_that_never_ends_is_given_up_by_whoever_waits(clock: TurnedClock) -> None:
    """Who waited in vain says so, and the next one asks the place again instead of waiting for the lost one."""
    leave = threading.Event()

    def hang() -> int:
        assert leave.wait(20)
        return 1

    place = Place(steps=[hang])
    ring = _Impatient(place, clock)
    lost = threading.Thread(target=ring.current)
    lost.start()
    while not place.asked:
        threading.Event().wait(0.001)
    with pytest.raises(CssTransportError, match="No answer came"):
        ring.current()
    assert ring.current() == _keys(2)
    leave.set()
    lost.join(20)
