"""Airflow's own masker of secrets, wherever this Airflow keeps it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["masks_come_back", "redacted"]

# Where the masker of each line of versions keeps what it hides.
_MASKERS = (
    "airflow.sdk._shared.secrets_masker.secrets_masker",
    "airflow.sdk.execution_time.secrets_masker",
    "airflow.utils.log.secrets_masker",
)


def redacted(text: str) -> object:
    """
    Return a text as Airflow would log it.

    :param text: The text.
    """
    return _masker_module().redact(text)


@contextmanager
def masks_come_back() -> Iterator[None]:
    """Undo on leaving what was masked inside: Airflow 2 masks single letters too, in every text from then on."""
    masker = _masker_module()._secrets_masker()  # noqa: SLF001 - Airflow has no other way to forget
    before = set(masker.patterns), masker.replacer
    yield
    masker.patterns, masker.replacer = before


def _masker_module() -> Any:
    for name in _MASKERS:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    return pytest.fail("this Airflow has no masker that is known")
