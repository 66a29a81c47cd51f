"""Types a tutorial as it stands, beside an emulator that was started as the page says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.environment import BASH, type_commands, variables
from tests.docs.markdown import Page

__all__ = ["PORT", "lines", "save_files", "started_emulator", "type_all", "without_varying"]

PORT = "8099"

# What differs from run to run: ids, the moment and the fingerprint in a name, run ids, durations, marks. And, between
# the versions of Airflow, where its exceptions live.
VARYING = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{8}t\d{6}z-[0-9a-f]{8}"), "<moment>"),
    (re.compile(r"manual__\S+"), "<run>"),
    (re.compile(r"\bairflow\.(sdk\.)?exceptions\b"), "<exceptions>"),
    (re.compile(r"\b\d+ s\."), "<duration>."),
    (re.compile(r"\[af1 ([0-9a-f]{6,8} ){5}0\]"), "<mark>"),
)


def without_varying(text: str) -> str:
    """Return the text with a word for whatever differs from run to run."""
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text


def lines(text: str) -> list[str]:
    """Return the lines of a text, comparable with those of another run."""
    return [without_varying(line) for line in text.splitlines()]


@contextmanager
def started_emulator(command: str, folder: Path) -> Iterator[str]:
    """Type the emulator's command in a terminal of its own, and yield the line that it prints."""
    # A free port instead of the usual one, and no ten seconds to wait.
    typed = f"source .venv/bin/activate; exec {command.strip()} --port 0 --creation-takes 1"
    with subprocess.Popen(
        [BASH, "-c", typed], cwd=folder, env=variables(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.terminate()
    assert process.returncode == 0, "the emulator ends well when it is stopped"


def type_all(commands: list[str], folder: Path, line: str) -> str:
    """Type commands into one shell, with the port of the emulator's line, and return what it shows."""
    port = re.search(r"127\.0\.0\.1:(\d+)", line)
    assert port, line
    done = type_commands(folder, "".join(commands).replace(PORT, port[1]))
    assert done.returncode == 0, done.stdout
    return done.stdout


def save_files(page: Page, folder: Path) -> list[str]:
    """Save every block of Python where the line before it says, and return the names."""
    names = [re.fullmatch(r"Save this as `(\S+)`:", block.lead) for block in page.blocks("python")]
    for name, block in zip(names, page.blocks("python"), strict=True):
        assert name, f"{block.name} does not say where to save it"
        (folder / name[1]).write_text(block.text)
    return [name[1] for name in names if name]
