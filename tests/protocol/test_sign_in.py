"""What the sign-in service and other sources of keys answer: read, or refused without showing it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssReplyError
from airflow_css.protocol.sign_in import (
    LIST_PROJECTS,
    Project,
    TemporaryKeys,
    build_assume_body,
    parse_temporary_keys,
    read_temporary_keys,
)

PARTS = {
    "access": "HSTAAAAAAAAAAAAAAAAA",
    "secret": "planted-secret",
    "securitytoken": "planted-token",
    "expires_at": "2020-01-08T02:56:19.587000Z",
}
KEYS = TemporaryKeys(
    "HSTAAAAAAAAAAAAAAAAA", "planted-secret", "planted-token", datetime(2020, 1, 8, 2, 56, 19, 587000, UTC)
)
OTHER_NAMES = {
    "camel": ("accessKeyId", "secretAccessKey", "securityToken", "expiration"),
    "snake": ("access_key_id", "secret_access_key", "security_token", "expiration"),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*PARTS, "credential", "credentials"]), inner),
)


@pytest.mark.parametrize("around", ["credential", "credentials", ""])
def test_keys_are_read_with_and_without_a_name_around_them(around: str) -> None:
    """The sign-in service, the metadata service and pods answer in the same few shapes."""
    assert parse_temporary_keys({around: PARTS} if around else PARTS) == KEYS
    assert read_temporary_keys(json.dumps({around: PARTS} if around else PARTS).encode()) == KEYS


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_end_beyond_the_calendar_is_unreadable(written: str) -> None:
    """A moment that is in no year in UTC is refused like any other that cannot be read."""
    with pytest.raises(CssReplyError, match="unreadable time of expiry"):
        parse_temporary_keys({**PARTS, "expires_at": written})


@pytest.mark.parametrize("names", OTHER_NAMES.values(), ids=OTHER_NAMES)
def test_the_parts_have_other_names_too(names: tuple[str, ...]) -> None:
    """The names of newer services are understood as well."""
    assert parse_temporary_keys({"credentials": dict(zip(names, PARTS.values(), strict=True))}) == KEYS


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2020-01-08T02:56:19Z", datetime(2020, 1, 8, 2, 56, 19, tzinfo=UTC)),
        ("2020-01-08T04:56:19+02:00", datetime(2020, 1, 8, 2, 56, 19, tzinfo=UTC)),
        ("2020-01-08T02:56:19", datetime(2020, 1, 8, 2, 56, 19, tzinfo=UTC)),
    ],
)
def test_the_end_is_a_moment(written: str, moment: datetime) -> None:
    """Whatever the zone, the end is compared in UTC."""
    assert parse_temporary_keys({**PARTS, "expires_at": written}).expires_at == moment


@pytest.mark.parametrize(
    ("part", "name"),
    [("access", "access key"), ("secret", "secret key"), ("securitytoken", "security token"), ("expires_at", "time")],
)
@pytest.mark.parametrize("value", [None, "", 5, ["x"], {}])
def test_a_missing_part_is_named_and_no_other_is_shown(part: str, name: str, value: Any) -> None:
    """The message says what is missing, without the rest."""
    with pytest.raises(CssReplyError, match=f"lacks the {name}") as caught:
        parse_temporary_keys({"credential": {**PARTS, part: value}})
    assert "planted" not in str(caught.value)


@given(JSON)
def test_any_answer_is_read_or_refused(payload: Any) -> None:
    """No answer crashes the reading."""
    try:
        keys = read_temporary_keys(json.dumps(payload).encode())
    except CssReplyError:
        return
    assert keys.expires_at.tzinfo is UTC


def test_keys_print_no_secret() -> None:
    """Printing shows the access key and the end."""
    assert "planted" not in repr(KEYS)
    assert "HSTA" in repr(KEYS)


def test_projects_are_read() -> None:
    """Id and name of each project are kept."""
    listed = {"projects": [{"id": "1" * 32, "name": "cn-north-4", "enabled": True}]}
    assert LIST_PROJECTS.parse(listed) == (Project("1" * 32, "cn-north-4"),)


@pytest.mark.parametrize(
    "payload", [None, [], {}, {"projects": None}, {"projects": ["x"]}, {"projects": [{"name": "x"}]}]
)
def test_a_list_that_is_none_is_refused(payload: Any) -> None:
    """A list without its array, or with entries without an id, is no list."""
    with pytest.raises(CssReplyError):
        LIST_PROJECTS.parse(payload)


def test_the_body_for_an_agency_is_as_documented() -> None:
    """The agency, its account and the duration stand where the documentation shows them."""
    assert build_assume_body("css-backup", "hwc-prod", 3600) == {
        "auth": {
            "identity": {
                "methods": ["assume_role"],
                "assume_role": {"agency_name": "css-backup", "domain_name": "hwc-prod", "duration_seconds": 3600},
            }
        }
    }
