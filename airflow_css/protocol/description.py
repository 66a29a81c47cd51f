"""The description that a snapshot is given: the user's words, who made it, and the mark."""

from __future__ import annotations

from airflow_css.protocol.names import FORBIDDEN_IN_DESCRIPTION, LONGEST_DESCRIPTION, check_description
from airflow_css.protocol.provenance import Mark, RunIdentity, write_mark

__all__ = ["describe"]


def describe(text: str | None, identity: RunIdentity, mark: Mark) -> str:
    """
    Return the description to send: the user's words, who made it, and the mark.

    The user's words and the mark are never cut; the readable part in between is left out when it does not fit.

    :param text: The user's own words, at most 200 characters; ``None`` for none.
    :param identity: The task instance, for the readable part.
    :param mark: The mark.
    :raises CssUsageError: if the user's words are too long or have a forbidden character.
    """
    own = check_description(text) if text else ""
    readable = "".join("_" if c in FORBIDDEN_IN_DESCRIPTION or not c.isprintable() else c for c in str(identity))
    written = write_mark(mark)
    full = " ".join(part for part in (own, readable, written) if part)
    if len(full) <= LONGEST_DESCRIPTION:
        return full
    # The blank goes first when even this is too long: it takes 36 clears, a hold and 200 characters of text.
    return f"{own} {written}".strip() if len(own) + len(written) < LONGEST_DESCRIPTION else f"{own}{written}"
