"""The command ``airflow-css demo --ui``, as far as it goes without starting anything."""

from __future__ import annotations

import signal
import socket
import tempfile
from pathlib import Path

import airflow
import pytest

from airflow_css.demo_ui.command import check_version, run_demo_ui
from airflow_css.demo_ui.processes import DemoError


@pytest.mark.parametrize("version", ["2.11.2", "2.10.0"])
def test_airflow_2_is_refused_with_a_way_out(version: str) -> None:
    """The sentence names the Airflow that is needed, the one that is there, and what works with it."""
    with pytest.raises(DemoError, match=rf"needs Airflow 3; this is Airflow {version}\. airflow-css demo, without"):
        check_version(version)


@pytest.mark.parametrize("version", ["3.0.0", "3.3.2", "3.4.0b2", "10.0"])
def test_airflow_3_and_later_are_taken(version: str) -> None:
    """A pre-release and what comes after 3 are no reason to refuse."""
    check_version(version)


def test_what_cannot_begin_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A taken port, or an Airflow without the page, ends in one sentence, no folder, and the old signal handlers."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = signal.getsignal(signal.SIGINT)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run_demo_ui(port=port) == 1
    reason = f"port {port} of 127.0.0.1: Address already in use" if _has_page() else "needs Airflow 3"
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is before


def _has_page() -> bool:
    return int(airflow.__version__.partition(".")[0]) >= 3
