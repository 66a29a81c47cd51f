"""What to do about keys that were refused, by where they came from. No request is made here."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["remedy_for"]

_EVERYWHERE = "in the environment of workers and triggerer"


@dataclass(frozen=True)
class _Remedies:
    """
    What to do, by the name of the cause; each may have a place for where the keys came from.

    :param wrong_secret: The secret key is another key's.
    :param unknown: The access key is not known.
    :param expired: The temporary keys have ended.
    :param unexplained: Nobody knows why.
    """

    wrong_secret: str
    unknown: str
    expired: str
    unexplained: str

    def named(self) -> dict[str, str]:
        return {
            "wrong-secret": self.wrong_secret,
            "unknown-access-key": self.unknown,
            "token-expired": self.expired,
            "refused": self.unexplained,
        }


_WRITTEN = {
    "the connection": _Remedies(
        "Copy the secret key again into the password of the connection, without blanks around it.",
        "Check the login of the connection: it is misspelt, deleted, or of another cloud than this endpoint.",
        "Get new temporary keys, and set login, password and the extra 'security_token' of the connection all three.",
        "Check login and password of the connection. They were tried once only.",
    ),
    "the environment": _Remedies(
        f"Copy the secret key again into HUAWEICLOUD_SDK_SK {_EVERYWHERE}, without blanks around it.",
        f"Check HUAWEICLOUD_SDK_AK {_EVERYWHERE}: it is misspelt, deleted, or of another cloud than this endpoint.",
        "Get new temporary keys, and set HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and HUAWEICLOUD_SDK_SECURITY_TOKEN all "
        f"three {_EVERYWHERE}.",
        f"Check HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK {_EVERYWHERE}. They were tried once only.",
    ),
}
_NOT_TYPED = "{place} handed these keys out. Check that it belongs to the same cloud as this endpoint."
_HANDED_OUT = _Remedies(
    _NOT_TYPED,
    _NOT_TYPED,
    "{place} hands out new keys: run it again. If it stays, look at the clock of this machine.",
    _NOT_TYPED,
)


def remedy_for(cause: str, keys_from: str) -> str:
    """
    Return what to do; empty when it does not depend on where the keys came from.

    :param cause: The name of the cause, for example ``wrong-secret``.
    :param keys_from: Where the keys came from, in words; empty when nobody knows.
    """
    remedies = _WRITTEN.get(keys_from or "the connection", _HANDED_OUT)
    return remedies.named().get(cause, "").format(place=keys_from[:1].upper() + keys_from[1:])
