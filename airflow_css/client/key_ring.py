"""
The keys in use: kept, renewed ahead of their end, and asked for once for all who wait.

Theory of operation. Everybody who signs asks the ring for the keys of this moment. While they are far from their end,
that is all. Near the end the first one who asks renews them; whoever comes meanwhile goes on with the keys that are
still good, or waits for that one renewal when they are not. A source that is down costs a warning, as long as the
present keys live. After a refusal (401) the source is asked once more; the same keys again mean that there are no
others.

Rings of sources that cost something are kept for the whole process, so that all threads and event loops share them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_css.client.clock import Clock
from airflow_css.client.credentials import Credentials
from airflow_css.client.shared import Shared, shared_by_process
from airflow_css.client.sources import CredentialSource, FetchedKeys
from airflow_css.protocol.errors import CssAuthError, CssError, CssReplyError, CssTransportError

__all__ = ["RINGS", "KeyRing", "ring_of"]

_log = logging.getLogger(__name__)

RENEW_AHEAD = timedelta(minutes=10)
"""
How long before their end keys are renewed.

Source: Terraform provider huaweicloud renews keys of the metadata service ten minutes ahead, read 2026-11-23.
"""
SHARE_AHEAD = 0.25
"""Keys that live shorter are renewed when this share of their life is left. Assumed: enough for one failed renewal."""
LONGEST_PAUSE = timedelta(seconds=60)
"""The longest time between two renewals while the present keys live."""
REFUSED_FOR = timedelta(minutes=10)
"""How long a source that refused is not asked again: more than five refusals lock a key for five minutes."""
MOST_RINGS = 64


def _tell_nobody(_secret: str) -> None:
    return


class _Renewal:
    """One question to a source, for all who wait for its answer."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: CssError | None = None


@dataclass
class _Refused:
    """Keys that the service refused, what it said, how long it is remembered, and when the source is asked again."""

    keys: Credentials
    refusal: CssAuthError
    until: datetime
    ask_again: datetime


