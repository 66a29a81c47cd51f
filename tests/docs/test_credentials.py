"""The how-to for keys: the connections to the emulator work as they stand on the page, with what the command prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_css.client.iam import PROJECTS
from airflow_css.client.key_ring import RINGS
from airflow_css.doctor.command import run_doctor
from tests.docs.environment import BASH
from tests.docs.markdown import ROOT, page

_BLOCKS = page("docs/how-to/credentials.md").blocks("shell")
_TRY, _TAKE_OVER = (block for block in _BLOCKS if "emulator.env" in block.text)
CONNECTIONS = [block for block in _BLOCKS if "127.0.0.1:8099" in block.text]
COMMAND = [sys.executable, "-m", "airflow_css.emulator", "--port", "0", "--identity", "pod-token"]


def _variables(printed: str, folder: Path, commands: str) -> dict[str, str]:
    """Return what a shell has after it took over what was printed and ran the commands."""
    (folder / "emulator.env").write_text(printed)
    typed = f"{_TAKE_OVER.text}\n{commands}\nenv -0"
    done = subprocess.run([BASH, "-ec", typed], cwd=folder, env={}, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)


def test_each_connection_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor finds nothing wrong, the project included, and names the place that stands above the block."""
    assert _TRY.text.split("|")[0].split()[1:] == ["emulator", "--identity", "pod-token"]
    assert len(CONNECTIONS) == 5
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(COMMAND, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            printed = "".join(emulator.stdout.readline() for _ in range(5))
            url = re.search(r"http://127\.0\.0\.1:\d+", printed)
            assert url
            for block in CONNECTIONS:
                given = _variables(printed, tmp_path, block.text.replace("http://127.0.0.1:8099", url[0]))
                with monkeypatch.context() as patch:
                    for name, value in given.items():
                        if name.startswith(("AIRFLOW_", "HUAWEICLOUD_", "HC_")):
                            patch.setenv(name, value)
                    assert run_doctor([]) == 0, capsys.readouterr().out
                place = block.lead.rstrip(":").removeprefix("The keys of ")
                assert f", from {place[0].lower()}{place[1:]}" in capsys.readouterr().out
        finally:
            RINGS.forget()
            PROJECTS.forget()
            emulator.terminate()
