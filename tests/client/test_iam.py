"""The sign-in service: the project of a region, and keys of an agency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_css.client.clock import SystemClock
from airflow_css.client.credentials import Credentials
from airflow_css.client.iam import PROJECTS, AgencyKeys, find_project_id
from airflow_css.client.key_ring import KeyRing
from airflow_css.client.rules import SendingRules
from airflow_css.client.sources import FixedKeys
from airflow_css.emulator import CssEmulator
from airflow_css.emulator.iam import Project
from airflow_css.protocol.errors import (
    CssAuthError,
    CssConfigError,
    CssError,
    CssReplyError,
    CssServerError,
    CssTransportError,
)

REGION, ID, OTHER_ID = "eu-west-101", "6204a5bd270343b5885144cf9c8c158d", "0" * 32
CLOCK = SystemClock()
RULES = SendingRules(tries=1)


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """An emulator whose sign-in service knows one project."""
    with CssEmulator(identity=True) as emulator:
        yield emulator
    # The next one may get the same port, and is another one.
    PROJECTS.forget()


def _find(emulator: CssEmulator, region: str = REGION, secret_key: str = "") -> str:
    keys = Credentials(emulator.access_key, secret_key or emulator.secret_key)
    ring = KeyRing(FixedKeys(keys), CLOCK)
    return find_project_id(ring, region, emulator.identity.iam_url, rules=RULES, clock=CLOCK)


def test_a_project_is_looked_up_once(emulator: CssEmulator) -> None:
    """The project of the region is found by its name, and remembered for the process."""
    assert [_find(emulator) for _ in range(3)] == [ID] * 3
    assert emulator.identity.count("list_projects") == 1


def test_other_keys_and_regions_are_looked_up_anew(emulator: CssEmulator) -> None:
    """What is remembered belongs to the keys and the region."""
    emulator.identity.iam.projects.append(Project(OTHER_ID, "cn-north-4"))
    assert (_find(emulator), _find(emulator, "cn-north-4")) == (ID, OTHER_ID)
    with pytest.raises(CssAuthError):
        _find(emulator, secret_key="another")


def test_no_project_is_told(emulator: CssEmulator) -> None:
    """A region that the account does not use, or that does not exist, is named with the ways out."""
    with pytest.raises(CssConfigError, match="no project in the region 'cn-north-4'") as caught:
        _find(emulator, "cn-north-4")
    assert "'project_id'" in str(caught.value)


def test_several_projects_are_listed(emulator: CssEmulator) -> None:
    """More than one project of the name cannot be chosen from, so their ids are told."""
    emulator.identity.iam.projects.append(Project(OTHER_ID, REGION))
    with pytest.raises(CssConfigError, match=f"{ID}, {OTHER_ID}"):
        _find(emulator)


FAULTS: dict[str, tuple[dict[str, Any], type[CssError], str]] = {
    "no permission": ({"status": 403, "code": "IAM.0003"}, CssConfigError, "iam:projects:listProjects"),
    "not signed in": ({"status": 401, "code": "IAM.0001"}, CssAuthError, "IAM.0001"),
    "failed": ({"status": 500, "code": "IAM.0006"}, CssServerError, "IAM.0006"),
    "not JSON": ({"status": 200, "body": "nonsense"}, CssReplyError, "projects"),
    "odd id": (
        {"status": 200, "body": '{"projects": [{"id": "../x", "name": "eu-west-101"}]}'},
        CssReplyError,
        "names",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_look_up_is_told(emulator: CssEmulator, fault: str) -> None:
    """Each failure has its kind of error, and is not remembered."""
    answer, kind, words = FAULTS[fault]
    emulator.identity.faults.answer(**answer, call="list_projects")
    with pytest.raises(kind, match=words):
        _find(emulator)
    assert _find(emulator) == ID


def test_a_sign_in_service_that_is_down_is_told(emulator: CssEmulator) -> None:
    """Nobody answers: a retry may help."""
    emulator.identity.take_down("iam")
    with pytest.raises(CssTransportError) as caught:
        _find(emulator)
    assert caught.value.curable


def _agency(emulator: CssEmulator, **changes: str) -> AgencyKeys:
    base = FixedKeys(Credentials(emulator.access_key, emulator.secret_key), "the connection")
    usual = {"agency_name": "css-loader", "domain_name": "emulator-account"}
    names = {**usual, **changes}
    return AgencyKeys(base, emulator.identity.iam_url, names["agency_name"], names["domain_name"], RULES)


def test_keys_of_an_agency_last_an_hour(emulator: CssEmulator) -> None:
    """The keys are those that the service made, and last as long as was asked for."""
    fetched = _agency(emulator).fetch(CLOCK)
    made = emulator.identity.issued[-1]
    assert (fetched.credentials.access_key, fetched.expires_at) == (made.access_key, made.expires_at)
    assert fetched.expires_at is not None
    assert 3500 < (fetched.expires_at - CLOCK.now()).total_seconds() <= 3600


@pytest.mark.parametrize("changes", [{"agency_name": "nobody"}, {"domain_name": "elsewhere"}])
def test_a_missing_agency_is_named(emulator: CssEmulator, changes: dict[str, str]) -> None:
    """Agency and account are named, and nothing sends the reader to clusters or permissions."""
    with pytest.raises(CssConfigError, match=r"There is no agency .* in the account .*'agency_name'") as caught:
        _agency(emulator, **changes).fetch(CLOCK)
    said = str(caught.value)
    assert all(name in said for name in changes.values())
    assert [word for word in ("cluster", "css:", "Agent Operator") if word in said] == []


def test_a_forbidden_agency_asks_for_its_permission(emulator: CssEmulator) -> None:
    """The permission is IAM's, not one for clusters, and the service's words stand there."""
    emulator.identity.faults.no_permission(call="assume_agency")
    with pytest.raises(CssConfigError, match=r"Agent Operator.*Policy doesn't allow") as caught:
        _agency(emulator).fetch(CLOCK)
    assert "css:" not in str(caught.value)


def test_an_agency_prints_no_secret(emulator: CssEmulator) -> None:
    """Whoever prints the source sees names and addresses only."""
    source = _agency(emulator)
    assert emulator.secret_key not in f"{source!r} {source.name}"
    assert source == _agency(emulator)
    assert hash(source) == hash(_agency(emulator))
