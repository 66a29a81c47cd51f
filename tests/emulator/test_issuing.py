"""Temporary keys: what they look like, and which one is handed out when."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.issuing import Issuer, StandingKey, credential_reply
from airflow_css.emulator.keys import Key, KeyRing

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _standing(lasts: float = 3600, renewed_before: float = 600) -> tuple[Issuer, StandingKey]:
    issuer = Issuer(KeyRing(), TurnableClock(frozen=True, start=NOON))
    return issuer, StandingKey(issuer, lasts, renewed_before)


def test_a_new_key_is_known_and_ends() -> None:
    """It is complete, unlike every other, and ends after the seconds asked for."""
    issuer, _ = _standing()
    first, second = issuer.issue(900), issuer.issue(900)
    assert first.expires_at == NOON + timedelta(minutes=15)
    assert len({first.access_key, second.access_key, first.secret_key, second.secret_key}) == 4
    assert first.security_token != second.security_token
    assert issuer.issued == issuer.keys.all() == (first, second)


@pytest.mark.parametrize("seconds", [-1, float("nan"), "900"])
def test_a_key_lasts_a_number_of_seconds(seconds: float) -> None:
    """Anything else is refused before a key is made."""
    issuer, _ = _standing()
    with pytest.raises(ValueError, match="how long a key lasts"):
        issuer.issue(seconds)
    assert issuer.issued == ()


def test_all_are_given_the_same_key_until_it_is_nearly_over() -> None:
    """The next one is made ten minutes before the end, and the old one signs on."""
    issuer, standing = _standing()
    first = standing.current()
    issuer.clock.advance(2999)
    assert standing.current() == first
    issuer.clock.advance(1)
    second = standing.current()
    assert second != first
    assert issuer.keys.all() == (first, second)


def test_a_short_key_is_not_made_anew_for_each_who_asks() -> None:
    """One that lasts no longer than it is renewed before its end is given until half of its time is over."""
    issuer, standing = _standing(lasts=60, renewed_before=3600)
    first = standing.current()
    issuer.clock.advance(29)
    assert standing.current() == first
    issuer.clock.advance(1)
    assert standing.current() != first


def test_renewing_leaves_the_old_key_and_rotating_does_not() -> None:
    """After either the next one is given; only a rotation revokes the one before."""
    issuer, standing = _standing()
    first = standing.current()
    standing.renew()
    second = standing.current()
    assert issuer.keys.all() == (first, second)
    standing.rotate()
    third = standing.current()
    assert issuer.keys.all() == (first, third)
    standing.rotate()
    standing.rotate()
    assert issuer.keys.all() == (first,)


def test_ten_threads_are_given_one_key() -> None:
    """Whoever asks at the same moment gets the same key."""
    issuer, standing = _standing()
    threads = [threading.Thread(target=standing.current) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(issuer.issued) == 1


def test_a_key_is_handed_out_in_the_documented_shape() -> None:
    """Four fields, the end in UTC with its microseconds."""
    key = Key("AK", "SK", "TOKEN", datetime(2026, 1, 2, 13, 0, 0, 5, tzinfo=UTC))
    assert credential_reply(201, key).json() == {
        "credential": {
            "access": "AK",
            "secret": "SK",
            "securitytoken": "TOKEN",
            "expires_at": "2026-01-02T13:00:00.000005Z",
        }
    }
