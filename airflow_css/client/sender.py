"""
One signed call, sent until it is answered: time-outs, and the retries that are safe.

The keys are those of the moment of each try. A 401 of any text was given by the gateway, before CSS saw the request: if
there are other keys by now, even a write is sent once more with these, and never again with the refused ones.

A read is repeated after 429, 500, 502, 503, 504 and after a broken connection. A write is repeated only after 429 and
when no connection came about, because then it was certainly not carried out. Every try is signed afresh. Whatever else
leaves the fate of a write open is raised, and decided by looking.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import LocationParseError

from airflow_css import __version__
from airflow_css.client.auth import AkSkAuth
from airflow_css.client.clock import Clock, chance
from airflow_css.client.credentials import Credentials
from airflow_css.client.endpoints import is_loopback
from airflow_css.client.key_ring import KeyRing
from airflow_css.client.refusals import Refusals
from airflow_css.client.rules import SendingRules
from airflow_css.client.skew import skewed_clock_of
from airflow_css.client.sources import FixedKeys, where_written
from airflow_css.client.transport import error_from_requests
from airflow_css.protocol.codes import sender_may_repeat
from airflow_css.protocol.errors import (
    CssApiError,
    CssAuthError,
    CssConfigError,
    CssError,
    CssTransportError,
    ErrorReply,
)
from airflow_css.protocol.wire import Call, read_reply

__all__ = ["Sender"]

T = TypeVar("T")

_HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "User-Agent": f"airflow-css/{__version__}",
    # Without it some regions explain their refusals in Chinese only.
    "X-Language": "en-us",
}


@dataclass(frozen=True)
class _Request:
    """What is sent at each try, but for the signature."""

    method: str
    url: str
    data: bytes
    query: Mapping[str, Any] | None
    rules: SendingRules


class Sender:
    """
    Sends calls to one endpoint with one set of keys.

    :param endpoint: Scheme, host and port.
    :param keys: The keys, or the ring that renews them.
    :param project_id: The project; part of every path. ``None`` for a service whose calls belong to none.
    :param rules: How patient to be.
    :param clock: Where the time comes from.
    """

    def __init__(
        self, endpoint: str, keys: Credentials | KeyRing, project_id: str | None, *, rules: SendingRules, clock: Clock
    ) -> None:
        self.endpoint = endpoint
        self.project_id = project_id
        self.rules = rules
        self.clock = clock
        self._time = skewed_clock_of(endpoint, clock)
        self._refusals = Refusals(self._time)
        self._keys = KeyRing(FixedKeys(keys), clock) if isinstance(keys, Credentials) else keys
        # A Session is not documented to be safe for several threads at once.
        self._local = threading.local()

    def __repr__(self) -> str:
        """Return the endpoint and the project, without any key."""
        return f"Sender({self.endpoint}, project_id={self.project_id})"

    def send(
        self,
        call: Call[T],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        once: bool = False,
        **segments: str,
    ) -> T:
        """
        Return what the answer holds.

        :param call: The call.
        :param body: What to send as JSON.
        :param query: The query parameters.
        :param once: Send it once and wait for at most 15 seconds, for whoever asks again anyway. Default no.
        :param segments: The path parameters besides the project.
        :raises CssError: any of the tree.
        """
        if self.project_id is not None:
            segments["project_id"] = self.project_id
        url = self.endpoint + call.path(**segments)
        began = self.clock.monotonic()
        rules = self.rules.for_one_look() if once else self.rules
        request = _Request(call.method, url, json.dumps(body).encode() if body is not None else b"", query, rules)
        for number in range(1, rules.tries + 1):
            try:
                return self._send_with_good_keys(call, request)
            except CssError as error:
                pause = self._pause_after(error, call, number)
                elapsed = self.clock.monotonic() - began
                if pause is None or number == rules.tries or elapsed + pause > self.rules.in_all_seconds:
                    raise
            self.clock.sleep(pause)
        raise AssertionError("the last try either returns or raises")

    def close(self) -> None:
        """Close this thread's connections."""
        known = self._local.__dict__.pop("session", None)
        if known is not None:
            known[0].close()

    def _send_with_good_keys(self, call: Call[T], request: _Request) -> T:
        keys = self._keys.current()
        try:
            return self._send_once(call, keys, request)
        except CssAuthError as error:
            others = self._keys.other_than(keys, error) if error.reply.status == 401 else None
            if others is None:
                raise
        return self._send_once(call, others, request)

    def _send_once(self, call: Call[T], keys: Credentials, request: _Request) -> T:
        try:
            with self._refusals.turn(keys):
                return self._send_in_turn(call, keys, request)
        except CssAuthError as error:
            if error.reply.status == 401:
                # Not where it is remembered: the same keys may stand in another place as well.
                error.keys_from = self._keys.source.name
                error.remedy = f"The keys came from {where_written(error.keys_from)}. {error.remedy}"
            raise

    def _send_in_turn(self, call: Call[T], keys: Credentials, request: _Request) -> T:
        signed_with, sent = self._time.skew, 1
        reply, failure = self._answer(call.name, keys, request)
        if reply is not None and reply.status_code == 401 and self._is_misdated(reply, signed_with):
            # A second refusal of these keys is final: too many of them lock the key.
            reply, failure = self._answer(call.name, keys, request)
            sent = 2
        if reply is None:
            # Raised here and not where it was caught: the exception below would come along, with the signed request in
            # it.
            raise failure or CssTransportError(f"{call.name} brought no answer")
        return self._read(call, keys, reply, sent)

    def _read(self, call: Call[T], keys: Credentials, reply: requests.Response, sent: int) -> T:
        if reply.status_code != 401:
            self._refusals.forget(keys)
        try:
            return read_reply(call, reply.status_code, reply.headers, reply.content)
        except CssError as error:
            clean = _scrubbed(error, keys)
            if isinstance(clean, CssAuthError) and clean.reply.status == 401:
                self._refusals.add(keys, clean, sent)
            # Without its frames: their variables hold the raw answer, which may repeat a secret.
            raise clean.with_traceback(None) from None

    def _is_misdated(self, reply: requests.Response, signed_with: timedelta) -> bool:
        return self._time.correct(reply.headers.get("Date"), signed_with=signed_with)

    def _answer(
        self, name: str, keys: Credentials, request: _Request
    ) -> tuple[requests.Response | None, CssError | None]:
        try:
            return self._exchange(keys, request), None
        except requests.RequestException as cause:
            return None, error_from_requests(cause, name, self.endpoint)
        except LocationParseError:
            # Noticed late, outside the exceptions of requests. The host of the endpoint was checked.
            return None, CssConfigError(
                f"{name} was not sent: the host of the proxy cannot be one. Check HTTPS_PROXY in the environment"
            )
        except OSError as cause:
            # A CA bundle that is not there is noticed before the connection, outside the exceptions of requests.
            return None, CssConfigError(
                f"{name} was not sent: {cause}. Check the extra 'verify' of the connection: true, false, or the path "
                "of a CA bundle on this machine, for example '/etc/ssl/certs/ca-certificates.crt'"
            )

    def _exchange(self, keys: Credentials, request: _Request) -> requests.Response:
        # Prepared by hand: what a Session looks up anew for each request (cookies, .netrc, proxies) costs as much as
        # signing ten times over, and the first two must not touch a signed request at all.
        session, settings = self._session()
        prepared = requests.PreparedRequest()
        auth = AkSkAuth(keys, self.project_id, self._time)
        prepared.prepare(
            method=request.method, url=request.url, headers=_HEADERS, data=request.data, params=request.query, auth=auth
        )
        timeout = (request.rules.connect_seconds, request.rules.read_seconds)
        # Following a redirect would send a signature to a host that nobody chose.
        return session.send(prepared, timeout=timeout, allow_redirects=False, **settings)

    def _session(self) -> tuple[requests.Session, Mapping[str, Any]]:
        known: tuple[requests.Session, Mapping[str, Any]] | None = getattr(self._local, "session", None)
        if known is None:
            session = requests.Session()
            # What runs on this machine is never behind a proxy.
            session.trust_env = not is_loopback(urlsplit(self.endpoint).hostname or "")
            known = (session, self._settings_for(session))
            self._local.session = known
        return known

    def _settings_for(self, session: requests.Session) -> Mapping[str, Any]:
        proxy = self.rules.proxy
        return session.merge_environment_settings(
            url=self.endpoint,
            # What the connection says goes before the environment, whose list of hosts without a proxy is its own.
            proxies={"http": proxy, "https": proxy} if proxy else {},
            stream=False,
            verify=self.rules.verify,
            cert=None,
        )

    def _pause_after(self, error: CssError, call: Call[Any], number: int) -> float | None:
        """Return how long to pause before the next try, ``None`` when there must be none."""
        backoff = min(2.0 ** (number - 1), self.rules.longest_pause_seconds) * (1 + chance()) / 2
        if isinstance(error, CssTransportError):
            return backoff if call.is_read or not error.request_may_have_arrived else None
        if isinstance(error, CssApiError) and sender_may_repeat(error.reply, is_read=call.is_read):
            asked = error.reply.retry_after or 0.0
            return max(backoff, min(asked, self.rules.longest_pause_seconds))
        return None


def _scrubbed(error: CssError, keys: Credentials) -> CssError:
    """Return the error without any secret that a server may have repeated."""
    clean = {key: _clean(value, keys) for key, value in error.__dict__.items()}
    error.args = tuple(_clean(value, keys) for value in error.args)
    error.__dict__.update(clean)
    return error


def _clean(value: Any, keys: Credentials) -> Any:
    if isinstance(value, str):
        return keys.scrub(value)
    if isinstance(value, ErrorReply):
        return ErrorReply(**{name: _clean(part, keys) for name, part in value.__dict__.items()})
    return value
