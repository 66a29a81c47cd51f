"""What the package writes where others could read it: only the demo does, and only for its owner."""

from __future__ import annotations

import ast
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_css.demo import Demo
from airflow_css.demo_ui import command
from airflow_css.demo_ui.page import AirflowPage
from airflow_css.demo_ui.settings import password_file
from airflow_css.emulator import CssEmulator
from tests.house.sources import sources

WRITING = {"write_text", "write_bytes", "mkdtemp", "mkdir", "touch", "NamedTemporaryFile"}
WRITERS = {
    "airflow_css/demo.py",
    "airflow_css/demo_airflow.py",
    "airflow_css/demo_ui/command.py",
    # The made-up token of a pod, which whoever plays the pod must find in a file.
    "airflow_css/emulator/pod.py",
}


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_but_the_demo_writes_files() -> None:
    """Hook, operators, sensors and triggers leave nothing on the disk, so there is nothing to protect."""
    found = {
        source.name
        for source in sources("airflow_css")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr in WRITING
    }
    assert found <= WRITERS
    assert "airflow_css/demo.py" in found


@pytest.fixture
def careless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files of somebody whose files everybody may read and write."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = os.umask(0)
    yield tmp_path
    os.umask(before)


@pytest.mark.usefixtures("careless")
def test_the_password_of_the_demo_s_page_is_its_owner_s() -> None:
    """The file with the page's password can be read by nobody else, also in a home that is kept."""
    demo = object.__new__(command._Demo)  # noqa: SLF001 - its other parts need an Airflow 3
    home = Path(tempfile.mkdtemp())
    demo.__dict__.update(_home=home, _page=AirflowPage(1, "admin", "planted"))
    demo._lay_out()
    assert "planted" in password_file(home).read_text()
    assert (_mode(home), _mode(password_file(home))) == (0o700, 0o600)


def test_the_log_of_the_demo_is_its_owner_s_and_follows_no_link(careless: Path) -> None:
    """The log beside the home is made anew for its owner alone; a file that waits under its name is not written to."""
    home = Path(tempfile.mkdtemp(prefix="airflow-css-demo-"))
    victim = careless / "victim"
    victim.write_text("untouched")
    home.with_suffix(".log").symlink_to(victim)
    demo = Demo(home, CssEmulator())
    with pytest.raises(FileExistsError):
        demo._run_airflow(home / "none.py")  # noqa: SLF001 - the rest of a run takes seconds
    assert victim.read_text() == "untouched"
