"""The metadata service: its tokens, its keys, and the older one without tokens."""

from __future__ import annotations

import pytest

from tests.emulator.asking import KEY_PATH, TOKEN_PATH, Asker, key_of


def test_a_key_is_given_for_a_token() -> None:
    """With a token from the same service a key comes, and it signs for CSS."""
    asker = Asker()
    reply = asker.security_key()
    assert reply.status == 200
    assert asker.css(key_of(reply)).status == 200


def test_all_who_ask_are_given_one_key() -> None:
    """The key is the same until it is nearly over."""
    asker = Asker()
    assert key_of(asker.security_key()) == key_of(asker.security_key())
    asker.advance(23 * 3600)
    asker.security_key()
    assert len(asker.identity.issued) == 2


@pytest.mark.parametrize("token", ["", "made-up"])
def test_no_key_without_a_token(token: str) -> None:
    """A missing and a made-up token are refused with 401, and no key is made."""
    asker = Asker()
    assert asker.metadata("GET", KEY_PATH, X_Metadata_Token=token).status == 401
    assert asker.metadata("GET", KEY_PATH).status == 401
    assert asker.identity.issued == ()


def test_a_token_ends() -> None:
    """After the seconds asked for, or when the service forgets it, another one is needed."""
    asker = Asker()
    token, other = asker.metadata_token("60"), asker.metadata_token()
    asker.advance(59)
    assert asker.metadata("GET", KEY_PATH, X_Metadata_Token=token).status == 200
    asker.advance(1)
    assert asker.metadata("GET", KEY_PATH, X_Metadata_Token=token).status == 401
    assert asker.metadata("GET", KEY_PATH, X_Metadata_Token=other).status == 200
    asker.identity.metadata.forget_tokens()
    assert asker.metadata("GET", KEY_PATH, X_Metadata_Token=other).status == 401


@pytest.mark.parametrize("status", [404, 405, 503])
def test_an_older_service_has_no_tokens_and_wants_none(status: int) -> None:
    """It answers the request for a token with one of three statuses, and gives the key all the same."""
    asker = Asker()
    asker.identity.metadata.token_status = status
    assert asker.metadata("PUT", TOKEN_PATH, X_Metadata_Token_Ttl_Seconds="21600").status == status
    assert asker.metadata("GET", KEY_PATH).status == 200


def test_a_server_may_want_no_token_though_it_has_some() -> None:
    """Where tokens are optional, a key is given with one and without."""
    asker = Asker()
    asker.identity.metadata.wants_token = False
    assert asker.metadata("GET", KEY_PATH).status == asker.security_key().status == 200


def test_a_server_without_an_agency_has_no_key() -> None:
    """It is told so in words that tell it from a bad token, which has the same status."""
    asker = Asker()
    asker.identity.metadata.has_agency = False
    reply = asker.security_key()
    assert (reply.status, reply.body) == (401, b"Please configure Cloud Service Agency first")
    assert b"Agency" not in asker.metadata("GET", KEY_PATH).body


@pytest.mark.parametrize("ttl", ["0", "21601", "soon", ""])
def test_a_token_lasts_up_to_six_hours(ttl: str) -> None:
    """Another lifetime is refused with 400."""
    assert Asker().metadata("PUT", TOKEN_PATH, X_Metadata_Token_Ttl_Seconds=ttl).status == 400


def test_a_request_that_a_proxy_passed_on_gets_no_token() -> None:
    """What names the client before it comes from outside of the server."""
    headers = {"X_Metadata_Token_Ttl_Seconds": "21600", "X_Forwarded_For": "10.0.0.1"}
    assert Asker().metadata("PUT", TOKEN_PATH, **headers).status == 403


def test_there_is_nothing_else() -> None:
    """Other paths and methods are unknown."""
    asker = Asker()
    assert {asker.metadata("GET", path).status for path in ("/", TOKEN_PATH, "/openstack/latest/user_data")} == {404}
