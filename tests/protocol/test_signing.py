"""The signature, stage by stage, against recorded vectors; and the rules around it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol import signing
from airflow_css.protocol.signing import ParsedAuthorization, SignableRequest

VECTORS = Path(__file__).parents[1] / "vectors" / "signing"
PLAIN = SignableRequest("GET", "/v1.0/p/clusters", headers={"Host": "css", "X-Sdk-Date": "20250815T000000Z"})
DATE_FORMS = [
    "",
    "2019-11-15T03:36:55Z",
    "20191115T033655",
    "20191115T033655+0000",
    "20191115T03365Z",
    "20191115T033655Z\n",
    " 20191115T033655Z",
    "\uff12\uff10191115T033655Z",
    "20191315T033655Z",
    "20190229T033655Z",
    "20191115T243655Z",
]
SIGNATURE = "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
WELL_FORMED = f"SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature={SIGNATURE}"


@dataclass(frozen=True)
class Vector:
    """One recorded request with every stage of its signature."""

    request: SignableRequest
    date: str
    access_key: str
    secret_key: str
    canonical_request: str
    canonical_request_sha256: str
    string_to_sign: str
    signature: str
    authorization: str


def _vector(name: str) -> Vector:
    recorded: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    request = recorded["request"]
    return Vector(
        request=SignableRequest(
            request["method"],
            request["path"],
            tuple((name, value) for name, value in request["query"]),
            request["headers"],
            request["body"].encode(),
        ),
        canonical_request="\n".join(recorded["canonical_request"]),
        string_to_sign="\n".join(recorded["string_to_sign"]),
        **{
            key: recorded[key]
            for key in (
                "date",
                "access_key",
                "secret_key",
                "canonical_request_sha256",
                "signature",
                "authorization",
            )
        },
    )


NAMES = sorted(path.stem for path in VECTORS.glob("*.json"))
VECTOR = pytest.mark.parametrize("vector", [pytest.param(_vector(name), id=name) for name in NAMES])


def test_the_published_example_is_among_the_vectors() -> None:
    """The vectors are found, and the one example Huawei Cloud publishes is one of them."""
    assert len(NAMES) >= 6
    assert _vector("published-get-with-query").signature == SIGNATURE


@VECTOR
def test_recorded_canonical_text_is_genuine(vector: Vector) -> None:
    """The recorded canonical request has the hash that was recorded from outside."""
    assert sha256(vector.canonical_request.encode()).hexdigest() == vector.canonical_request_sha256


@VECTOR
def test_canonical_request(vector: Vector) -> None:
    """Stage 1: the request is written down as recorded."""
    assert signing.canonical_request(vector.request) == vector.canonical_request


@VECTOR
def test_string_to_sign(vector: Vector) -> None:
    """Stage 2: the recorded canonical request and date give the recorded string."""
    assert signing.string_to_sign(vector.canonical_request, vector.date) == vector.string_to_sign


@VECTOR
def test_signature(vector: Vector) -> None:
    """Stage 3: the recorded string gives the recorded signature."""
    assert signing.sign(vector.secret_key, vector.string_to_sign) == vector.signature


@VECTOR
def test_authorization(vector: Vector) -> None:
    """Stage 4: the recorded signature gives the recorded header."""
    names = signing.signed_header_names(vector.request.headers)
    assert signing.authorization(vector.access_key, names, vector.signature) == vector.authorization


@VECTOR
def test_authorization_header(vector: Vector) -> None:
    """All stages at once give the recorded header."""
    header = signing.authorization_header(
        vector.request, access_key=vector.access_key, secret_key=vector.secret_key, date=vector.date
    )
    assert header == vector.authorization


@VECTOR
def test_authorization_is_read_back(vector: Vector) -> None:
    """A recorded header is taken apart into what it was made of."""
    names = signing.signed_header_names(vector.request.headers)
    expected = ParsedAuthorization(vector.access_key, names, vector.signature)
    assert signing.parse_authorization(vector.authorization) == expected


def _line(request: SignableRequest, number: int) -> str:
    return signing.canonical_request(request).split("\n")[number]


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("/a", "/a/"),
        ("/a/", "/a/"),
        ("/a//b", "/a//b/"),
        ("/a%2Fb", "/a/b/"),
        ("/a%2fb", "/a/b/"),
        ("/%61", "/a/"),
        ("/a b", "/a%20b/"),
        ("/a+b", "/a%2Bb/"),
        ("/a~b", "/a~b/"),
        ("/a%7eb", "/a~b/"),
        ("/%zz", "/%25zz/"),
        ("/100%", "/100%25/"),
        ("/é", "/%C3%A9/"),
        ("/%C3%A9", "/%C3%A9/"),
        ("/%FF", "/%EF%BF%BD/"),
        ("/a\n", "/a%0A/"),
        ("/a/../b", "/a/../b/"),
    ],
)
def test_canonical_path(path: str, canonical: str) -> None:
    """A path is un-quoted, quoted in the one agreed way, and ends in a slash."""
    assert _line(replace(PLAIN, path=path), 1) == canonical


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ((), ""),
        ((("limit", ""),), "limit="),
        ((("b", "1"), ("F", "2")), "F=2&b=1"),
        ((("a", "2"), ("a", "10"), ("a", "")), "a=&a=10&a=2"),
        ((("a:", "1"), ("a-", "2")), "a-=2&a%3A=1"),
        ((("a", "~"), ("a", "é")), "a=~&a=%C3%A9"),
        ((("a", "1"), ("a", "1")), "a=1&a=1"),
        ((("a/b", "x+y z"),), "a%2Fb=x%2By%20z"),
    ],
)
def test_canonical_query(query: tuple[tuple[str, str], ...], canonical: str) -> None:
    """A query is sorted as decoded pairs, before it is encoded."""
    assert _line(replace(PLAIN, query=query), 2) == canonical


def test_header_values_are_trimmed_but_kept_inside() -> None:
    """Blanks around a header value do not count, blanks inside do; names lose their case."""
    request = replace(PLAIN, headers={"X-SDK-Date": " d\t", "hOST": "a  b "})
    assert signing.canonical_request(request).split("\n")[3:7] == [
        "host:a  b",
        "x-sdk-date:d",
        "",
        "host;x-sdk-date",
    ]


def test_a_header_given_twice_is_refused() -> None:
    """Two names that differ only in case are refused, since nobody could say which value was signed."""
    with pytest.raises(ValueError, match="same name"):
        signing.canonical_request(replace(PLAIN, headers={"Host": "a", "host": "b"}))


EMPTY_HASH = sha256(b"").hexdigest()
BODY_HASH = sha256(b"{}").hexdigest()


@pytest.mark.parametrize(
    ("body", "content_hash", "expected"),
    [
        (b"", None, EMPTY_HASH),
        (b"{}", None, BODY_HASH),
        (b"{}", "UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD"),
        (b"{}", " UNSIGNED-PAYLOAD ", "UNSIGNED-PAYLOAD"),
        (b"{}", " ", BODY_HASH),
        (b"", "UNSIGNED-PAYLOAD", EMPTY_HASH),
    ],
)
def test_body_hash(body: bytes, content_hash: str | None, expected: str) -> None:
    """The body's hash is the last line, unless a signed content hash header speaks for a body that is there."""
    headers = dict(PLAIN.headers)
    if content_hash is not None:
        headers["x-SDK-content-sha256"] = content_hash
    assert _line(replace(PLAIN, headers=headers, body=body), -1) == expected


