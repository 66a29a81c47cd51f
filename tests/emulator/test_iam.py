"""IAM: projects, keys for an agency, and how it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest

from airflow_css.emulator.iam import Agency, Project, RefusalShape
from airflow_css.emulator.keys import Key
from tests.emulator.asking import SECURITY_TOKENS, Asker, key_of
from tests.emulator.callers import refusal


def test_a_project_is_found_by_its_region() -> None:
    """The one project bears the region's name; another region has none."""
    asker = Asker()
    (project,) = asker.projects().json()["projects"]
    assert (project["id"], project["name"]) == (asker.emulator.project_id, "eu-west-101")
    assert asker.projects("name=eu-west-0").json()["projects"] == []
    assert len(asker.projects("").json()["projects"]) == 1


def test_there_may_be_several_projects_or_none() -> None:
    """What is set is listed, by its whole name only."""
    asker = Asker()
    asker.identity.iam.projects = [Project("1" * 32, "eu-west-101"), Project("2" * 32, "eu-west-101_loads")]
    assert [found["id"] for found in asker.projects().json()["projects"]] == ["1" * 32]
    asker.identity.iam.projects.append(Project("3" * 32, "eu-west-101"))
    assert [found["id"] for found in asker.projects().json()["projects"]] == ["1" * 32, "3" * 32]
    asker.identity.iam.projects.clear()
    assert asker.projects().json()["projects"] == []


def test_a_key_of_an_agency_signs_for_css_until_it_ends() -> None:
    """It is answered with 201, passes with its token, and ends after the seconds asked for."""
    asker = Asker()
    reply = asker.assume({"duration_seconds": 1800, "session_user": {"name": "night_load"}})
    assert reply.status == 201
    key = key_of(reply)
    asker.advance(1799)
    assert asker.css(key).status == 200
    assert asker.css(Key(key.access_key, key.secret_key)).status == 401
    asker.advance(1)
    assert asker.css(key).status == 401


def test_a_key_of_an_agency_lasts_fifteen_minutes_if_nothing_is_said() -> None:
    """The default is the shortest time."""
    asker = Asker()
    asker.assume()
    assert asker.identity.issued[0].expires_at == asker.emulator.clock.now() + timedelta(minutes=15)


def test_a_temporary_key_may_ask_for_an_agency() -> None:
    """An agency can stand on top of the keys of a server."""
    asker = Asker()
    assert asker.assume(key=key_of(asker.security_key())).status == 201


@pytest.mark.parametrize(
    ("role", "answer"),
    [
        ({"agency_name": None}, (400, "IAM.0007")),
        ({"agency_name": ""}, (400, "IAM.0007")),
        ({"domain_name": None}, (400, "IAM.0007")),
        ({"domain_name": None, "domain_id": ""}, (400, "IAM.0007")),
        ({"duration_seconds": 899}, (400, "IAM.0007")),
        ({"duration_seconds": 86401}, (400, "IAM.0007")),
        ({"duration_seconds": "900"}, (400, "IAM.0007")),
        ({"duration_seconds": True}, (400, "IAM.0007")),
        ({"session_user": {"name": "abcd"}}, (400, "IAM.0007")),
        ({"session_user": {"name": "1night"}}, (400, "IAM.0007")),
        ({"session_user": {"name": "n" * 65}}, (400, "IAM.0007")),
        ({"session_user": "night"}, (400, "IAM.0007")),
        ({"agency_name": "other"}, (404, "IAM.0004")),
        ({"domain_name": "somebody-else"}, (404, "IAM.0004")),
        ({"domain_id": "somebody-else"}, (404, "IAM.0004")),
    ],
)
def test_a_wrong_order_is_refused(role: dict[str, Any], answer: tuple[int, str]) -> None:
    """Each wrong field has its answer, and no key is made."""
    asker = Asker()
    assert refusal(asker.assume(role)) == answer
    assert asker.identity.issued == ()


@pytest.mark.parametrize(
    "role", [{"duration_seconds": 900}, {"duration_seconds": 86400}, {"session_user": {"name": "n" * 64}}]
)
def test_what_is_just_allowed_is_granted(role: dict[str, Any]) -> None:
    """The first and the last possible value of each field pass."""
    assert Asker().assume(role).status == 201


def test_an_agency_is_known_by_the_id_of_its_account_too() -> None:
    """Either the id or the name of the account is enough."""
    asker = Asker()
    asker.identity.iam.agencies = [Agency("nights", "a" * 32, "company")]
    for account in ({"domain_id": "a" * 32, "domain_name": None}, {"domain_name": "company"}):
        assert asker.assume({"agency_name": "nights", **account}).status == 201


@pytest.mark.parametrize("payload", [None, [], {}, {"auth": None}, {"auth": {"identity": []}}])
def test_another_body_is_refused(payload: Any) -> None:
    """What is no order at all is told so."""
    assert refusal(Asker().iam("POST", SECURITY_TOKENS, payload)) == (400, "IAM.0011")


def test_other_methods_are_not_emulated() -> None:
    """Keys for a token are refused loudly, as IAM has them and the emulator has not."""
    asker = Asker()
    payload = {"auth": {"identity": {"methods": ["token"], "token": {"id": "abc"}}}}
    assert refusal(asker.iam("POST", SECURITY_TOKENS, payload)) == (501, "EMULATOR.0501")


def test_iam_has_no_other_calls() -> None:
    """The paths of CSS are unknown here, and those of IAM are unknown there."""
    asker = Asker()
    assert refusal(asker.iam("GET", f"/v1.0/{asker.emulator.project_id}/clusters")) == (404, "APIGW.0101")
    assert refusal(asker.iam("POST", "/v3/projects")) == (404, "APIGW.0101")


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("iam", {"error_msg": "The request you have made requires authentication.", "error_code": "IAM.0001"}),
        (
            "keystone",
            {
                "error": {
                    "code": 401,
                    "message": "The request you have made requires authentication.",
                    "title": "Unauthorized",
                }
            },
        ),
    ],
)
def test_a_wrong_signature_can_be_refused_in_either_shape_of_iam(shape: RefusalShape, body: dict[str, Any]) -> None:
    """What is set is what is answered, with 401."""
    asker = Asker()
    asker.identity.iam.sign_in_refusals = shape
    reply = asker.projects(secret_key="wrong")
    assert (reply.status, reply.json()) == (401, body)
    assert shape in get_args(RefusalShape)


def test_a_wrong_signature_is_refused_by_the_gateway() -> None:
    """Unless something else is set, the gateway answers, and repeats the canonical request."""
    reply = Asker().projects(secret_key="wrong")
    assert refusal(reply) == (401, "APIGW.0301")
    assert "canonicalRequest:GET|/v3/projects/|name=eu-west-101|" in reply.json()["error_msg"]
