"""
One request, sent once, with everything that can be seen of it: for finding out what is wrong.

The client's own calls go through the sender, which repeats, translates and cleans. Here nothing is repeated, an answer
is kept as it came, and a failure is named by the step at which it happened.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy
from urllib3.exceptions import LocationParseError, NameResolutionError, ProtocolError, ReadTimeoutError

from airflow_css.client.auth import AkSkAuth, canonical_of
from airflow_css.client.clock import Clock
from airflow_css.client.endpoints import is_loopback
from airflow_css.client.rules import SendingRules
from airflow_css.client.skew import server_time
from airflow_css.client.transport import causes

__all__ = ["Obstacle", "Visit", "obstacle_of", "visit"]

_LONGEST_SECONDS = 15.0


class Obstacle(StrEnum):
    """The step at which a request failed."""

    NONE = ""
    PROXY = "proxy"
    NAME = "dns"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    ENCRYPTION = "encryption"
    SETTING = "setting"
    ANSWER = "answer"


# The first that is found anywhere below an exception decides, so what happens first on the way stands first.
_KINDS: tuple[tuple[tuple[type[BaseException], ...], Obstacle], ...] = (
    # The host of an endpoint was checked, so one that cannot be a name is that of a proxy.
    ((requests.exceptions.ProxyError, LocationParseError), Obstacle.PROXY),
    ((ssl.SSLCertVerificationError,), Obstacle.CERTIFICATE),
    ((ssl.SSLError, requests.exceptions.SSLError), Obstacle.ENCRYPTION),
    ((NameResolutionError, socket.gaierror), Obstacle.NAME),
    ((ProtocolError, ReadTimeoutError), Obstacle.ANSWER),
    ((requests.exceptions.ConnectionError,), Obstacle.CONNECTION),
    ((requests.RequestException,), Obstacle.ANSWER),
)


@dataclass(frozen=True)
class Visit:
    """
    What came of one request. Body and signed text stay out of the ``repr``: they may hold the security token.

    :param obstacle: Where it failed; none when an answer came.
    :param detail: The words of the layer that failed.
    :param proxy: The proxy it went through, without its user; empty for none.
    :param status: HTTP status; 0 without an answer.
    :param headers: The headers of the answer.
    :param body: The body of the answer.
    :param canonical: The text that was signed; empty when nothing was.
    :param skew: The service's time less this machine's; ``None`` when the answer did not tell.
    """

    obstacle: Obstacle = Obstacle.NONE
    detail: str = ""
    proxy: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    canonical: str = field(default="", repr=False)
    skew: timedelta | None = None


def visit(
    url: str,
    *,
    rules: SendingRules,
    clock: Clock,
    auth: AkSkAuth | None = None,
    query: Mapping[str, int] | None = None,
) -> Visit:
    """
    Return what came of one GET; it waits for at most 15 seconds for each part of the answer.

    :param url: Where to, as ``check_endpoint`` returned it, and a path.
    :param rules: Time-outs and TLS of the connection.
    :param clock: The clock of this machine.
    :param auth: Signs it; ``None`` sends it unsigned, which no key is locked for.
    :param query: The query parameters.
    """
    with requests.Session() as session:
        session.trust_env = not is_loopback(urlsplit(url).hostname or "")
        prepared = requests.PreparedRequest()
        prepared.prepare(method="GET", url=url, headers={"Accept": "application/json"}, params=query, auth=auth)
        proxies = {"http": rules.proxy, "https": rules.proxy} if rules.proxy else {}
        settings = session.merge_environment_settings(url, proxies, stream=False, verify=rules.verify, cert=None)
        proxy = _without_user(select_proxy(url, settings["proxies"]) or "")
        timeout = (min(rules.connect_seconds, _LONGEST_SECONDS), min(rules.read_seconds, _LONGEST_SECONDS))
        try:
            reply = session.send(prepared, timeout=timeout, allow_redirects=False, **settings)
        except (requests.RequestException, LocationParseError, OSError) as error:
            return Visit(obstacle_of(error), _words(error), proxy)
        date = server_time(reply.headers.get("Date"))
        return Visit(
            proxy=proxy,
            status=reply.status_code,
            headers=dict(reply.headers),
            body=reply.content,
            canonical=canonical_of(prepared) if auth else "",
            skew=date - clock.now() if date else None,
        )


def obstacle_of(error: BaseException) -> Obstacle:
    """
    Return the step at which a request failed.

    :param error: What ``requests`` raised. It wraps what happened several times, and often as text only.
    """
    below = tuple(causes(error))
    found = (kind for kinds, kind in _KINDS if any(isinstance(cause, kinds) for cause in below))
    # What is no exception of requests is a CA bundle that is not there.
    return next(found, Obstacle.SETTING)


def _words(error: BaseException) -> str:
    """Return the plainest words for a failure: those of the innermost layer, without addresses of objects."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
        if isinstance(cause, ssl.SSLError):
            return str(cause.reason or cause)
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return str(cause.strerror)
    return "no answer in time" if isinstance(error, requests.Timeout) else type(error).__name__


def _without_user(proxy: str) -> str:
    return proxy.rpartition("@")[2].rpartition("//")[2]
