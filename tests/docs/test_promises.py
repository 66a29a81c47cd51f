"""The page of promises: each has its test, and each test that is named exists and is run."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, page

PAGE = page("docs/promises.md")
SECTIONS = re.findall(r"^## .+$", PAGE.text, re.MULTILINE)
ROWS = [row for section in SECTIONS for row in PAGE.table("promise", below=section)]
NAMED = sorted({node for _promise, guards in ROWS for node in re.findall(r"`([^`]+)`", guards)})


def _tests_of(root: Path, file: str) -> set[str]:
    """Return the test functions of a file that pytest collects by its name."""
    path = root / file
    if not path.is_file() or not path.name.startswith("test_"):
        return set()
    found = ast.parse(path.read_text(encoding="utf-8")).body
    return {f.name for f in found if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")}


def _missing(nodes: list[str], root: Path = ROOT) -> list[str]:
    return [node for node in nodes if node.partition("::")[2] not in _tests_of(root, node.partition("::")[0])]


def test_every_promise_names_its_guards() -> None:
    """No promise stands alone: each line names at least one test, in the form that pytest takes."""
    assert len(ROWS) > 30
    form = re.compile(r"(`tests/[\w/]+\.py::test_\w+`(, )?)+")
    assert [promise for promise, guards in ROWS if not form.fullmatch(guards)] == []


def test_every_guard_exists() -> None:
    """Each named test is a function of a file that pytest collects."""
    assert _missing(NAMED) == []


def test_a_guard_that_is_gone_is_noticed() -> None:
    """A test, or a file, that does not exist is reported, and so is a function that is no test."""
    gone = ["tests/docs/test_promises.py::test_gone", "tests/docs/test_gone.py::test_x", "tests/world.py::new_world"]
    assert _missing([*NAMED[:1], *gone]) == gone


@pytest.mark.heavy
def test_every_guard_is_collected() -> None:
    """Pytest itself finds each of them, whatever group it belongs to."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-n", "0", "-p", "no:cacheprovider", "-m", ""]
    done = subprocess.run([*command, *NAMED], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    collected = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    assert set(NAMED) - collected == set()
