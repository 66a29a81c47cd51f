"""The pages and their ways to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.markdown import ROOT, Page, all_pages

PAGES = {page.name: page for page in all_pages()}
# Directives name files too: literalinclude another one's lines, toctree the pages of a menu.
INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)
BORDERS = re.compile(r'^:(?:start-after|end-before): "(.+)"$', re.MULTILINE)

WITH_EXAMPLES = [
    name for name, page in PAGES.items() if re.search(r"^```\{literalinclude\} .+py$", page.text, re.MULTILINE)
]


def _broken(page: Page, targets: list[str]) -> Iterator[str]:
    for target in targets:
        path, _, anchor = target.partition("#")
        file = (page.path.parent / path).resolve() if path else page.path
        if not file.is_file():
            yield f"{page.name}: {target} leads nowhere"
        elif anchor and anchor not in Page(file).anchors():
            yield f"{page.name}: {target} names no heading; there are {sorted(Page(file).anchors())}"


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    """A link to a page of ours finds the page and the heading."""
    page = PAGES[name]
    assert not list(_broken(page, page.links()))


def test_a_broken_link_is_caught() -> None:
    """A link to a page or a heading that does not exist is reported."""
    page = PAGES["docs/index.md"]
    assert len(list(_broken(page, ["gone.md", "tutorial.md#gone", "tutorial.md#where-next"]))) == 2


def test_every_page_can_be_reached_from_the_first() -> None:
    """No page is forgotten: links and menus lead from the first page to each of them."""
    menu = set(re.findall(r"^([\w/-]+)$", PAGES["docs/index.md"].text, re.MULTILINE))
    pages = {page.path.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in all_pages()[1:]}
    assert pages - menu == {"index"}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_what_a_page_includes_can_be_opened(name: str) -> None:
    """Where included lines are not shown, as in a checkout, a link leads to each DAG that they are from."""
    page = PAGES[name]
    assert {target for target in INCLUDED.findall(page.text) if target.endswith(".py")} <= set(page.links())


@pytest.mark.parametrize("name", [name for name in WITH_EXAMPLES if "/how-to/" in name])
def test_a_how_to_begins_with_its_import(name: str) -> None:
    """What a how-to is about is imported by a block before the first included lines, which use it."""
    page = PAGES[name]
    block = page.blocks("python")[0]
    assert block.text in page.text.partition("```{literalinclude}")[0]
    imported = set(re.findall(r"\w+", " ".join(re.findall(r" import (.+)", block.text))))
    used = set(re.findall(r"\w+", (page.path.parent / INCLUDED.findall(page.text)[0]).read_text()))
    assert imported
    assert imported <= used


@pytest.mark.parametrize("name", PAGES)
def test_included_lines_exist(name: str) -> None:
    """What a page shows of another file is there, between its two marks; a file of data is shown as a whole."""
    page = PAGES[name]
    shown = [(page.path.parent / included).resolve() for included in INCLUDED.findall(page.text)]
    assert all(file.is_file() for file in shown)
    files = [file for file in shown if file.suffix != ".json"]
    borders = BORDERS.findall(page.text)
    assert len(borders) == 2 * len(files)
    for number, file in enumerate(files):
        start, end = borders[2 * number : 2 * number + 2]
        assert 0 < file.read_text().find(start) < file.read_text().find(end)
