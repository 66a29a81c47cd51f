"""
The signature against an outside witness: the signer of the official SDK.

Its stages are private methods. They are called here all the same, because a difference in the finished signature
would not say where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_css.protocol import signing
from airflow_css.protocol.signing import SignableRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK_EXAMPLES = 1_500
HEAVY_EXAMPLES = 20_000

KEY_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
HOSTS = ["css.eu-west-101.myhuaweicloud.com", "127.0.0.1:8099", "[::1]:8099"]
CONTENT_TYPES = [
    "application/json",
    "application/json;charset=UTF-8",
    "application/bson",
    "application/x-www-form-urlencoded",
    "text/plain",
]
NAMED = {"host", "content-type", "x-sdk-date", "x-project-id", "x-security-token", "x-sdk-content-sha256"}

methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "get", "Post"])
segments = st.one_of(
    st.sampled_from(["", ".", "..", "clusters", "index_snapshots", "%", "%zz", "%2F", "%2f", "%7E", "a+b"]),
    st.uuids().map(str),
    st.text(max_size=8),
    st.binary(max_size=6).map(lambda data: "".join(f"%{byte:02x}" for byte in data)),
)
paths = st.lists(segments, max_size=6).map(lambda parts: "/" + "/".join(parts))
# Few words, so that names and pairs repeat; "a-" and "a:" change places when encoded.
words = st.one_of(st.sampled_from(["", "a", "A", "a-", "a:", "~", "é", "limit", "true", "a=b&c"]), st.text(max_size=8))
queries = st.lists(st.tuples(words, words), max_size=6).map(tuple)
bodies = st.one_of(st.just(b""), st.binary(max_size=64), st.text(max_size=32).map(str.encode))
printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
dates = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
).map(signing.format_date)
other_headers = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True).filter(lambda name: name.lower() not in NAMED),
    st.text(max_size=12),
    max_size=3,
).filter(lambda headers: len({name.lower() for name in headers}) == len(headers))


@st.composite
def _headers(draw: st.DrawFn, date: str) -> dict[str, str]:
    headers = {"Host": draw(st.sampled_from(HOSTS)), "X-Sdk-Date": date}
    optional = {
        "Content-Type": st.sampled_from(CONTENT_TYPES),
        "X-Project-Id": st.uuids().map(lambda number: number.hex),
        "X-Security-Token": printable,
        "X-Sdk-Content-Sha256": st.one_of(st.just("UNSIGNED-PAYLOAD"), printable),
    }
    for name, values in optional.items():
        if draw(st.booleans()):
            headers[name] = draw(values)
    return headers | draw(other_headers)


@dataclass(frozen=True)
class Case:
    """A request to sign, and the keys."""

    request: SignableRequest
    date: str
    access_key: str
    secret_key: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any request that could be signed, with any keys."""
    date = draw(dates)
    request = SignableRequest(draw(methods), draw(paths), draw(queries), draw(_headers(date)), draw(bodies))
    access_key = draw(st.text(KEY_CHARACTERS, min_size=1, max_size=20))
    return Case(request, date, access_key, draw(st.text(min_size=1, max_size=40)))


def _for_sdk(request: SignableRequest) -> SdkRequest:
    """Return the request as the SDK holds it. It works on its argument, so each call gets its own copy."""
    return SdkRequest(
        method=request.method,
        schema="https",
        host="not-used.example.com",
        resource_path=request.path,
        query_params=list(request.query),
        header_params=dict(request.headers),
        body=request.body,
    )


def _official_canonical_request(signer: Signer, request: SignableRequest) -> str:
    theirs = _for_sdk(request)
    names = signer._process_signed_headers(theirs)  # noqa: SLF001 - see the top of this file
    canonical: str = signer._process_canonical_request(theirs, names)  # noqa: SLF001 - as above
    return canonical


def _compare(case: Case) -> None:
    """Compare each stage, then the header."""
    signer = Signer(BasicCredentials(case.access_key, case.secret_key))
    signed = signer.sign(_for_sdk(case.request))
    # The SDK adds a content hash header for some content types. It is part of what it signs.
    added = {name: value for name, value in signed.header_params.items() if name == signing.CONTENT_HASH_HEADER}
    request = replace(case.request, headers=dict(case.request.headers) | added)

    canonical = signing.canonical_request(request)
    assert canonical == _official_canonical_request(signer, request)
    to_sign = signing.string_to_sign(canonical, case.date)
    moment = signing.parse_date(case.date)
    assert to_sign == signer._process_string_to_sign(canonical, moment)  # noqa: SLF001 - see the top of this file
    signature = signing.sign(case.secret_key, to_sign)
    assert signature == signer._sign_string_to_sign(to_sign, case.secret_key)  # noqa: SLF001 - as above
    header = signing.authorization_header(
        request, access_key=case.access_key, secret_key=case.secret_key, date=case.date
    )
    assert header == signed.header_params["Authorization"]


