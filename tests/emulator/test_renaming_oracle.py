"""Renaming against an outside witness: Java itself, where it is installed."""

from __future__ import annotations

import random
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from airflow_css.emulator.renaming import is_beyond_python, renamed

JAVA = shutil.which("java")
PROGRAM = """
import java.util.Scanner;

public class Rename {
    public static void main(String[] arguments) {
        Scanner lines = new Scanner(System.in, "UTF-8");
        while (lines.hasNextLine()) {
            String[] parts = lines.nextLine().split("\\t", -1);
            try {
                System.out.println("=" + parts[0].replaceAll(parts[1], parts[2]));
            } catch (RuntimeException error) {
                System.out.println("refused");
            }
        }
    }
}
"""
CASES = 20_000


def _text(chance: random.Random, alphabet: str, shortest: int, longest: int) -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(shortest, longest)))


def _ours(name: str, pattern: str, replacement: str) -> str:
    try:
        with warnings.catch_warnings():
            # Python warns of what may mean something else some day.
            warnings.simplefilter("ignore", FutureWarning)
            return f"={renamed(name, pattern, replacement)}"
    except ValueError:
        return "refused"


@pytest.mark.heavy
@pytest.mark.skipif(JAVA is None, reason="no Java is installed")
def test_names_change_as_in_java(tmp_path: Path) -> None:
    """Whatever CSS lets through, sensible or not, gives the name that Java gives, or is refused by both."""
    chance = random.Random(17)  # noqa: S311 - cases, not keys
    drawn = (
        (_text(chance, "ab-1", 0, 6), _text(chance, "ab-_.(+)*[]^$1{2}", 1, 7), _text(chance, "ab-$0123(", 1, 4))
        for _ in range(CASES)
    )
    cases = [case for case in drawn if not is_beyond_python(case[1])]
    program = tmp_path / "Rename.java"
    program.write_text(PROGRAM, encoding="utf-8")
    asked = "".join("\t".join(case) + "\n" for case in cases)
    answers = subprocess.run(
        [str(JAVA), str(program)], input=asked, capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()
    assert len(answers) == len(cases)
    different = [(case, java, _ours(*case)) for case, java in zip(cases, answers, strict=True) if java != _ours(*case)]
    assert different == []
    assert CASES // 5 < sum(answer != "refused" for answer in answers) < CASES
