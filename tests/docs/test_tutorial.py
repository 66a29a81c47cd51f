"""The tutorial, typed as it stands: every command and every file of it, and what it says will be seen."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.environment import BASH, INSTALL, make_folder, type_commands, variables
from tests.docs.markdown import page

TUTORIAL = page("docs/tutorial.md")
SHELL = [block.text for block in TUTORIAL.blocks("shell")]
SHOWN = [block.text for block in TUTORIAL.blocks("text")]
PORT = "8099"
STATE = f"http://127.0.0.1:{PORT}/_emulator/state"

# What differs from run to run: ids, the moment and the fingerprint in a name, run ids, durations, marks.
VARYING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{8}t\d{6}z-[0-9a-f]{8}"), "<moment>"),
    (re.compile(r"manual__\S+"), "<run>"),
    (re.compile(r"\b\d+ s\."), "<duration>."),
    (re.compile(r"\[af1 ([0-9a-f]{6,8} ){5}0\]"), "<mark>"),
)


def _without_varying(text: str) -> str:
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text


def _lines(text: str) -> list[str]:
    return [_without_varying(line) for line in text.splitlines()]


@contextmanager
def _emulator(folder: Path) -> Iterator[str]:
    """Type the emulator's command in a terminal of its own, and yield the line that it prints."""
    # A free port instead of the usual one, and no ten seconds to wait.
    command = f"source .venv/bin/activate; exec {SHELL[1].strip()} --port 0 --creation-takes 1"
    with subprocess.Popen(
        [BASH, "-c", command], cwd=folder, env=variables(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.terminate()
    assert process.returncode == 0, "the emulator ends well when it is stopped"


def _type(commands: list[str], folder: Path, port: str) -> str:
    """Type commands into one shell and return what it shows."""
    done = type_commands(folder, "".join(commands).replace(PORT, port))
    assert done.returncode == 0, done.stdout
    return done.stdout


def _save_files(folder: Path) -> list[str]:
    names = [re.fullmatch(r"Save this as `(\S+)`:", block.lead) for block in TUTORIAL.blocks("python")]
    for name, block in zip(names, TUTORIAL.blocks("python"), strict=True):
        assert name, f"{block.name} does not say where to save it"
        (folder / name[1]).write_text(block.text)
    return [name[1] for name in names if name]


@pytest.mark.heavy
def test_the_tutorial_leads_to_the_first_backup(tmp_path: Path) -> None:
    """Typed from top to bottom, it makes a backup and shows what it promises."""
    folder = make_folder(tmp_path)
    files = _save_files(folder)
    with _emulator(folder) as line:
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert port, line
        assert line == SHOWN[0].replace(PORT, port[1])
        seen = _without_varying(_type(SHELL[2:], folder, port[1]))
        assert [promised for promised in _lines(SHOWN[1] + SHOWN[2]) if promised not in seen] == []
        assert STATE in TUTORIAL.text
        with urllib.request.urlopen(STATE.replace(PORT, port[1])) as reply:  # noqa: S310 - the emulator's address
            state = json.load(reply)
    (cluster,) = state["clusters"]
    assert [snapshot["status"] for snapshot in cluster["snapshots"]] == ["COMPLETED"]
    assert not [name for name in files if (folder / name).exists()], "the last step tidies up"
    assert list((folder / "tmp").glob("tmp.*")) == [], "the last step removes Airflow's home"


def test_the_installation_is_that_of_the_readme() -> None:
    """The tutorial installs what the first command of the README installs."""
    install, activate = SHELL[0].splitlines()
    assert install.startswith(INSTALL)
    assert any(block.text.startswith(f"{install} && ") for block in page("README.md").blocks("shell"))
    assert activate == SHELL[2].splitlines()[0]


def test_the_line_to_copy_is_the_line_that_is_printed() -> None:
    """The export that the tutorial shows is the emulator's line with one word in front."""
    exports = [text for text in SHELL if text.startswith("export AIRFLOW_CONN_")]
    assert exports == [f"export {SHOWN[0]}"]


@pytest.mark.parametrize("line", ["Snapshot x (y): FAILED, 10 s.", "Something else"])
def test_a_line_that_is_not_promised_is_not_found(line: str) -> None:
    """What varies is left out of the comparison; a wrong word is not."""
    assert _without_varying(line) not in _without_varying(SHOWN[1])
