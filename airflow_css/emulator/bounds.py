"""Checks of what a script or a seed says. Scripts also come as JSON, where nobody else checks types."""

from __future__ import annotations

__all__ = ["check_number", "check_seconds", "check_texts"]

LONGEST_SECONDS = 1_000_000_000


def check_number(what: str, value: object, lowest: int, highest: int) -> None:
    """
    Return if the value is a whole number within bounds.

    :param what: Its name.
    :param value: The value.
    :param lowest: The lowest possible one.
    :param highest: The highest possible one.
    :raises ValueError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise ValueError(f"{what} is a whole number from {lowest} to {highest}, not {value!r}")


def check_seconds(what: str, value: object, longest: float = LONGEST_SECONDS) -> float:
    """
    Return the value, which is a number of seconds.

    :param what: Its name.
    :param value: The value.
    :param longest: The highest possible one.
    :raises ValueError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= longest:
        raise ValueError(f"{what} is a number of seconds from 0 to {longest}, not {value!r}")
    return value


def check_texts(**values: object) -> None:
    """
    Return if all values are texts.

    :param values: The values by name.
    :raises ValueError: if one is not.
    """
    for what, value in values.items():
        if not isinstance(value, str):
            raise ValueError(f"{what} is a text, not {value!r}")  # noqa: TRY004 - as for all other values of a script
