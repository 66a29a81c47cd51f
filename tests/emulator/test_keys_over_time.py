"""Whatever happens to keys, CSS takes exactly those that were not revoked and whose time is not over."""

from __future__ import annotations

import threading
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.keys import Key
from tests.emulator.asking import Asker, key_of

STEPS = st.one_of(
    st.tuples(st.just("issue"), st.integers(0, 90)),
    st.tuples(st.just("advance"), st.integers(0, 60)),
    st.tuples(st.just("ask"), st.integers(60, 120)),
    st.tuples(st.sampled_from(["renew", "rotate", "revoke"]), st.just(0)),
)


class Model:
    """What is known of the keys without looking into the emulator."""

    def __init__(self) -> None:
        self.asker = Asker(CssEmulator(clock=TurnableClock(frozen=True), lock_after=None))
        self.ends: dict[Key, datetime] = {}
        self.revoked: set[str] = set()
        self.standing: Key | None = None

    def do(self, step: str, number: int) -> None:
        """Take a step, and remember what it means for the keys."""
        identity = self.asker.identity
        if step == "issue":
            self._remember(identity.issuer.issue(number))
        elif step == "advance":
            self.asker.advance(number)
        elif step == "ask":
            identity.pod.key.lasts = number
            shown = key_of(self.asker.pod())
            self.standing = next(key for key in identity.issued if key.access_key == shown.access_key)
            self._remember(self.standing)
        elif step == "revoke":
            self._revoke_the_oldest()
        else:
            getattr(identity.pod.key, step)()
            self.revoked |= {self.standing.access_key} if self.standing and step == "rotate" else set()
            self.standing = None

    def check(self) -> None:
        """Compare what CSS takes with what it should."""
        now = self.asker.emulator.clock.now()
        for key, end in self.ends.items():
            good = now < end and key.access_key not in self.revoked
            assert (self.asker.css(key).status == 200) is good

    def _remember(self, key: Key) -> None:
        assert key.expires_at is not None
        self.ends[key] = key.expires_at

    def _revoke_the_oldest(self) -> None:
        known = [key for key in self.ends if key.access_key not in self.revoked]
        if known:
            self.asker.emulator.keys.revoke(known[0].access_key)
            self.revoked.add(known[0].access_key)


@given(st.lists(STEPS, max_size=12))
def test_css_takes_what_is_neither_revoked_nor_over(steps: list[tuple[str, int]]) -> None:
    """After every step each key that was ever handed out is judged as it should."""
    model = Model()
    for step, number in steps:
        model.do(step, number)
        model.check()
    assert model.asker.css().status == 200


def test_many_threads_may_ask_and_sign_at_once() -> None:
    """Twenty threads are given one key, and each of their signatures passes."""
    asker = Asker()
    statuses: list[int] = []

    def ask_and_sign() -> None:
        statuses.append(asker.css(key_of(asker.security_key())).status)

    threads = [threading.Thread(target=ask_and_sign) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
    assert len(asker.identity.issued) == 1
