"""What the tests with real Airflow processes share: the interpreters that have the Airflows to test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.installation import interpreter


@pytest.fixture(scope="session", params=[3, 2], ids=["airflow3", "airflow2"])
def airflow_python(request: pytest.FixtureRequest) -> Path:
    """Path of an interpreter with Airflow 3, then of one with Airflow 2."""
    return interpreter(request.param)
