"""The tutorial, typed as it stands: every command and every file of it, and what it says will be seen."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

import pytest

from tests.docs.environment import INSTALL, make_folder
from tests.docs.markdown import page
from tests.docs.terminal import PORT, lines, save_files, started_emulator, type_all, without_varying

TUTORIAL = page("docs/tutorial.md")
SHELL = [block.text for block in TUTORIAL.blocks("shell")]
SHOWN = [block.text for block in TUTORIAL.blocks("text")]
STATE = f"http://127.0.0.1:{PORT}/_emulator/state"


@pytest.mark.heavy
def test_the_tutorial_leads_to_the_first_backup(tmp_path: Path) -> None:
    """Typed from top to bottom, it makes a backup and shows what it promises."""
    folder = make_folder(tmp_path)
    files = save_files(TUTORIAL, folder)
    with started_emulator(SHELL[1], folder) as line:
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert port, line
        assert line == SHOWN[0].replace(PORT, port[1])
        seen = without_varying(type_all(SHELL[2:], folder, line))
        assert [promised for promised in lines(SHOWN[1] + SHOWN[2]) if promised not in seen] == []
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
    assert without_varying(line) not in without_varying(SHOWN[1])