class KeyRing:
    """
    The keys of one source. It can be shared by threads; printing it shows no secret.

    :param source: Where they come from.
    :param clock: Where the time comes from.
    :param keep_secret: Is told each secret key and token as soon as it is known. Default nobody is.
    """

    longest_wait_seconds: float = 30.0
    """How long somebody without keys waits for another's renewal. A subclass may be less patient, for tests."""

    def __init__(
        self, source: CredentialSource, clock: Clock, keep_secret: Callable[[str], object] = _tell_nobody
    ) -> None:
        self.source = source
        self._clock = clock
        self._keep_secret = keep_secret
        self._lock = threading.Lock()
        self._held: FetchedKeys | None = None
        self._renew_at: datetime | None = None
        self._under_way: _Renewal | None = None
        self._refused: _Refused | None = None
        self._source_refuses: tuple[CssAuthError, datetime] | None = None

    def __repr__(self) -> str:
        """Return the source."""
        return f"KeyRing({self.source!r})"

    def __eq__(self, other: object) -> bool:
        """Return whether it holds the keys of the same source."""
        return isinstance(other, KeyRing) and self.source == other.source

    def __hash__(self) -> int:
        """Return what equal rings share."""
        return hash(self.source)

    def current(self) -> Credentials:
        """
        Return keys that are good now, renewed if they are near their end.

        :raises CssAuthError: if the source has no others than those that were refused; the refusal.
        :raises CssError: if there are none, or the source does not answer and the last keys have ended.
        """
        if self.source.is_local:
            return self._take(self.source.fetch(self._clock)).credentials
        keys = self._at_hand()
        if keys is None:
            raise self._refusal_again()
        return keys

    def other_than(self, refused: Credentials, refusal: CssAuthError) -> Credentials | None:
        """
        Return keys other than some that were refused, or ``None`` when the source has no others.

        The source is asked once, however many were refused with the same keys; these are not handed out again.

        :param refused: The keys that a request was signed with.
        :param refusal: What the service said.
        :raises CssError: if the source does not answer.
        """
        if self.source.is_local:
            now_there = self.current()
            return now_there if now_there != refused else None
        with self._lock:
            held = self._held
            if held is not None and held.credentials == refused and self._refusal_of(held) is None:
                now = self._clock.now()
                self._refused = _Refused(refused, copy(refusal), until=now + REFUSED_FOR, ask_again=now)
        return self._at_hand()

    def _at_hand(self) -> Credentials | None:
        """Return good keys, renewed if need be; ``None`` when there are only refused ones."""
        with self._lock:
            now, held = self._clock.now(), self._living()
            refused = self._refusal_of(held)
            is_good = held is not None and refused is None
            if held is not None and is_good and (self._renew_at is None or now < self._renew_at):
                return held.credentials
            if refused is not None and self._under_way is None and now < refused.ask_again:
                return None
            renewal, is_mine = self._join()
            if refused is not None and is_mine:
                refused.ask_again = now + LONGEST_PAUSE
        if held is not None and is_good and not is_mine:
            return held.credentials
        return self._after(renewal, is_mine=is_mine)

    def _refusal_of(self, held: FetchedKeys | None) -> _Refused | None:
        refused = self._refused
        if held is None or refused is None or refused.keys != held.credentials or self._clock.now() >= refused.until:
            return None
        return refused

    def _living(self) -> FetchedKeys | None:
        held = self._held
        return held if held is not None and _lives(held, self._clock.now()) else None

    def _join(self) -> tuple[_Renewal, bool]:
        """Return the renewal that is under way, or a new one, and whether it is for the caller to carry out."""
        if self._under_way is not None:
            return self._under_way, False
        self._under_way = _Renewal()
        return self._under_way, True

    def _after(self, renewal: _Renewal, *, is_mine: bool) -> Credentials | None:
        if is_mine:
            self._carry_out(renewal)
        elif not renewal.done.wait(self.longest_wait_seconds):
            self._give_up(renewal)
            raise CssTransportError(
                f"No answer came from {self.source.name} within {self.longest_wait_seconds:g} seconds",
                request_may_have_arrived=False,
            )
        with self._lock:
            held = self._living()
            is_refused = self._refusal_of(held) is not None
        if held is not None and not is_refused:
            return held.credentials
        if renewal.error is not None:
            # A copy, because many may raise it, and each would add its frames.
            raise copy(renewal.error)
        if is_refused:
            return None
        raise self._ended_already()

    def _carry_out(self, renewal: _Renewal) -> None:
        try:
            self._take(self._fetch())
        except CssError as error:
            renewal.error = copy(error)
            self._postpone(error)
        finally:
            self._give_up(renewal)
            renewal.done.set()

    def _give_up(self, renewal: _Renewal) -> None:
        # Whoever carries it out may have been stopped by a signal before it began. The next one asks anew.
        with self._lock:
            if self._under_way is renewal:
                self._under_way = None

    def _fetch(self) -> FetchedKeys:
        if self._source_refuses is not None:
            error, until = self._source_refuses
            if self._clock.now() < until:
                raise copy(error)
        try:
            fetched = self.source.fetch(self._clock)
        except CssAuthError as error:
            if error.reply.status == 401:
                self._source_refuses = copy(error), self._clock.now() + REFUSED_FOR
            raise
        self._source_refuses = None
        if not _lives(fetched, self._clock.now()):
            raise self._ended_already()
        return fetched

    def _take(self, fetched: FetchedKeys) -> FetchedKeys:
        held = self._held
        if held is None or held.credentials != fetched.credentials:
            for secret in (fetched.credentials.secret_key, fetched.credentials.security_token):
                if secret:
                    self._keep_secret(secret)
        with self._lock:
            self._held = fetched
            self._renew_at = self._when_to_renew(fetched)
        return fetched

    def _when_to_renew(self, fetched: FetchedKeys) -> datetime | None:
        if fetched.expires_at is None:
            return None
        now = self._clock.now()
        left = fetched.expires_at - now
        # A source may hand out the same keys until just before their end; it must not be asked at every request.
        return max(fetched.expires_at - min(RENEW_AHEAD, left * SHARE_AHEAD), now + min(LONGEST_PAUSE, left / 10))

    def _postpone(self, error: CssError) -> None:
        with self._lock:
            held = self._living()
            if held is None or held.expires_at is None or self._refusal_of(held) is not None:
                return
            now = self._clock.now()
            self._renew_at = now + min(LONGEST_PAUSE, (held.expires_at - now) / 4)
        _log.warning(
            "The keys of %s could not be renewed; the present ones are used until %s. %s",
            self.source.name,
            held.expires_at.strftime("%H:%M:%S UTC"),
            error,
        )

    def _refusal_again(self) -> CssError:
        refused = self._refused
        return copy(refused.refusal) if refused is not None else self._ended_already()

    def _ended_already(self) -> CssReplyError:
        return CssReplyError(
            f"The keys that came from {self.source.name} have ended already. Check the clock of this machine; if it is "
            "right, they are renewed soon"
        )


RINGS: Shared[CredentialSource, KeyRing] = shared_by_process(MOST_RINGS)
"""The rings of sources that cost something."""


def ring_of(source: CredentialSource, clock: Clock, keep_secret: Callable[[str], object] = _tell_nobody) -> KeyRing:
    """
    Return the ring of a source: the same one for the whole process, unless asking the source costs nothing.

    :param source: The source.
    :param clock: Where a new ring gets its time from.
    :param keep_secret: Is told each secret key and token of a new ring as soon as it is known.
    """
    if source.is_local:
        return KeyRing(source, clock, keep_secret)
    return RINGS.get(source, lambda: KeyRing(source, clock, keep_secret))


def _lives(keys: FetchedKeys, now: datetime) -> bool:
    return keys.expires_at is None or now < keys.expires_at
