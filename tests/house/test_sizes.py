"""How large things may be, what they may be called, and what must stand beside them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import Source, median_length, own_lines, sources

PACKAGE = "airflow_css"
EVERYWHERE = (PACKAGE, "dags_examples", "tests", "docs")

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MEDIAN_FUNCTION_LINES = 10

FORBIDDEN_NAMES = frozenset({"common", "helper", "helpers", "manager", "managers", "util", "utils"})
POSTPONED = re.compile(r"\b(?:TODO|FIXME|HACK|XXX)\b")
SILENCED = re.compile(r"#\s*(?:noqa(?!:)|type:\s*ignore(?!\[)|(?:noqa:|type:\s*ignore\[)[\w, ]+\]?\W*$)")
BANNER = re.compile(r"#\s*[-=#*~]{4,}|[-=#*~]{4,}\s*$")


def _long_files(found: list[Source]) -> Iterator[str]:
    for source in found:
        if (lines := len(source.text.splitlines())) > MAX_FILE_LINES:
            yield f"{source.name}: {lines} lines; at {MAX_FILE_LINES} it wants to be two files"


def _long_functions(found: list[Source]) -> Iterator[str]:
    for source in found:
        for function in source.functions():
            if (lines := own_lines(function)) > MAX_FUNCTION_LINES:
                at = f"{source.name}:{function.lineno}"
                yield f"{at}: {function.name} takes {lines} lines, at most {MAX_FUNCTION_LINES} are allowed"


def _busy_constructors(found: list[Source]) -> Iterator[str]:
    for source in found:
        for function in source.functions():
            if function.name == "__init__" and not all(_only_stores(step) for step in function.body):
                yield f"{source.name}:{function.lineno}: a constructor only assigns; work belongs to a method"


def _only_stores(step: ast.stmt) -> bool:
    if isinstance(step, ast.Assign | ast.AnnAssign | ast.Pass):
        return True
    # A docstring, or the call of the base class.
    return isinstance(step, ast.Expr) and (
        isinstance(step.value, ast.Constant) or ast.unparse(step.value).startswith("super().__init__(")
    )


def _vague_names(found: list[Source]) -> Iterator[str]:
    for source in found:
        words = set(re.split(r"[./_]", source.path.relative_to(source.root).with_suffix("").as_posix()))
        if vague := words & FORBIDDEN_NAMES:
            yield f"{source.name}: {', '.join(vague)} says nothing; name it after what it knows"


def _bad_comments(found: list[Source]) -> Iterator[str]:
    for source in found:
        for line, comment in source.comments():
            if POSTPONED.search(comment):
                yield f"{source.name}:{line}: do it now or leave it: {comment}"
            if SILENCED.search(comment):
                yield f"{source.name}:{line}: a silenced rule names its code and its reason: {comment}"
            if BANNER.search(comment):
                yield f"{source.name}:{line}: a file that needs banners wants to be two files: {comment}"


def _silent_tests(found: list[Source]) -> Iterator[str]:
    for source in found:
        for function in source.functions():
            if not (source.path.name.startswith("test_") and function.name.startswith("test_")):
                continue
            claim = (ast.get_docstring(function) or "").strip()
            if not claim.endswith(".") or "\n\n" in claim:
                yield f"{source.name}:{function.lineno}: {function.name} states its claim in one sentence"


def _strays(found: list[Source]) -> Iterator[str]:
    """A test in a mirroring folder names a module of the package, alone or with what it looks at."""
    for source in found:
        folder, stem = source.path.parent.relative_to(source.root / "tests"), source.path.stem
        mirrored = source.root / PACKAGE / folder
        if not stem.startswith("test_") or not mirrored.is_dir():
            continue
        modules = {path.stem.strip("_") for path in mirrored.iterdir()}
        tested = stem.removeprefix("test_")
        if not any(tested == module or tested.startswith(module + "_") for module in modules):
            yield f"{source.name}: mirrors no module of {PACKAGE}/{folder.as_posix()}"


# What is judged by each rule: the folders, and the rule.
RULES = {
    "files are short": (EVERYWHERE, _long_files),
    "functions are short": (EVERYWHERE, _long_functions),
    "constructors only assign": ((PACKAGE,), _busy_constructors),
    "names say something": ((PACKAGE, "dags_examples", "tests"), _vague_names),
    "comments give reasons": (EVERYWHERE, _bad_comments),
    "tests state a claim": (("tests",), _silent_tests),
    "tests mirror the package": (("tests",), _strays),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_house_is_in_order(rule: str) -> None:
    """Every file keeps the rule."""
    folders, check = RULES[rule]
    found = sources(*folders)
    assert found, "found nothing to read"
    offences = list(check(found))
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize("folder", [PACKAGE, "tests"])
def test_most_functions_are_read_at_a_glance(folder: str) -> None:
    """Half of the functions take fewer than ten lines."""
    assert 0 < median_length(sources(folder)) < MEDIAN_FUNCTION_LINES


LONG_BODY = "\n    x = 1" * MAX_FUNCTION_LINES
DOCSTRING = '"""\n' + "    A long explanation.\n" * MAX_FUNCTION_LINES + '    """'
PLANTED = {
    "files are short": ("airflow_css/a.py", "x = 1\n" * (MAX_FILE_LINES + 1)),
    "functions are short": ("airflow_css/a.py", "def f():" + LONG_BODY + "\n    return x"),
    "constructors only assign": (
        "airflow_css/a.py",
        "class A:\n    def __init__(self, x):\n        x.start()",
    ),
    "names say something": ("airflow_css/client/http_utils.py", ""),
    "comments give reasons": ("airflow_css/a.py", "x = 1  # TO" + "DO: later"),
    "tests state a claim": ("tests/test_a.py", "def test_a():\n    assert True"),
    "tests mirror the package": ("tests/protocol/test_stray.py", ""),
}


def _planted(root: Path, path: str, text: str) -> list[Source]:
    (root / PACKAGE / "protocol").mkdir(parents=True)
    (root / PACKAGE / "protocol" / "names.py").touch()
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    return [source for source in sources(PACKAGE, "tests", root=root) if source.path == root / path]


@pytest.mark.parametrize("rule", RULES)
def test_a_planted_offence_is_caught(tmp_path: Path, rule: str) -> None:
    """A file that breaks a rule is reported by that rule."""
    path, text = PLANTED[rule]
    offences = list(RULES[rule][1](_planted(tmp_path, path, text)))
    assert [offence for offence in offences if offence.startswith(path)], offences


GRANTED = {
    "files are short": ("airflow_css/a.py", "x = 1\n" * MAX_FILE_LINES),
    "functions are short": ("airflow_css/a.py", "def f():\n    " + DOCSTRING + LONG_BODY[:-10]),
    "constructors only assign": (
        "airflow_css/a.py",
        "class A(B):\n    def __init__(self, x):\n        super().__init__()\n        self.x = x",
    ),
    "names say something": ("airflow_css/client/communal.py", ""),
    "comments give reasons": ("airflow_css/a.py", 'x = "# TO' + 'DO"  # noqa: E501 - a reason'),
    "tests state a claim": ("tests/test_a.py", 'def test_a():\n    """It holds."""\n    assert True'),
    "tests mirror the package": ("tests/protocol/test_names_folding.py", ""),
}


@pytest.mark.parametrize("rule", RULES)
def test_what_keeps_the_rule_is_not_reported(tmp_path: Path, rule: str) -> None:
    """A file just inside a rule passes it, so the rule does not simply report everything."""
    path, text = GRANTED[rule]
    assert list(RULES[rule][1](_planted(tmp_path, path, text))) == []


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# noqa", True),
        ("# noqa: S310", True),
        ("# noqa: S310, S311", True),
        ("# noqa: S310 - the scheme was checked", False),
        ("# type: ignore", True),
        ("# type: ignore[misc]", True),
        ("# type: ignore[misc]  # Airflow leaves it untyped", False),
        ("# a remark about nothing silenced", False),
    ],
)
def test_silencing_a_rule_needs_a_code_and_a_reason(comment: str, *, silent: bool) -> None:
    """Only a comment that silences a check without a code or without a reason is reported."""
    assert bool(SILENCED.search(comment)) is silent
