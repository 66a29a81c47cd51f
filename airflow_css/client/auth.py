"""Signing for ``requests``: the one place where secrets, a request and the clock meet."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.auth import AuthBase

from airflow_css.protocol.signing import (
    CONTENT_HASH_HEADER,
    DATE_HEADER,
    PROJECT_HEADER,
    TOKEN_HEADER,
    SignableRequest,
    authorization_header,
    canonical_request,
    format_date,
    parse_query,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest

    from airflow_css.client.clock import Clock
    from airflow_css.client.credentials import Credentials

__all__ = ["AkSkAuth", "canonical_of"]

_AUTHORIZATION = "Authorization"
_SIGNED = ("Host", DATE_HEADER, "Content-Type", PROJECT_HEADER, TOKEN_HEADER)
# Cleared before signing, because the request may be a retry made with other keys. A content hash is
# cleared too: the gateway would believe it instead of the body.
_WRITTEN_HERE = (_AUTHORIZATION, "Host", DATE_HEADER, PROJECT_HEADER, TOKEN_HEADER, CONTENT_HASH_HEADER)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class AkSkAuth(AuthBase):
    """
    Signs each request with an access key and its secret key.

    Signed are the body, ``Host``, ``X-Sdk-Date``, ``X-Project-Id``, ``X-Security-Token`` and, when present,
    ``Content-Type``. Other headers stay unsigned, because ``requests`` or a proxy may still change them.
    ``Host`` is written from the URL: the header sent is then the header signed, whatever stands in between.

    Give it to a session or a request as ``auth``, or call it on a prepared request. A second call replaces
    what the first one wrote, so a retry is signed afresh.

    :param credentials: The keys to sign with.
    :param project_id: Sent as ``X-Project-Id``; ``None`` for calls that belong to no project.
    :param clock: Gives the date of the signature. The gateway refuses one more than 15 minutes off.

    Source: API Request Signing Guide, "Constructing a Standard Request", 2025-06-25.
    """

    def __init__(self, credentials: Credentials, project_id: str | None, clock: Clock) -> None:
        self._credentials = credentials
        self._project_id = project_id
        self._clock = clock

    def __repr__(self) -> str:
        """Return the masked credentials and the project id."""
        return f"AkSkAuth({self._credentials!r}, project_id={self._project_id!r})"

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """
        Return the same request, now with its signature.

        :param r: A request ready to be sent. A text body becomes the UTF-8 bytes that are signed.
        :raises TypeError: if the body is a file or an iterator: signing would use it up.
        :raises ValueError: if the request has no method or no URL.
        """
        if r.method is None or r.url is None:
            raise ValueError("only a request with a method and a URL can be signed; prepare it first")
        r.body = _body_bytes(r.body)
        date = format_date(self._clock.now())
        for name in _WRITTEN_HERE:
            r.headers.pop(name, None)
        r.headers.update(self._headers(r.url, date))
        r.headers[_AUTHORIZATION] = authorization_header(
            _signable(r.method, r.url, r.headers, r.body or b""),
            access_key=self._credentials.access_key,
            secret_key=self._credentials.secret_key,
            date=date,
        )
        return r

    def _headers(self, url: str, date: str) -> dict[str, str]:
        headers = {"Host": _host(url), DATE_HEADER: date}
        if self._project_id is not None:
            headers[PROJECT_HEADER] = self._project_id
        if self._credentials.security_token is not None:
            headers[TOKEN_HEADER] = self._credentials.security_token
        return headers


def canonical_of(r: PreparedRequest) -> str:
    """
    Return the text that the signature of a signed request is about. It holds the security token.

    :param r: The request, signed.
    """
    return canonical_request(_signable(r.method or "", r.url or "", r.headers, _body_bytes(r.body) or b""))


def _signable(method: str, url: str, headers: Mapping[str, str | bytes], body: bytes) -> SignableRequest:
    target = urlsplit(url)
    signed = {name: _text(headers[name]) for name in _SIGNED if name in headers}
    return SignableRequest(method, target.path, parse_query(target.query), signed, body)


def _host(url: str) -> str:
    """Return what ``http.client`` would send as ``Host`` for this URL."""
    parts = urlsplit(url)
    # urllib3 connects without the dot of an absolute name, and leaves it out of the header as well.
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    is_default_port = parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme)
    return host if is_default_port else f"{host}:{parts.port}"


def _body_bytes(body: object) -> bytes | None:
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes):
        return body
    raise TypeError(f"a body that is signed must be bytes or text, got {type(body).__name__}")


def _text(value: str | bytes) -> str:
    # requests lets callers give header values as bytes.
    return value.decode("latin-1") if isinstance(value, bytes) else value
