"""One unsigned question to a place that hands out keys: bounded in time and in size, and never through a proxy."""

from __future__ import annotations

import threading
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


@dataclass(frozen=True, repr=False)
class _Question:
    """What is sent, and the seconds to wait for a connection and for an answer."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    seconds: tuple[float, float]


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
    outcome: list[PlainAnswer | CssTransportError] = []

    def ask() -> None:
        outcome.append(_asked(_Question(method, url, dict(headers), body, (connect_seconds, read_seconds)), whom))

    # In a thread that can be left behind: looking up a name, and headers that dribble in, know no time-out.
    asker = threading.Thread(target=ask, name="ask-for-keys", daemon=True)
    asker.start()
    in_all_seconds = connect_seconds + 2 * read_seconds
    asker.join(in_all_seconds)
    late = CssTransportError(f"{whom} takes more than {in_all_seconds:g} seconds to answer")
    answer = outcome[0] if outcome else late
    if isinstance(answer, CssTransportError):
        # Without its frames: their variables hold what came of the answer.
        raise answer.with_traceback(None)
    return answer


def _asked(question: _Question, whom: str) -> PlainAnswer | CssTransportError:
    import requests
    from urllib3.exceptions import LocationParseError

    from airflow_css.client.transport import never_left

    try:
        with requests.Session() as session:
            # A proxy or a .netrc must neither see keys nor be asked for those of this machine.
            session.trust_env = False
            answer = session.request(
                question.method,
                question.url,
                headers=question.headers,
                data=question.body,
                timeout=question.seconds,
                allow_redirects=False,
                stream=True,
            )
            return PlainAnswer(
                answer.status_code, _whole(answer, question.seconds[1], whom), answer.headers.get("Date", "")
            )
    except CssTransportError as error:
        return error
    except LocationParseError:
        # A host name that cannot be one is noticed late, outside the exceptions of requests.
        return CssTransportError(f"{whom} has no address that can be asked", request_may_have_arrived=False)
    except requests.RequestException as cause:
        kind, has_left = type(cause).__name__, not never_left(cause)
        return CssTransportError(f"{whom} does not answer ({kind})", request_may_have_arrived=has_left)


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
