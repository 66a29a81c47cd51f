"""One unsigned question to a place that hands out keys: bounded in time and in size, and never through a proxy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_css.protocol.errors import CssTransportError

__all__ = ["PlainAnswer", "ask_plainly"]

# Answers hold a few thousand characters; anything longer is none.
MOST_BYTES = 65_536


@dataclass(frozen=True, repr=False)
class PlainAnswer:
    """
    An answer. Printing it shows nothing of the body, which may hold keys.

    :param status: HTTP status.
    :param body: The body as it came.
    :param date: The header ``Date``; empty when there was none.
    """

    status: int
    body: bytes
    date: str = ""

    def __repr__(self) -> str:
        """Return the status."""
        return f"PlainAnswer({self.status})"


def ask_plainly(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    whom: str,
    body: bytes | None = None,
    connect_seconds: float,
    read_seconds: float,
) -> PlainAnswer:
    """
    Return the answer to one question, which is not repeated.

    :param method: The HTTP method.
    :param url: Where to.
    :param headers: The headers.
    :param whom: Who is asked, in words.
    :param body: The body; ``None`` for none.
    :param connect_seconds: Seconds to wait for a connection.
    :param read_seconds: Seconds to wait for the answer, and again for the whole of it.
    :raises CssTransportError: if no whole answer came in time; ``request_may_have_arrived`` tells whether a connection
        came about.
    """
    import requests

    from airflow_css.client.transport import never_left

    failure: CssTransportError
    try:
        with requests.Session() as session:
            # A proxy or a .netrc must neither see keys nor be asked for those of this machine.
            session.trust_env = False
            answer = session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                timeout=(connect_seconds, read_seconds),
                allow_redirects=False,
                stream=True,
            )
            return PlainAnswer(answer.status_code, _whole(answer, read_seconds, whom), answer.headers.get("Date", ""))
    except requests.RequestException as cause:
        kind, has_left = type(cause).__name__, not never_left(cause)
        failure = CssTransportError(f"{whom} does not answer ({kind})", request_may_have_arrived=has_left)
    # Raised here and not where it was caught: the exception below would come along, with the request in it.
    raise failure


def _whole(answer: object, read_seconds: float, whom: str) -> bytes:
    deadline = time.monotonic() + read_seconds
    body = bytearray()
    # Byte by byte: a longer piece could be waited for as often as it has bytes.
    for piece in answer.iter_content(1):  # type: ignore[attr-defined] # requests is not loaded by whoever imports this
        body += piece
        if len(body) > MOST_BYTES:
            raise CssTransportError(f"{whom} answers with more than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            raise CssTransportError(f"{whom} takes more than {read_seconds:g} seconds to finish its answer")
    return bytes(body)
