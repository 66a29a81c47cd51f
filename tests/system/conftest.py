"""What the tests with real Airflow processes share: the interpreters that have the Airflows to test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.installation import interpreter
from tests.system.scenes import Stage, stage_of


@pytest.fixture(scope="session", params=[3, 2], ids=["airflow3", "airflow2"])
def airflow_python(request: pytest.FixtureRequest) -> Path:
    """Path of an interpreter with Airflow 3, then of one with Airflow 2."""
    return interpreter(request.param)


@pytest.fixture(scope="session")
def stage(airflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A running Airflow with the provider's DAGs: one start for all tests on one version."""
    with stage_of(airflow_python, tmp_path_factory.mktemp("stage") / "home") as started:
        yield started
