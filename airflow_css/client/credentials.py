"""Access keys: what they are made of, how they stay out of texts, and how the environment names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_css.protocol.errors import CssConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROJECT_ID_VARIABLE", "Credentials", "credentials_from_environment"]

# What can stand in a header as it is. A comma would also end the access key inside the Authorization header.
_SENDABLE = re.compile(r"[!-+\--~]+")
_MASK = "***"
_ACCESS_KEY = "HUAWEICLOUD_SDK_AK"
_SECRET_KEY = "HUAWEICLOUD_SDK_SK"  # noqa: S105 - the name of a variable, not a secret
_SECURITY_TOKEN = "HUAWEICLOUD_SDK_SECURITY_TOKEN"  # noqa: S105 - the name of a variable, not a secret
PROJECT_ID_VARIABLE = "HUAWEICLOUD_SDK_PROJECT_ID"


@dataclass(frozen=True, repr=False)
class Credentials:
    """
    A key pair that signs requests. Printing it never shows the secret parts.

    :param access_key: The public half (AK). It travels with every request.
    :param secret_key: The secret half (SK). It never travels.
    :param security_token: Comes with temporary keys only. It travels, and is a secret all the same.
    :raises CssConfigError: if a part is empty, or one that travels cannot stand in a header.
    """

    access_key: str
    secret_key: str
    security_token: str | None = None

    def __post_init__(self) -> None:
        """Refuse keys that could never work, before a lower layer prints them in an error of its own."""
        if not self.secret_key:
            raise CssConfigError("The secret key is empty. Give the secret key (SK) that belongs to the access key.")
        # Half a character cannot be signed with, and Python's own error would carry the key.
        if any("\ud800" <= sign <= "\udfff" for sign in self.secret_key):
            raise CssConfigError("The secret key holds half a character. Copy the secret key (SK) again.")
        _refuse_unsendable("access key", self.access_key)
        if self.security_token is not None:
            _refuse_unsendable("security token", self.security_token)

    def __repr__(self) -> str:
        """Return the class and the first four characters of the access key."""
        return f"Credentials({self.access_key[:4]}{_MASK})"

    def scrub(self, text: str) -> str:
        """
        Return ``text`` with every occurrence of the secret key and the token replaced by ``***``.

        :param text: Anything about to be shown, for example an answer that repeats what it was sent.
        """
        secrets = [secret for secret in (self.secret_key, self.security_token) if secret]
        # The longer one first: if one secret contains the other, nothing of it may stay behind.
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text


def credentials_from_environment(environ: Mapping[str, str]) -> tuple[Credentials | None, str | None]:
    """
    Return the credentials and the project id that the environment names, each ``None`` where it names none.

    An empty variable counts as not set. White space around a value is dropped, since files
    of mounted secrets may end in a newline.

    :param environ: Read are ``HUAWEICLOUD_SDK_AK``, ``_SK``, ``_SECURITY_TOKEN`` and ``_PROJECT_ID``.
    :raises CssConfigError: if a key or token is set but its other half is missing.

    Source: huaweicloudsdkcore 3.1.219, environment credentials.
    """
    values = {name: environ.get(name, "").strip() for name in (_ACCESS_KEY, _SECRET_KEY, _SECURITY_TOKEN)}
    project_id = environ.get(PROJECT_ID_VARIABLE, "").strip() or None
    if not any(values.values()):
        return None, project_id
    _refuse_half_set(values)
    return Credentials(values[_ACCESS_KEY], values[_SECRET_KEY], values[_SECURITY_TOKEN] or None), project_id


def _refuse_unsendable(what: str, value: str) -> None:
    if not _SENDABLE.fullmatch(value):
        raise CssConfigError(
            f"The {what} is empty or holds a blank, a line break, a comma or a character beyond ASCII. "
            f"Copy the {what} again, without anything around it."
        )


def _refuse_half_set(values: Mapping[str, str]) -> None:
    missing = [name for name in (_ACCESS_KEY, _SECRET_KEY) if not values[name]]
    if not missing:
        return
    present = [name for name, value in values.items() if value]
    raise CssConfigError(
        f"The environment sets {' and '.join(present)} but not {' and '.join(missing)}. "
        f"Set {' and '.join(missing)} too, or unset {' and '.join(present)}."
    )
