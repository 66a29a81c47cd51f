"""What the emulator's tests start from."""

from __future__ import annotations

import pytest

from tests.emulator.callers import Caller


@pytest.fixture
def caller() -> Caller:
    """Calls a new emulator whose clock stands still."""
    return Caller()
