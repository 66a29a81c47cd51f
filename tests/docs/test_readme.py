"""The README: its commands are the ones that are run, its DAG makes a backup, its connection is read."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.hooks.css import CssHook
from tests.docs.environment import INSTALL, make_folder, type_commands
from tests.docs.markdown import ROOT, Block, page
from tests.running import run_task

README = page("README.md")
SCREEN = 70
COMMANDS = [block.text.strip() for block in README.blocks("shell") if block.text.startswith("python3")]
CONNECTIONS = [
    block
    for name in ("README.md", "docs/how-to/connection.md")
    for block in page(name).blocks("shell")
    if block.text.startswith("export AIRFLOW_CONN_")
]
FILLED_IN = {
    "<access key>": "AKEXAMPLE",
    "<secret key>": "SKEXAMPLE",
    "<project id>": "6204a5bd270343b5885144cf9c8c158d",
}


def test_the_readme_is_one_screen() -> None:
    """Whoever opens it sees all of it without a second page."""
    assert len(README.text.splitlines()) <= SCREEN


@pytest.mark.parametrize(("constant", "place"), [("DEMO_COMMAND", 0), ("TESTS_COMMAND", 1)])
def test_a_command_is_run_from_nothing_elsewhere(constant: str, place: int) -> None:
    """A command of the README stands, letter by letter, in the script that runs it in a clean copy."""
    assert f'{constant}="{COMMANDS[place]}"' in (ROOT / ".ci" / "run").read_text().splitlines()
    assert len(COMMANDS) == 2


def test_the_demo_runs(tmp_path: Path) -> None:
    """What follows the installation in the first command ends well, says how long it took, and leaves nothing."""
    install, demo = COMMANDS[0].rsplit(" && ", 1)
    assert install.startswith(INSTALL)
    folder = make_folder(tmp_path)
    done = type_commands(folder, demo)
    assert done.returncode == 0, done.stdout
    assert "finished in " in done.stdout
    assert not list((folder / "tmp").glob("airflow-css-demo-*"))
    assert "COMPLETED" in done.stdout


def test_the_dag_makes_a_backup(tmp_path: Path) -> None:
    """The task of the smallest DAG makes one snapshot of the cluster it names and gives its id."""
    (block,) = README.blocks("python")
    with CssEmulator(clusters=["search-prod"], creation_takes=0) as emulator:
        os.environ.update(emulator.connection_env(cluster_id=None))
        outcome = run_task(block.run(tmp_path)["backup"])
        (snapshot,) = emulator.snapshots()
    assert outcome.error is None
    assert outcome.xcom["return_value"] == snapshot.id


@pytest.mark.parametrize("block", CONNECTIONS, ids=lambda block: block.name)
def test_a_shown_connection_is_understood(block: Block) -> None:
    """The connection that a page shows is read without a complaint, once the blanks are filled in."""
    text = block.text
    for blank, value in FILLED_IN.items():
        text = text.replace(blank, value)
    name, _, value = shlex.split(text)[1].partition("=")
    os.environ[name] = value
    settings = CssHook().settings
    assert settings.endpoint == "https://css.cn-north-4.myhuaweicloud.com"
    assert settings.warnings == ()
    assert settings.deployment == json.loads(value)["extra"].get("deployment", "")
