"""
The signature CSS asks for: SDK-HMAC-SHA256, step by step.

Theory of operation
-------------------
1. The *canonical request* writes the request down in one agreed way, so that both ends hash the same text.
2. The *string to sign* binds its hash to a date.
3. The *signature* is the HMAC of that string. The key is the secret key itself.
4. The *authorization* header names the access key, the signed headers and the signature.

Facts that surprise:

* The canonical path always ends in a slash, even when the path sent does not.
* The path is un-quoted and quoted again. ``%2F`` and ``/`` are therefore the same to the signature.
* Bytes of a path or query that are no UTF-8 count as U+FFFD, so two such requests may share a signature.
* The query is sorted *before* it is encoded. Sorting afterwards would give another order when a name or
  value holds a character that is encoded: ``a-`` comes before ``a:``, but ``a%3A`` before ``a-``. The guide
  sorts names by character code and leaves open at which stage. The official SDK sorts decoded pairs,
  and so does this module.
* A signed ``X-Sdk-Content-Sha256`` takes the place of the body's hash, except for an empty body.

No clock is read here. The caller brings the date.

Source: API Request Signing Guide, "Constructing a Standard Request", 2025-06-25; huaweicloudsdkcore 3.1.219.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ALGORITHM",
    "CONTENT_HASH_HEADER",
    "DATE_HEADER",
    "PROJECT_HEADER",
    "TOKEN_HEADER",
    "ParsedAuthorization",
    "SignableRequest",
    "authorization",
    "authorization_header",
    "canonical_request",
    "format_date",
    "parse_authorization",
    "parse_date",
    "parse_query",
    "sign",
    "signed_header_names",
    "string_to_sign",
]

ALGORITHM = "SDK-HMAC-SHA256"
DATE_HEADER = "X-Sdk-Date"
CONTENT_HASH_HEADER = "X-Sdk-Content-Sha256"
TOKEN_HEADER = "X-Security-Token"  # noqa: S105 - the name of a header, not a secret
PROJECT_HEADER = "X-Project-Id"

_EMPTY_BODY_HASH = sha256(b"").hexdigest()
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]*")
_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=([^\s,]+), "
    rf"SignedHeaders=({_HEADER_NAME}(?:;{_HEADER_NAME})*), "
    r"Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class SignableRequest:
    """
    What of a request is signed.

    Headers and body stay out of the ``repr``: they may carry a security token or user data.

    :param method: HTTP method, any case.
    :param path: Path as on the wire; percent-escapes are allowed. Empty means ``/``.
    :param query: Decoded name and value pairs in any order. Names may repeat, values may be empty.
    :param headers: Exactly the headers that are signed. Names may have any case but must differ without it.
    :param body: The bytes sent.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class ParsedAuthorization:
    """
    The three parts of an Authorization header. The signature stays out of the ``repr``.

    :param access_key: Names the secret key to check with.
    :param signed_headers: Header names in the order they were sent.
    :param signature: 64 lower-case hexadecimal digits.
    """

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str = field(repr=False)


