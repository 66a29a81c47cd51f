"""
Where keys come from: one small class for each place, all behind one protocol.

A source only fetches. Keeping keys, renewing them ahead of their end, and asking once for all who wait is the work of
the key ring. Two sources that are equal are the same place, so that they share a ring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from airflow_css.client.clock import Clock
from airflow_css.client.credentials import Credentials, credentials_from_environment
from airflow_css.protocol.errors import CssConfigError, CssReplyError
from airflow_css.protocol.sign_in import TemporaryKeys

__all__ = ["CredentialSource", "EnvironmentKeys", "FetchedKeys", "FixedKeys", "from_temporary", "where_written"]


@dataclass(frozen=True)
class FetchedKeys:
    """
    What a source hands out.

    :param credentials: The keys.
    :param expires_at: When they end, by the clock of this machine; ``None`` when nobody says.
    """

    credentials: Credentials
    expires_at: datetime | None = None


class CredentialSource(Protocol):
    """A place where keys come from. It can be compared and hashed, and printing it shows no secret."""

    @property
    def name(self) -> str:
        """The place in words, as in "the keys of ...", for example ``the environment``."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether asking costs nothing, so that it is asked each time."""
        ...

    def fetch(self, clock: Clock) -> FetchedKeys:
        """
        Return the keys that the place has now. It may block, for as long as its time-outs say.

        :param clock: The time, for those who sign.
        :raises CssError: if there are none, or the place does not answer.
        """
        ...


@dataclass(frozen=True)
class FixedKeys:
    """
    Keys that somebody wrote down.

    :param credentials: The keys.
    :param name: Where they stand, in words.
    """

    credentials: Credentials
    name: str = "the caller"
    is_local: bool = field(default=True, init=False)

    def fetch(self, clock: Clock) -> FetchedKeys:  # noqa: ARG002 - the protocol's
        """Return these keys."""
        return FetchedKeys(self.credentials)


@dataclass(frozen=True)
class EnvironmentKeys:
    """
    Keys of the environment, under the names of the official SDK. They are read anew for each request.

    :param environ: The variables.
    """

    environ: Mapping[str, str] = field(repr=False, compare=False)
    name: str = field(default="the environment", init=False)
    is_local: bool = field(default=True, init=False)

    def fetch(self, clock: Clock) -> FetchedKeys:  # noqa: ARG002 - the protocol's
        """
        Return the keys that the variables hold now.

        :raises CssConfigError: if they hold none, or half of a pair.
        """
        credentials, _ = credentials_from_environment(self.environ)
        if credentials is None:
            raise CssConfigError.of_no_keys(
                "The environment holds no keys. Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment of "
                "the workers and the triggerer"
            )
        return FetchedKeys(credentials)


_FIELDS = {
    "the connection": "login and password",
    "the environment": "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK",
}


def where_written(name: str) -> str:
    """
    Return the name of a source, with what to look at where people write keys down.

    :param name: The name, as a source has it.
    """
    return f"{name} ({_FIELDS[name]})" if name in _FIELDS else name


def from_temporary(keys: TemporaryKeys, skew: timedelta = timedelta()) -> FetchedKeys:
    """
    Return temporary keys as a source hands them out.

    Their end is told by the service's clock. On a machine whose clock is hours ahead good keys would look ended.

    :param keys: What an answer held.
    :param skew: What the service's time is ahead of this machine's. Default nothing.
    :raises CssReplyError: if a part cannot travel in a header.
    """
    try:
        credentials = Credentials(keys.access_key, keys.secret_key, keys.security_token)
    except CssConfigError as error:
        raise CssReplyError(f"The temporary keys cannot be used. {error}") from None
    try:
        return FetchedKeys(credentials, keys.expires_at - skew)
    except OverflowError:
        return FetchedKeys(credentials, keys.expires_at)
