"""Short fingerprints."""

from __future__ import annotations

import re

from airflow_css.protocol.fingerprint import short_hash


def test_fingerprints_tell_lists_apart() -> None:
    """Two lists of parts that read the same when joined have different fingerprints."""
    assert short_hash("a", "b") != short_hash("ab")
    assert short_hash("a", "") != short_hash("", "a")
    assert re.fullmatch("[0-9a-f]{6}", short_hash("x", length=6))
