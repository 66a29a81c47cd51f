"""
What a failure below HTTP means: every exception of ``requests`` becomes one of ours.

The question that matters is whether the request may have arrived, because then a write may have had its effect.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from requests import exceptions
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from airflow_css.protocol.errors import CssConfigError, CssError, CssReplyError, CssTransportError

__all__ = ["causes", "error_from_requests", "never_left"]

# Raised while the request is put together, because the address or a header cannot be used.
_UNUSABLE = (
    exceptions.InvalidURL,
    exceptions.MissingSchema,
    exceptions.InvalidSchema,
    exceptions.URLRequired,
    exceptions.InvalidHeader,
    exceptions.UnrewindableBodyError,
)
# Raised over an answer that came, but not as HTTP promises.
_UNREADABLE = (
    exceptions.InvalidJSONError,
    exceptions.HTTPError,
    exceptions.TooManyRedirects,
    exceptions.StreamConsumedError,
)


def error_from_requests(error: exceptions.RequestException, call: str, endpoint: str) -> CssError:
    """
    Return the error of ours that an exception of ``requests`` means.

    :param error: What was raised.
    :param call: Name of the call.
    :param endpoint: Where it was sent.
    """
    kind = type(error).__name__
    if isinstance(error, _UNUSABLE):
        return CssConfigError(f"{call} could not be sent to {endpoint} ({kind}). Check host and keys of the connection")
    if isinstance(error, _UNREADABLE):
        return CssReplyError(f"{call} was answered by {endpoint} in a way that cannot be read ({kind})")
    if isinstance(error, exceptions.SSLError) and _is_certificate(error):
        return CssTransportError(
            f"{call} was not sent: the certificate of {endpoint} is not trusted. Set 'verify' in the connection's "
            "extra to the path of the right CA bundle",
            request_may_have_arrived=False,
        )
    if never_left(error):
        return CssTransportError(
            f"{call} was not sent: no connection to {endpoint} ({kind}). Check host, region, proxy and network of "
            "this machine",
            request_may_have_arrived=False,
        )
    return CssTransportError(
        f"{call} was sent to {endpoint} but no whole answer came ({kind}). It may have had its effect; the next try "
        "looks first"
    )


def never_left(error: exceptions.RequestException) -> bool:
    """
    Return whether no connection came about, so that nothing was sent.

    :param error: What was raised.
    """
    return isinstance(error, exceptions.ConnectTimeout) or any(
        isinstance(cause, NewConnectionError | ConnectTimeoutError) for cause in causes(error)
    )


def _is_certificate(error: exceptions.RequestException) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """
    Yield an exception and what lies under it; urllib3 wraps by argument and by ``reason``, not only by cause.

    :param error: What was raised.
    """
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        below = (*current.args, getattr(current, "reason", None), current.__cause__, current.__context__)
        waiting.extend(cause for cause in below if isinstance(cause, BaseException))
