"""The keys that may sign: which there are, and how each is locked by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_css.emulator.keys import Key, KeyRing, KnownKey

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FIRST, SECOND = Key("AK1", "secret-one"), Key("AK2", "secret-two", "token-two", NOON)


def test_several_keys_are_known_by_their_names() -> None:
    """Each is found by its access key, and no other."""
    ring = KeyRing([FIRST])
    ring.add(SECOND)
    assert ring.all() == (FIRST, SECOND)
    assert [known.key for name in ("AK1", "AK2") if (known := ring.find(name))] == [FIRST, SECOND]
    assert ring.find("AK3") is None


def test_a_revoked_key_is_known_no_longer() -> None:
    """The others stay, and what is unknown cannot be revoked."""
    ring = KeyRing([FIRST, SECOND])
    ring.revoke("AK1")
    assert ring.all() == (SECOND,)
    with pytest.raises(ValueError, match="there is no key 'AK1'; known are AK2"):
        ring.revoke("AK1")


def test_one_key_can_take_the_place_of_all() -> None:
    """After a rotation only the new key is known."""
    ring = KeyRing([FIRST])
    ring.replace_all(SECOND)
    assert ring.all() == (SECOND,)


def test_a_key_that_is_added_anew_has_not_failed_yet() -> None:
    """A new key of an old name begins without the old one's failures."""
    ring = KeyRing([FIRST])
    known = ring.find("AK1")
    assert known is not None
    known.count_failure(NOON, 0)
    ring.add(FIRST)
    again = ring.find("AK1")
    assert again is not None
    assert (known.is_locked(NOON), again.is_locked(NOON)) == (True, False)


@pytest.mark.parametrize(
    ("lock_after", "failures", "locked"), [(5, 5, False), (5, 6, True), (0, 1, True), (None, 9, False)]
)
def test_one_failure_more_than_allowed_locks_a_key(lock_after: int | None, failures: int, *, locked: bool) -> None:
    """The lock begins with the first failure beyond what is allowed, and lasts five minutes."""
    known = KnownKey(FIRST)
    for _ in range(failures):
        known.count_failure(NOON, lock_after)
    assert known.is_locked(NOON + timedelta(seconds=299)) is locked
    assert not known.is_locked(NOON + timedelta(minutes=5))


def test_secrets_stay_out_of_the_repr() -> None:
    """Whoever prints a ring sees the names of its keys, and nothing that signs."""
    text = repr(KeyRing([FIRST, SECOND])) + repr(SECOND)
    assert "AK1" in text
    assert "secret" not in text.replace("secret_key", "")
    assert "token-two" not in text
