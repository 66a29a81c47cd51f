"""The demo: what it leaves behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from airflow_css.demo import Demo, play


def _ending_with(code: int) -> type[Demo]:
    class Ended(Demo):
        def run(self) -> int:
            self._log.write_text("what Airflow said")
            return code

    return Ended


@pytest.mark.parametrize(
    ("ended", "left"),
    [
        ((0, False), []),
        ((1, False), [".log"]),
        ((0, True), ["", ".log"]),
        ((1, True), ["", ".log"]),
    ],
)
def test_the_log_stays_when_it_is_needed(
    ended: tuple[int, bool],
    left: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A demo that went well leaves nothing; a failed one leaves its log, ``--keep`` also the home; each is named."""
    code, keep = ended
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert play(_ending_with(code), keep=keep, slow=False) == code
    found = sorted(tmp_path.iterdir(), key=lambda path: path.suffix)
    assert [path.suffix for path in found] == left
    said = capsys.readouterr().out
    assert all(str(path) in said for path in found)
    assert ("stays" in said) is (".log" in left)
