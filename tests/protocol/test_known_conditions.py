"""The words by which conditions travel."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_css.protocol.conditions import Condition
from airflow_css.protocol.known_conditions import KNOWN_CONDITIONS


def _kinds(cls: type[Condition] = Condition) -> Iterator[type[Condition]]:
    for kind in cls.__subclasses__():
        yield kind
        yield from _kinds(kind)


def test_every_condition_can_be_read_again() -> None:
    """Whatever names itself is known by that word, and no word means two."""
    named = [kind for kind in _kinds() if kind.kind and kind.__module__.startswith("airflow_css")]
    assert {kind.kind: kind for kind in named} == KNOWN_CONDITIONS
    assert len(named) == len(KNOWN_CONDITIONS)