def format_date(moment: datetime) -> str:
    """
    Return ``moment`` as CSS writes it in ``X-Sdk-Date``, for example ``20191115T033655Z``.

    :param moment: Aware, any time zone. Fractions of a second are cut off.
    :raises ValueError: if ``moment`` is naive.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"a date to sign needs a time zone, got the naive {moment.isoformat()}")
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    # strftime("%Y") does not pad years below 1000 everywhere; isoformat always does.
    return utc.isoformat(timespec="seconds").replace("-", "").replace(":", "") + "Z"


def parse_date(text: str) -> datetime:
    """
    Return the moment an ``X-Sdk-Date`` stands for, aware and in UTC.

    :param text: For example ``20191115T033655Z``. No other form is accepted.
    :raises ValueError: if the text has another form or names no real moment.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a signing date; expected a form like 20191115T033655Z")
    year, month, day, hour, minute, second = map(int, match.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def parse_query(raw: str) -> tuple[tuple[str, str], ...]:
    """
    Return the decoded pairs of a query string, in the order sent.

    ``+`` is a space, ``name`` is ``name=``, and empty pieces are dropped.

    :param raw: What follows the ``?``, without it.
    """
    return tuple(parse_qsl(raw, keep_blank_values=True))


def signed_header_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return header names as the signature lists them: lower case and sorted."""
    return tuple(sorted([name.lower() for name in names]))


def canonical_request(request: SignableRequest) -> str:
    """
    Return the one text that stands for ``request``: six parts, joined by newlines.

    :raises ValueError: if two header names differ only in case.
    """
    headers = {name.lower(): value.strip() for name, value in request.headers.items()}
    if len(headers) != len(request.headers):
        raise ValueError("two signed headers have the same name; a header can be signed only once")
    names = sorted(headers)
    return "\n".join(
        (
            request.method.upper(),
            _canonical_path(request.path),
            _canonical_query(request.query),
            "".join([f"{name}:{headers[name]}\n" for name in names]),
            ";".join(names),
            _body_hash(request.body, headers),
        )
    )


def string_to_sign(canonical: str, date: str) -> str:
    """
    Return the text whose HMAC is the signature.

    :param canonical: The canonical request.
    :param date: The value of ``X-Sdk-Date``.
    """
    return f"{ALGORITHM}\n{date}\n{sha256(canonical.encode()).hexdigest()}"


def sign(secret_key: str, to_sign: str) -> str:
    """Return the signature of ``to_sign`` as 64 lower-case hexadecimal digits."""
    return hmac.digest(secret_key.encode(), to_sign.encode(), "sha256").hex()


def authorization(access_key: str, signed_headers: Iterable[str], signature: str) -> str:
    """
    Return the value of the Authorization header.

    :param access_key: Names the secret key that made the signature.
    :param signed_headers: Header names as ``signed_header_names`` gives them.
    :param signature: 64 lower-case hexadecimal digits.
    """
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={';'.join(signed_headers)}, Signature={signature}"


def authorization_header(request: SignableRequest, *, access_key: str, secret_key: str, date: str) -> str:
    """
    Return the Authorization header of ``request``: all steps at once.

    :param date: The value of ``X-Sdk-Date``. CSS accepts the request only if that header is signed too.
    :raises ValueError: if two header names differ only in case.
    """
    signature = sign(secret_key, string_to_sign(canonical_request(request), date))
    return authorization(access_key, signed_header_names(request.headers), signature)


def parse_authorization(text: str) -> ParsedAuthorization:
    """
    Return the parts of an Authorization header.

    The message of the error leaves the text out, since it may be a secret of another kind.

    :raises ValueError: if the text is not of the form ``authorization`` writes.
    """
    match = _AUTHORIZATION.fullmatch(text)
    if match is None:
        raise ValueError(f"expected: {ALGORITHM} Access=<key>, SignedHeaders=<a;b>, Signature=<64 hex digits>")
    access_key, names, signature = match.groups()
    return ParsedAuthorization(access_key, tuple(names.split(";")), signature)


def _canonical_path(path: str) -> str:
    # A slash survives both ways, so quoting the whole path equals quoting each segment.
    # Nearly every path is plain already, and asking costs a third of quoting.
    quoted = path if _PLAIN_PATH.fullmatch(path) else quote(unquote(path), safe="/")
    return quoted if quoted.endswith("/") else quoted + "/"


def _canonical_query(pairs: tuple[tuple[str, str], ...]) -> str:
    return "&".join([f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(pairs)])


def _body_hash(body: bytes, headers: Mapping[str, str]) -> str:
    if not body:
        return _EMPTY_BODY_HASH
    return headers.get(CONTENT_HASH_HEADER.lower()) or sha256(body).hexdigest()
