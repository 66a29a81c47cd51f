"""The pictures of the pages."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, Page, all_pages

LARGEST = 200_000
SMALLEST = 1_000
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
PNG = b"\x89PNG\r\n\x1a\n"
IMAGES = sorted((DOCS / "images").iterdir())
SHOWN = [(page, alt, target) for page in all_pages() for alt, target in PICTURE.findall(page.prose)]


def _file(page: Page, target: str) -> Path:
    return (page.path.parent / target).resolve()


@pytest.mark.parametrize(
    ("page", "alt", "target"), SHOWN, ids=lambda value: value.name if isinstance(value, Page) else ""
)
def test_a_picture_is_there_and_in_words(page: Page, alt: str, target: str) -> None:
    """What a page shows exists, and who cannot see it reads a sentence instead."""
    assert _file(page, target) in IMAGES
    assert len(alt.split()) >= 5
    assert alt.endswith(".")


def test_no_picture_is_left_over() -> None:
    """Each file among the pictures is shown somewhere."""
    assert {_file(page, target) for page, _, target in SHOWN} == set(IMAGES)
    assert len(IMAGES) > 1


@pytest.mark.parametrize("file", IMAGES, ids=lambda file: str(file.name))
def test_a_picture_is_small_and_what_its_name_says(file: Path) -> None:
    """A page stays light, and a screenshot is no empty sheet."""
    content = file.read_bytes()
    assert SMALLEST < len(content) < LARGEST
    if file.suffix == ".svg":
        assert ET.fromstring(content).tag.endswith("svg")  # noqa: S314 - a file of our own
    else:
        assert content.startswith(PNG)


def test_a_drawing_brings_its_own_ground() -> None:
    """Its dark text stands on white, in a dark page too, and it says in words what it shows."""
    for file in (file for file in IMAGES if file.suffix == ".svg"):
        text = file.read_text()
        assert re.search(r'<rect x="1" y="1" [^>]*fill="#ffffff"', text)
        assert "<title" in text
        assert "<desc" in text
