"""
IAM, as far as signing in to CSS needs it: which projects there are, and temporary keys for an agency.

Source: IAM API reference, "Querying Project Information" and "Obtaining Temporary Access Keys and Security Tokens of
an Agency", 2024-11-18; "Error Codes", read 2026-11-24.
"""

from __future__ import annotations

import http
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from airflow_css.emulator.exchange import Refusal, Reply, Request, gateway_refusal, json_reply
from airflow_css.emulator.gate import Gate
from airflow_css.emulator.identity_app import IdentityService
from airflow_css.emulator.issuing import Issuer, credential_reply
from airflow_css.protocol import signing

__all__ = ["IAM_CALLS", "Agency", "Iam", "KeystoneRefusal", "Project", "RefusalShape"]

IAM_CALLS = {
    ("GET", "/v3/projects"): "list_projects",
    ("POST", "/v3.0/OS-CREDENTIAL/securitytokens"): "assume_agency",
}
DEFAULT_DOMAIN_ID = "d78cbac186b744899480f25bd022f468"
SHORTEST_SECONDS, LONGEST_SECONDS = 900, 86400
_USER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{4,63}")

RefusalShape = Literal["gateway", "iam", "keystone"]


@dataclass(frozen=True)
class Project:
    """
    A project.

    :param id: 32 lower-case letters and digits.
    :param name: That of its region, or ``<region>_<name>``.
    :param domain_id: The account it belongs to.
    """

    id: str
    name: str
    domain_id: str = DEFAULT_DOMAIN_ID

    def shown(self) -> dict[str, Any]:
        """Return the project as it is listed."""
        return {
            "id": self.id,
            "name": self.name,
            "domain_id": self.domain_id,
            "parent_id": self.domain_id,
            "is_domain": False,
            "enabled": True,
            "description": "",
        }


@dataclass(frozen=True)
class Agency:
    """
    An agency: rights that an account lends to others.

    :param name: Its name.
    :param domain_id: The account that lends.
    :param domain_name: The name of that account.
    """

    name: str = "css-loader"
    domain_id: str = DEFAULT_DOMAIN_ID
    domain_name: str = "emulator-account"


class KeystoneRefusal(Refusal):
    """
    IAM says no, in the shape of the calls that it has from OpenStack.

    :param status: HTTP status.
    :param message: In words.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "", message)

    def reply(self, request_id: str) -> Reply:
        """
        Return the answer.

        :param request_id: What support asks for.
        """
        title = http.HTTPStatus(self.status).phrase
        body = {"error": {"code": self.status, "message": self.message, "title": title}}
        return json_reply(self.status, body).with_header("X-IAM-Trace-Id", request_id)


class Iam:
    """
    Which projects and agencies there are: the lists ``projects`` and ``agencies`` may be changed at any time.

    ``sign_in_refusals`` says in which shape a bad signature is refused: ``gateway`` (default), ``iam`` or ``keystone``.

    :param gate: Checks signatures.
    :param issuer: Makes temporary keys.
    :param projects: What there is at first.
    """

    def __init__(self, gate: Gate, issuer: Issuer, projects: Iterable[Project]) -> None:
        self.projects: list[Project] = list(projects)
        self.agencies: list[Agency] = [Agency()]
        self.sign_in_refusals: RefusalShape = "gateway"
        self._gate = gate
        self._issuer = issuer

    def service(self) -> IdentityService:
        """Return what it knows."""
        effects = {"list_projects": self._list_projects, "assume_agency": self._assume_agency}
        return IdentityService(IAM_CALLS, effects, self._admit, _unknown)

    def _admit(self, request: Request) -> None:
        """
        Return if the request is signed well.

        Source: as above: IAM stands behind the same gateway, which refuses in its own shape. Assumed: IAM never does
        it itself; its two shapes can be played with ``sign_in_refusals``.
        """
        try:
            self._gate.check(request)
        except Refusal as refusal:
            if refusal.status != 401 or self.sign_in_refusals == "gateway":
                raise
            words = "The request you have made requires authentication."
            own = (
                KeystoneRefusal(401, words) if self.sign_in_refusals == "keystone" else Refusal(401, "IAM.0001", words)
            )
            raise own from refusal

    def _list_projects(self, request: Request) -> Reply:
        """Answer with the projects of this name, or all when none is given; no project is an empty list."""
        asked = dict(signing.parse_query(request.query)).get("name")
        found = [project.shown() for project in self.projects if asked in {None, project.name}]
        return json_reply(200, {"links": {"self": f"https://iam/v3/projects?{request.query}"}, "projects": found})

    def _assume_agency(self, request: Request) -> Reply:
        """Assumed: an agency of another account is missing rather than forbidden."""
        role = _read_role(request.body)
        seconds = _read_seconds(role)
        _check_user(role.get("session_user"))
        if not any(_is_meant(agency, role) for agency in self.agencies):
            raise Refusal(404, "IAM.0004", f"Could not find agency: {role['agency_name']}.")
        return credential_reply(201, self._issuer.issue(seconds))


def _read_role(body: bytes) -> dict[str, Any]:
    try:
        identity = json.loads(body)["auth"]["identity"]
        methods, role = identity["methods"], identity.get("assume_role")
    except (ValueError, LookupError, TypeError, AttributeError) as cause:
        raise Refusal(400, "IAM.0011", "Request body is invalid.") from cause
    if methods != ["assume_role"]:
        raise Refusal(501, "EMULATOR.0501", f"IAM has the method {methods}, this emulator has only assume_role.")
    if not isinstance(role, dict):
        raise _wrong("assume_role")
    if not _is_text(role.get("agency_name")):
        raise _wrong("agency_name")
    if not (_is_text(role.get("domain_id")) or _is_text(role.get("domain_name"))):
        raise _wrong("domain_id")
    return role


def _read_seconds(role: dict[str, Any]) -> int:
    seconds = role.get("duration_seconds", SHORTEST_SECONDS)
    is_number = isinstance(seconds, int) and not isinstance(seconds, bool)
    if not is_number or not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise _wrong("duration_seconds")
    return int(seconds)


def _check_user(user: object) -> None:
    """Source: as above: 5 to 64 letters, digits, - and _, a letter first."""
    if user is not None and not (isinstance(user, dict) and _USER.fullmatch(str(user.get("name")))):
        raise _wrong("session_user")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _wrong(name: str) -> Refusal:
    """Assumed: which of the two documented codes for a bad request names the field."""
    return Refusal(400, "IAM.0007", f"Request parameter {name} is invalid.")


def _is_meant(agency: Agency, role: dict[str, Any]) -> bool:
    """Assumed: when both are given, both must fit."""
    return (
        agency.name == role["agency_name"]
        and role.get("domain_id") in {None, "", agency.domain_id}
        and role.get("domain_name") in {None, "", agency.domain_name}
    )


def _unknown(_request: Request) -> Reply:
    raise gateway_refusal(404, "0101", "The API does not exist or has not been published in the environment.")
