"""What the house tests read: the project's own source files and the things inside them."""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file, read and parsed."""

    root: Path
    path: Path

    @property
    def name(self) -> str:
        """The path as a reader would write it, with slashes, from the project's root."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def module(self) -> str:
        """The dotted name, without ``__init__``."""
        parts = self.path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def text(self) -> str:
        """The file as it is written."""
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        """The file as Python understands it."""
        return ast.parse(self.text, filename=self.name)

    def functions(self) -> Iterator[FunctionNode]:
        """Every function and method, inner ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node

    def comments(self) -> Iterator[tuple[int, str]]:
        """Every comment with its line number; text inside strings is none."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def sources(*folders: str, root: Path = ROOT) -> list[Source]:
    """Return the Python files below these folders of ``root``, sorted by path."""
    found = (path for folder in folders for path in (root / folder).rglob("*.py"))
    return [Source(root, path) for path in sorted(found)]


def own_lines(function: FunctionNode) -> int:
    """
    Count the lines a function takes, from ``def`` to its end, without its docstring.

    A docstring is for the caller; what is judged here is what a reader must follow.
    """
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return length
    docstring = function.body[0]
    return length - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def median_length(found: list[Source]) -> float:
    """Return the median of ``own_lines`` over all functions of these files; 0 where there is none."""
    lengths = [own_lines(function) for source in found for function in source.functions()]
    return statistics.median(lengths) if lengths else 0.0
