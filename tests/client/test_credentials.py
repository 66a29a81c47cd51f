"""Access keys: they stay out of texts, and the environment names them."""

from __future__ import annotations

import dataclasses
import pprint
import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.client.credentials import Credentials, credentials_from_environment
from airflow_css.protocol.errors import CssConfigError

ACCESS_KEY = "QTWAOYTTINDUT2QVKYUC"
SECRET_KEY = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
TOKEN = "gQpjbi1ub3J0aC00/temporary+token=="
TEMPORARY = Credentials(ACCESS_KEY, SECRET_KEY, TOKEN)

FULL = {
    "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
    "HUAWEICLOUD_SDK_SK": SECRET_KEY,
    "HUAWEICLOUD_SDK_SECURITY_TOKEN": TOKEN,
    "HUAWEICLOUD_SDK_PROJECT_ID": "6204a5bd270343b5885144cf9c8c158d",
}

secrets = st.text(string.ascii_letters + string.digits, min_size=8, max_size=40)


def _without(*names: str) -> dict[str, str]:
    return {name: value for name, value in FULL.items() if name.removeprefix("HUAWEICLOUD_SDK_") not in names}


def _traceback_with_locals(credentials: Credentials) -> str:
    with pytest.raises(LookupError) as caught:
        raise LookupError(credentials)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    return "".join(shown.format())


@pytest.mark.parametrize(
    "printed",
    [
        repr(TEMPORARY),
        str(TEMPORARY),
        f"{TEMPORARY} {TEMPORARY!r} {TEMPORARY!s} {[TEMPORARY]}",
        pprint.pformat({"credentials": TEMPORARY}),
        _traceback_with_locals(TEMPORARY),
    ],
    ids=["repr", "str", "format", "pprint", "traceback"],
)
def test_printing_shows_four_characters_of_the_access_key_and_no_secret(printed: str) -> None:
    """However credentials are printed, only the start of the access key appears."""
    assert "QTWA***" in printed
    assert not any(secret in printed for secret in (ACCESS_KEY, SECRET_KEY, TOKEN))


def test_credentials_cannot_be_changed() -> None:
    """Keys are exchanged as a whole: nobody can mix an access key with another secret key."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        TEMPORARY.secret_key = "other"  # type: ignore[misc]  # the refusal is what is tested


@given(secrets, st.one_of(st.none(), secrets), st.lists(st.text(":,; ", max_size=5), min_size=1, max_size=6))
def test_scrub_leaves_no_secret(secret_key: str, token: str | None, pieces: list[str]) -> None:
    """A text into which both secrets were put anywhere, end to end, comes back without them and otherwise whole."""
    credentials = Credentials("AK", secret_key, token)
    text = (secret_key + (token or "")).join(pieces) + secret_key + (token or "")
    scrubbed = credentials.scrub(text)
    assert secret_key not in scrubbed
    assert token is None or token not in scrubbed
    assert "".join(character for character in scrubbed if character in ":,; ") == "".join(pieces)


def test_scrub_takes_the_longer_secret_first() -> None:
    """A token that contains the secret key leaves nothing of itself behind."""
    credentials = Credentials("AK", "inner", "before-inner-after")
    assert credentials.scrub("x before-inner-after y inner z") == "x *** y *** z"


@given(st.text(string.punctuation + " "))
def test_scrub_keeps_other_text(text: str) -> None:
    """A text without secrets comes back as it was."""
    assert TEMPORARY.scrub(text) == text


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        (("", "secret", None), "access key"),
        (("AK\n", "secret", None), "access key"),
        (("A K", "secret", None), "access key"),
        (("A,K", "secret", None), "access key"),
        (("ÄK", "secret", None), "access key"),
        (("AK", "", None), "secret key"),
        (("AK", "secret", ""), "security token"),
        (("AK", "secret", "planted\ntoken"), "security token"),
    ],
)
def test_keys_that_could_never_work_are_refused_without_being_repeated(
    parts: tuple[str, str, str | None], what: str
) -> None:
    """A part that is empty or cannot stand in a header is named, and its value is not."""
    with pytest.raises(CssConfigError, match=f"The {what} ") as caught:
        Credentials(*parts)
    assert "planted" not in str(caught.value)
    assert str(caught.value).count(". ") == 1, "what is wrong, then what to do"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (None, None)),
        (FULL, (TEMPORARY, "6204a5bd270343b5885144cf9c8c158d")),
        (
            _without("SECURITY_TOKEN", "PROJECT_ID"),
            (Credentials(ACCESS_KEY, SECRET_KEY), None),
        ),
        (_without("AK", "SK", "SECURITY_TOKEN"), (None, "6204a5bd270343b5885144cf9c8c158d")),
        (dict.fromkeys(FULL, ""), (None, None)),
        ({name: f" {value}\n" for name, value in FULL.items()}, (TEMPORARY, FULL["HUAWEICLOUD_SDK_PROJECT_ID"])),
        ({"CLOUD_SDK_AK": ACCESS_KEY, "CLOUD_SDK_SK": SECRET_KEY}, (None, None)),
    ],
    ids=["nothing", "all", "permanent", "project", "empty", "blanks", "sample-names"],
)
def test_the_environment_names_keys_and_project(
    environ: dict[str, str], expected: tuple[Credentials | None, str | None]
) -> None:
    """Exactly what the environment sets comes back; an empty variable is not set."""
    assert credentials_from_environment(environ) == expected


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        (_without("AK"), ["HUAWEICLOUD_SDK_AK"]),
        (_without("SK"), ["HUAWEICLOUD_SDK_SK"]),
        (_without("SK", "SECURITY_TOKEN"), ["HUAWEICLOUD_SDK_SK"]),
        (_without("AK", "SK"), ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]),
        (FULL | {"HUAWEICLOUD_SDK_SK": " "}, ["HUAWEICLOUD_SDK_SK"]),
    ],
    ids=["no-ak", "no-sk", "only-ak", "only-token", "blank-sk"],
)
def test_half_set_keys_are_refused_by_name(environ: dict[str, str], missing: list[str]) -> None:
    """The message names the missing variables, the ones to unset instead, and no value."""
    with pytest.raises(CssConfigError) as caught:
        credentials_from_environment(environ)
    message = str(caught.value)
    assert f"but not {' and '.join(missing)}. " in message
    assert not any(value in message for value in FULL.values())
    remedied = environ | {name: FULL[name] for name in missing}
    assert credentials_from_environment(remedied)[0] is not None
