"""What holds for every page: its Python runs, its lines can be read, and it speaks of this project alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_css.emulator import CssEmulator
from tests.docs.markdown import Page, all_pages, page

PAGES = {page.name: page for page in all_pages()}
# These are run by tests of their own, which also look at what comes of it.
RUN_ELSEWHERE = (
    "README.md",
    "docs/tutorial.md",
    "docs/tutorial-rollback.md",
    "docs/how-to/connection.md",
    "docs/how-to/create-snapshot.md",
)
NOT_A_PROGRAM = "docs/contributing.md"
LONGEST_LINE = 120
WITH_PYTHON = {name for name, page in PAGES.items() if page.blocks("python")}


@pytest.mark.parametrize("name", sorted(WITH_PYTHON - {*RUN_ELSEWHERE, NOT_A_PROGRAM}))
def test_the_python_of_a_page_runs(name: str, tmp_path: Path) -> None:
    """Every block of Python is a program that ends without an error."""
    with CssEmulator() as emulator:
        os.environ.update(emulator.connection_env())
        for block in PAGES[name].blocks("python"):
            block.run(tmp_path)


def test_the_one_exception_is_no_program() -> None:
    """The block that is not run shows how to write a docstring: it is one method without its class."""
    (block,) = page(NOT_A_PROGRAM).blocks("python")
    assert block.text.startswith("def get_snapshot(self,")


def _long_lines(page: Page) -> Iterator[str]:
    in_block = False
    for number, line in enumerate(page.text.splitlines(), 1):
        in_block ^= line.startswith("```")
        # What a program prints cannot be broken, nor can a row of a table.
        if len(line) > LONGEST_LINE and not in_block and not line.startswith("|"):
            yield f"{page.name}:{number}: {len(line)} characters"


@pytest.mark.parametrize("name", PAGES)
def test_lines_are_short(name: str) -> None:
    """Prose has at most 120 characters a line."""
    assert list(_long_lines(PAGES[name])) == []
