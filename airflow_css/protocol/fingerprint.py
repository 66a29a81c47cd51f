"""Short fingerprints: the same for the same things, in every process and in every version."""

from __future__ import annotations

import hashlib

__all__ = ["short_hash"]


def short_hash(*parts: object, length: int = 8) -> str:
    """
    Return a short fingerprint of the parts, in lower-case hexadecimal.

    :param parts: What to fingerprint; ``("a", "b")`` and ``("ab",)`` differ.
    :param length: Number of characters, 1 to 64.
    """
    # The separator cannot occur in ids, so that two different lists of parts never read the same.
    text = "\x1f".join(str(part) for part in parts)
    # Half a character from a badly decoded variable still needs a fingerprint, not a crash.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:length]
