"""What can go wrong with each call that hands keys out, and what it looks like."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_css.emulator.exchange import Reply
from airflow_css.emulator.identity_faults import IDENTITY_CALLS, ISSUING_CALLS
from tests.emulator.asking import TOKEN_PATH, Asker
from tests.emulator.callers import refusal

ASK: dict[str, Callable[[Asker], Reply]] = {
    "list_projects": Asker.projects,
    "assume_agency": Asker.assume,
    "get_metadata_token": lambda asker: asker.metadata("PUT", TOKEN_PATH, X_Metadata_Token_Ttl_Seconds="60"),
    "get_security_key": Asker.security_key,
    "get_pod_credentials": Asker.pod,
}


def test_every_call_is_asked_here() -> None:
    """The table of these tests holds each call that can be struck."""
    assert tuple(ASK) == IDENTITY_CALLS
    assert set(ISSUING_CALLS) < set(IDENTITY_CALLS)


@pytest.mark.parametrize("call", IDENTITY_CALLS)
def test_every_call_can_be_struck_once(call: str) -> None:
    """No permission, throttling, a failure, no JSON and a dropped connection each strike their call one time."""
    asker = Asker()
    faults = asker.identity.faults
    faults.no_permission(call=call)
    faults.throttle(7, call=call)
    faults.answer(503, call=call)
    faults.not_json(call=call)
    faults.drop(call=call)
    replies = [ASK[call](asker) for _ in range(6)]
    assert refusal(replies[0]) == (403, "IAM.0003")
    assert refusal(replies[1]) == (429, "IAM.0012")
    assert replies[1].headers["Retry-After"] == "7"
    assert [reply.status for reply in replies[2:4]] == [503, 200]
    with pytest.raises(json.JSONDecodeError):
        replies[3].json()
    assert replies[4].delivery == "none"
    assert replies[5].status in {200, 201}


@pytest.mark.parametrize("call", IDENTITY_CALLS)
def test_a_fault_strikes_no_other_call(call: str) -> None:
    """What waits for one call lets the others pass."""
    asker = Asker()
    asker.identity.faults.answer(500, call=call)
    others = [
        ask for name, ask in ASK.items() if name != call and (call, name) != ("get_metadata_token", "get_security_key")
    ]
    assert {ask(asker).status for ask in others} <= {200, 201}


@pytest.mark.parametrize("call", ISSUING_CALLS)
@pytest.mark.parametrize("name", ["access", "secret", "securitytoken", "expires_at"])
def test_a_key_can_come_with_other_fields(call: str, name: str) -> None:
    """A field can be missing or hold something else; the next answer is whole again."""
    asker = Asker()
    asker.identity.faults.odd_key(call=call, without=[name])
    asker.identity.faults.odd_key(call=call, changed={name: "soon"})
    answers: list[dict[str, Any]] = [ASK[call](asker).json()["credential"] for _ in range(3)]
    assert name not in answers[0]
    assert answers[1][name] == "soon"
    assert len(answers[2]) == 4
    assert answers[2][name] != "soon"


def test_a_refusal_has_no_fields_to_change() -> None:
    """What is refused is refused as usual, whatever was scripted for the key."""
    asker = Asker()
    asker.identity.faults.odd_key(call="assume_agency", without=["secret"])
    assert refusal(asker.assume({"agency_name": "other"})) == (404, "IAM.0004")


@pytest.mark.parametrize("call", ["list_projects", "get_metadata_token", "create_snapshot", None])
def test_only_calls_that_hand_keys_out_hand_odd_keys_out(call: str | None) -> None:
    """Any other name is refused when the script is written."""
    with pytest.raises(ValueError, match="keys are handed out by assume_agency, get_security_key, get_pod_credentials"):
        Asker().identity.faults.odd_key(call=call)


def test_the_calls_of_css_cannot_be_struck_here() -> None:
    """Each script knows its own calls, and says which they are."""
    asker = Asker()
    with pytest.raises(ValueError, match="a call is one of list_projects, assume_agency"):
        asker.identity.faults.drop(call="create_snapshot")
    with pytest.raises(ValueError, match="a call is one of create_snapshot"):
        asker.emulator.faults.drop(call="list_projects")


def test_a_wrong_signature_uses_no_fault_up() -> None:
    """A fault of IAM strikes only what was signed well."""
    asker = Asker()
    asker.identity.faults.answer(500, call="list_projects")
    assert [asker.projects(secret_key="wrong").status, asker.projects().status] == [401, 500]