@settings(max_examples=QUICK_EXAMPLES)
@given(cases())
def test_every_stage_equals_the_official_signer(case: Case) -> None:
    """For any request and keys, each stage of the signature is what the official SDK computes."""
    _compare(case)


@pytest.mark.heavy
@settings(max_examples=HEAVY_EXAMPLES)
@given(cases())
def test_every_stage_equals_the_official_signer_in_many_cases(case: Case) -> None:
    """The same for a number of requests that takes a minute or two."""
    _compare(case)


@settings(max_examples=300)
@given(queries)
def test_the_query_the_official_signer_sends_is_read_as_it_was_signed(
    query: tuple[tuple[str, str], ...],
) -> None:
    """The query text the SDK puts into its URL decodes to the very pairs it signed."""
    signed = Signer(BasicCredentials("AK", "SK")).sign(
        _for_sdk(SignableRequest("GET", "/a", query, {"X-Sdk-Date": "20250815T000000Z"}))
    )
    raw_query = signed.uri.partition("?")[2]
    assert sorted(signing.parse_query(raw_query)) == sorted(query)


@dataclass(frozen=True)
class Wire:
    """A signed request as bytes, the way a server sees it."""

    method: bytes = b"POST"
    path: bytes = b"/v1.0/6204a5bd270343b5885144cf9c8c158d/clusters/4f3deec3-efa8%2D4598/a%2fb%C3%a9/x~y"
    query: bytes = b"b=x%20y&a=~*/+%c3%A9&a=1&A=&a-=2&a:=3"
    host: bytes = b"127.0.0.1:8099"
    date: bytes = b"20250815T000000Z"
    content_type: bytes = b" application/json; charset=utf-8 "
    project_id: bytes = b"6204a5bd270343b5885144cf9c8c158d"
    token: bytes = b"TOKEN=="
    body: bytes = b'{"name": "snapshot_001", "indices": "myindex1,myindex2"}'

    def request(self) -> SignableRequest:
        """Return what a server would check the signature of."""
        return SignableRequest(
            self.method.decode("latin-1"),
            self.path.decode("latin-1"),
            signing.parse_query(self.query.decode("latin-1")),
            {
                "host": self.host.decode("latin-1"),
                "x-sdk-date": self.date.decode("latin-1"),
                "content-type": self.content_type.decode("latin-1"),
                "x-project-id": self.project_id.decode("latin-1"),
                "x-security-token": self.token.decode("latin-1"),
            },
            self.body,
        )


PARTS = tuple(Wire.__dataclass_fields__)
# Every printable character, and from beyond: control characters, a lone UTF-8 lead byte and the highest byte.
REPLACEMENTS = bytes(range(0x20, 0x7F)) + b"\x00\t\n\r\x7f\x80\xa0\xc3\xff"


def _single_byte_changes(part: str) -> Iterator[Wire]:
    original: bytes = getattr(Wire(), part)
    for position, byte in enumerate(original):
        for other in REPLACEMENTS:
            if other != byte:
                changed = original[:position] + bytes([other]) + original[position + 1 :]
                yield replace(Wire(), **{part: changed})


@pytest.mark.parametrize("part", PARTS)
def test_a_changed_byte_counts_exactly_when_it_does_for_the_official_signer(part: str) -> None:
    """Whatever single byte is changed, the canonical request changes exactly when the official signer's does."""
    signer = Signer(BasicCredentials("AK", "SK"))
    ours, theirs = _canonical_both(signer, Wire())
    counted = 0
    for wire in _single_byte_changes(part):
        ours_changed, theirs_changed = _canonical_both(signer, wire)
        assert (ours_changed != ours) == (theirs_changed != theirs), wire
        counted += ours_changed != ours
    assert counted > 0


@pytest.mark.parametrize(
    "change",
    [
        {"method": b"PoST"},
        {"path": Wire.path.replace(b"%2D", b"%2d")},
        {"path": Wire.path.replace(b"%2f", b"%2F")},
        {"query": Wire.query.replace(b"%c3", b"%C3")},
        {"content_type": b"\tapplication/json; charset=utf-8 "},
    ],
)
def test_some_changed_bytes_are_equal_by_rule(change: dict[str, bytes]) -> None:
    """Case of the method and of escapes, and blanks around values, count for neither signer."""
    signer = Signer(BasicCredentials("AK", "SK"))
    assert _canonical_both(signer, replace(Wire(), **change)) == _canonical_both(signer, Wire())


def _canonical_both(signer: Signer, wire: Wire) -> tuple[str, str]:
    request = wire.request()
    return signing.canonical_request(request), _official_canonical_request(signer, request)