def test_printing_a_request_shows_no_token_and_no_body() -> None:
    """Neither a security token nor user data appears when a request or a parsed header is printed."""
    request = replace(PLAIN, headers={"X-Security-Token": "tok-secret"}, body=b"user-data")
    printed = repr(request) + repr(ParsedAuthorization("AK", ("host",), SIGNATURE))
    assert not any(secret in printed for secret in ("tok-secret", "user-data", SIGNATURE))


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001 - as above
    )
)
def test_a_date_survives_the_way_there_and_back(moment: datetime) -> None:
    """Any aware moment, written and read again, is the same moment in UTC without its fraction."""
    read = signing.parse_date(signing.format_date(moment))
    assert read == moment.replace(microsecond=0)
    assert read.tzinfo is UTC


def test_a_date_is_written_in_utc() -> None:
    """A moment east of Greenwich is written as its UTC time."""
    moment = datetime(2019, 11, 15, 11, 36, 55, 999_999, tzinfo=timezone(timedelta(hours=8)))
    assert signing.format_date(moment) == "20191115T033655Z"


def test_a_naive_date_is_refused() -> None:
    """A moment without a time zone is refused, not guessed."""
    with pytest.raises(ValueError, match="time zone"):
        signing.format_date(datetime(2019, 11, 15))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize("text", DATE_FORMS)
def test_any_other_form_of_a_date_is_refused(text: str) -> None:
    """Only the one form of a real moment is read."""
    with pytest.raises(ValueError, match=r"signing date|must be in|out of range"):
        signing.parse_date(text)


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("", ()),
        ("a", (("a", ""),)),
        ("a=", (("a", ""),)),
        ("=1", (("", "1"),)),
        ("a=1&&a=1", (("a", "1"), ("a", "1"))),
        ("a=b=c", (("a", "b=c"),)),
        ("a=x+y%20z%2B", (("a", "x y z+"),)),
        ("a;b=1", (("a;b", "1"),)),
        ("a=%C3%A9%FF", (("a", "é\ufffd"),)),
    ],
)
def test_parse_query(raw: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """A query is decoded as forms are, keeping order, repeats and empty values."""
    assert signing.parse_query(raw) == pairs


@given(st.lists(st.tuples(st.text(), st.text())))
def test_a_query_survives_the_way_there_and_back(pairs: list[tuple[str, str]]) -> None:
    """Whatever pairs are encoded for a URL come back as they were."""
    assert signing.parse_query(urlencode(pairs)) == tuple(pairs)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic dXNlcjpwYXNz",
        WELL_FORMED.replace("SDK-HMAC-SHA256", "SDK-HMAC-SM3"),
        WELL_FORMED.replace("SDK-HMAC-SHA256 ", "SDK-HMAC-SHA256, "),
        WELL_FORMED.replace("Access=AK", "Access="),
        WELL_FORMED.replace("Access=AK", "Credential=AK/20250815/eu/css/sdk_request"),
        WELL_FORMED.replace("host;x-sdk-date", ""),
        WELL_FORMED.replace("host;x-sdk-date", "host;;x-sdk-date"),
        WELL_FORMED.replace("host;x-sdk-date", "host; x-sdk-date"),
        WELL_FORMED.replace(SIGNATURE, SIGNATURE[:-1]),
        WELL_FORMED.replace(SIGNATURE, SIGNATURE.upper()),
        WELL_FORMED.replace(", Signature", ",Signature"),
        WELL_FORMED + "\n",
        WELL_FORMED + ", More=1",
    ],
)
def test_a_malformed_authorization_is_refused_without_being_repeated(text: str) -> None:
    """Any other form is refused, and the message does not carry the credentials it was given."""
    with pytest.raises(ValueError, match="expected: SDK-HMAC-SHA256") as caught:
        signing.parse_authorization(text)
    assert not text or text not in str(caught.value)
    assert "dXNlcjpwYXNz" not in str(caught.value)
