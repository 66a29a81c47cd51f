"""The second tutorial, typed as it stands: the load breaks, and the index is seen as it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.environment import make_folder
from tests.docs.markdown import page
from tests.docs.terminal import PORT, lines, save_files, started_emulator, type_all, without_varying

TUTORIAL = page("docs/tutorial-rollback.md")
SHELL = [block.text for block in TUTORIAL.blocks("shell")]
SHOWN = [block.text for block in TUTORIAL.blocks("text")]
LOOK = "python orders.py"


@pytest.mark.heavy
def test_the_tutorial_leads_to_a_rollback(tmp_path: Path) -> None:
    """Typed from top to bottom, it shows what it promises, in its order."""
    folder = make_folder(tmp_path)
    files = save_files(TUTORIAL, folder)
    with started_emulator(SHELL[0], folder) as line:
        assert re.sub(r"(127\.0\.0\.1:)\d+", rf"\g<1>{PORT}", line) == SHOWN[0]
        seen = without_varying(type_all(SHELL[1:], folder, line))
    place = 0
    for promised in (line for shown in SHOWN[1:] for line in lines(shown)):
        place = seen.find(promised, place)
        assert place >= 0, f"{promised!r} is not seen in\n{seen}"
    assert not [name for name in files if (folder / name).exists()], "the last step tidies up"
    assert list((folder / "tmp").glob("tmp.*")) == [], "the last step removes Airflow's home"


def test_it_is_prepared_as_in_the_first_part() -> None:
    """The commands that start the emulator and Airflow are those of the first tutorial, letter by letter."""
    first = [block.text for block in page("docs/tutorial.md").blocks("shell")]
    assert SHELL[:3] == first[1:4]
    assert SHOWN[0] == page("docs/tutorial.md").blocks("text")[0].text


def test_what_is_put_in_comes_back() -> None:
    """The orders after the rollback are those that were written, and each look is followed by what it shows."""
    assert SHOWN[1] == SHOWN[3]
    assert SHOWN[1] != SHOWN[4]
    assert sum(text.count(LOOK) for text in SHELL) == len([SHOWN[1], *SHOWN[3:]])
