"""A folder in which the commands of the pages can be typed as they stand there, without installing anything."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.markdown import ROOT

__all__ = ["BASH", "INSTALL", "make_folder", "type_commands", "variables"]

BASH = shutil.which("bash") or "/bin/bash"

INSTALL = "python3 -m venv .venv && .venv/bin/pip install -e "
"""Commands that begin so install; ``.ci/run`` runs them, not the tests here."""

_ACTIVATE = """
export PATH={bin}:"$PATH"
deactivate() {{ :; }}
"""
_COMMANDS = {
    "python": "",
    "airflow": "-m airflow",
    "airflow-css": "-c 'import sys; from airflow_css.cli import main; sys.exit(main())'",
}


def make_folder(folder: Path) -> Path:
    """Return the folder, now with a ``.venv`` whose commands are those of this interpreter, and the example DAGs."""
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name, arguments in _COMMANDS.items():
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
        script.chmod(0o755)
    (commands / "activate").write_text(_ACTIVATE.format(bin=shlex.quote(str(commands))))
    (folder / "dags_examples").symlink_to(ROOT / "dags_examples")
    (folder / "tmp").mkdir()
    return folder


def variables(folder: Path) -> dict[str, str]:
    """Return the environment of a user's shell in that folder; what is thrown away is thrown into it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return kept | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp")}


def type_commands(folder: Path, commands: str) -> subprocess.CompletedProcess[str]:
    """Type commands into one shell, up to the first that fails, and return what it shows."""
    return subprocess.run(
        [BASH, "-e", "-c", commands],
        cwd=folder,
        env=variables(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
