"""What the tests of the documentation read: pages, their code blocks, tables, links and headings."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DOCS", "ROOT", "Block", "Page", "all_pages", "page"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(?P<language>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """
    One fenced block.

    :param language: What stands behind the fence, for example ``python``.
    :param text: What is in it.
    :param lead: The line of prose before it.
    :param name: The page and the number of its line, for messages.
    """

    language: str
    text: str
    lead: str
    name: str

    def run(self, folder: Path, changes: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run Python as a file of its own and return its names; ``changes`` are made to the text before."""
        text = self.text
        for old, new in (changes or {}).items():
            assert old in text, f"{self.name} does not say {old}"
            text = text.replace(old, new)
        file = folder / f"{self.name.replace('/', '_').replace(':', '_')}.py"
        file.write_text(text, encoding="utf-8")
        return runpy.run_path(str(file), run_name="__main__")


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """The path from the project's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """The file as it is written."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The file without its blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[Block]:
        """Return the blocks of a language, in their order."""
        return [block for block in self._all_blocks() if block.language == language]

    def links(self) -> list[str]:
        """Return the targets of all links, without those to other sites."""
        return [target for target in _LINK.findall(self.prose) if "://" not in target]

    def anchors(self) -> set[str]:
        """Return what the headings can be linked to by."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(self.prose)}

    def table(self, first_column: str, *, below: str = "") -> list[list[str]]:
        """Return the rows of the table whose first heading is this; the first such table below a heading."""
        text = self.prose.partition(f"{below}\n")[2] if below else self.prose
        found = re.search(rf"^\| {re.escape(first_column)} \|.*\n\|[-|]+\n((?:\|.*\n?)+)", text, re.MULTILINE)
        assert found, f"{self.name} has no table that begins with {first_column!r}"
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]

    def _all_blocks(self) -> Iterator[Block]:
        text = self.text
        for found in _FENCE.finditer(text):
            before = text[: found.start()].rstrip().rpartition("\n")[2]
            line = text.count("\n", 0, found.start()) + 1
            yield Block(found["language"].strip(), found["text"], before, f"{self.name}:{line}")


def page(name: str) -> Page:
    """Return the page with that path from the project's root."""
    return Page(ROOT / name)


def all_pages() -> list[Page]:
    """Return every page that a reader may open."""
    return [page("README.md"), *(Page(path) for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts)]
