"""Temporary keys at the gate: when their time is over, and that each key fails for itself."""

from __future__ import annotations

from datetime import timedelta

from airflow_css.emulator.keys import Key
from tests.emulator.asking import Asker

EXPIRED = "calc ak sk signature fail:signature expired"


def _temporary(asker: Asker, name: str = "TEMPORARY", seconds: float = 60) -> Key:
    key = Key(name, f"secret of {name}", f"token-of-{name}", asker.emulator.clock.now() + timedelta(seconds=seconds))
    asker.emulator.keys.add(key)
    return key


def _words(asker: Asker, key: Key) -> str:
    body = asker.css(key).json()
    return str(body.get("error_msg", "")).removeprefix("Incorrect IAM authentication information: ")


def test_a_temporary_key_signs_until_its_time_is_over() -> None:
    """A second before its end it passes, at its end it is refused, and the permanent key goes on."""
    asker = Asker()
    key = _temporary(asker)
    asker.advance(59)
    assert _words(asker, key) == ""
    asker.advance(1)
    assert _words(asker, key) == EXPIRED
    assert asker.css().status == 200


def test_an_expired_key_with_a_wrong_signature_is_told_the_signature() -> None:
    """Who does not hold the secret learns nothing about the key's time."""
    asker = Asker()
    key = _temporary(asker)
    asker.advance(60)
    forged = Key(key.access_key, "another", key.security_token)
    assert _words(asker, forged).startswith("verify aksk signature fail")


def test_the_words_for_an_expired_key_can_be_others() -> None:
    """The guide has several; the moment is filled in."""
    asker = Asker()
    key = _temporary(asker, seconds=0)
    asker.emulator.keys.expired_words = "token expires, expires_at: {expires_at}"
    assert key.expires_at is not None
    assert _words(asker, key) == f"token expires, expires_at: {key.expires_at.isoformat()}"


def test_an_expired_key_locks_itself_and_no_other() -> None:
    """Sent again and again it is locked like one with a wrong signature, while another key passes."""
    asker = Asker()
    old, new = _temporary(asker, "OLD", 0), _temporary(asker, "NEW")
    assert [_words(asker, old) for _ in range(6)] == [EXPIRED] * 6
    assert _words(asker, old) == "AK access failed to reach the limit,forbidden."
    assert _words(asker, new) == ""
    assert asker.css().status == 200


def test_a_revoked_key_is_unknown() -> None:
    """After its revocation the gateway does not know it."""
    asker = Asker()
    key = _temporary(asker)
    asker.emulator.keys.revoke(key.access_key)
    assert _words(asker, key) == "Get secretKey failed,ak:TEMPORARY,err:ak not exist"
