"""How the bench finds and configures an Airflow; no process of Airflow is started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.system.installation import Ports, environment, interpreter


@pytest.mark.parametrize("named", [None, "", sys.executable + "-absent"])
def test_missing_interpreter_says_what_to_set(monkeypatch: pytest.MonkeyPatch, named: str | None) -> None:
    """Without a usable interpreter the tests fail, and the error names the variable and its value."""
    variable = "AIRFLOW_CSS_TEST_AIRFLOW2"
    if named is None:
        monkeypatch.delenv(variable, raising=False)
    else:
        monkeypatch.setenv(variable, named)
    with pytest.raises(RuntimeError, match=named or f"set {variable} to the python of"):
        interpreter(2)


@pytest.mark.parametrize("major", [2, 3])
def test_callers_airflow_stays_outside(monkeypatch: pytest.MonkeyPatch, major: int) -> None:
    """Variables of the caller about Airflow and Python paths do not reach the bench; the extra ones win."""
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    made = environment(Path("home"), major, Ports(1, 2), {"AIRFLOW__CORE__PARALLELISM": "2"})
    assert made["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert made["AIRFLOW__CORE__PARALLELISM"] == "2"
    assert not {"AIRFLOW_CONN_SECRET", "PYTHONPATH"} & made.keys()
