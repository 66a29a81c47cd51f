"""
What the sign-in service (IAM) and the sources of temporary keys say: calls, bodies, and what is read of the answers.

Source: IAM API reference, "Obtaining Temporary Access Keys" and "Querying a Project List", read 2026-11-24;
huaweicloudsdkcore 3.1.219, for the shapes that the metadata service and the identity of a pod answer with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.wire import Call

__all__ = [
    "ASSUME_AGENCY",
    "LIST_PROJECTS",
    "Project",
    "TemporaryKeys",
    "build_assume_body",
    "parse_temporary_keys",
    "read_temporary_keys",
]

_INSIDE = ("credential", "credentials")
_ACCESS = ("access", "accessKeyId", "access_key_id")
_SECRET = ("secret", "secretAccessKey", "secret_access_key")
_TOKEN = ("securitytoken", "securityToken", "security_token")
_EXPIRY = ("expires_at", "expiration")


@dataclass(frozen=True)
class TemporaryKeys:
    """
    Keys as a source hands them out. Printing them shows no secret.

    :param access_key: The public half.
    :param secret_key: The secret half.
    :param security_token: Must travel with every request.
    :param expires_at: When they end, aware and in UTC.
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Project:
    """
    A project of the account.

    :param id: Its id.
    :param name: Its name; the main project of a region is called like the region.
    """

    id: str
    name: str


def read_temporary_keys(body: bytes) -> TemporaryKeys:
    """
    Return the keys in an answer.

    :param body: The body as it came. Nothing of it is repeated in an error.
    :raises CssReplyError: if it is not JSON, or lacks a part.
    """
    payload: Any = None
    # Raised outside of it, because the error of the decoder would come along, and it holds the text, secrets included.
    with suppress(ValueError, RecursionError):
        payload = json.loads(body)
    return parse_temporary_keys(payload)


def parse_temporary_keys(payload: Any) -> TemporaryKeys:
    """
    Return the keys in a decoded answer.

    :param payload: With or without ``credential`` or ``credentials`` around the parts.
    :raises CssReplyError: if a part is missing; none is shown.
    """
    inner = next((payload[name] for name in _INSIDE if name in payload), payload) if _is_object(payload) else None
    if inner is None or not _is_object(inner):
        raise CssReplyError("The answer that should bring temporary keys holds none")
    access_key, secret_key, token, expiry = (_text(inner, names) for names in (_ACCESS, _SECRET, _TOKEN, _EXPIRY))
    named = {"access key": access_key, "secret key": secret_key, "security token": token, "time of expiry": expiry}
    missing = [name for name, value in named.items() if not value]
    if missing:
        raise CssReplyError(f"The answer that should bring temporary keys lacks the {' and the '.join(missing)}")
    return TemporaryKeys(access_key, secret_key, token, _moment(expiry))


def build_assume_body(agency_name: str, domain_name: str, duration_seconds: int) -> dict[str, Any]:
    """
    Return the body that asks for temporary keys of an agency.

    :param agency_name: The agency.
    :param domain_name: The account that owns it.
    :param duration_seconds: How long the keys shall live, 900 to 86400.
    """
    role = {"agency_name": agency_name, "domain_name": domain_name, "duration_seconds": duration_seconds}
    return {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}


def _parse_projects(payload: Any) -> tuple[Project, ...]:
    entries = payload.get("projects") if _is_object(payload) else None
    if not isinstance(entries, list):
        raise CssReplyError("The list of projects came without its array 'projects'")
    found = tuple(Project(_text(entry, ("id",)), _text(entry, ("name",))) for entry in entries if _is_object(entry))
    if len(found) != len(entries) or not all(project.id for project in found):
        raise CssReplyError("The list of projects holds an entry without an id")
    return found


LIST_PROJECTS: Call[tuple[Project, ...]] = Call("list_projects", "GET", "/v3/projects", 200, _parse_projects)
ASSUME_AGENCY: Call[TemporaryKeys] = Call(
    "assume_agency", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", 201, parse_temporary_keys
)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _text(payload: Mapping[str, Any], names: tuple[str, ...]) -> str:
    value = next((payload[name] for name in names if payload.get(name)), "")
    return value if isinstance(value, str) else ""


def _moment(text: str) -> datetime:
    # The first and the last day of the calendar overflow in some zones.
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise CssReplyError("The answer that should bring temporary keys has an unreadable time of expiry")
