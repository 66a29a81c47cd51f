"""A restic repository as the outside witness of the keep rules: who is asked, and how its answer is read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

SWITCH = "AIRFLOW_CSS_TEST_RESTIC"
PASSWORD = "of-a-throw-away-repository"

Verdicts = dict[str, tuple[datetime, list[str]]]
"""By snapshot id: the moment, and the rules of ours that keep it; none when it goes."""


def find_restic() -> str:
    """Return the restic program, or skip the test; when the environment names one, it has to be there."""
    named = os.environ.get(SWITCH)
    found = shutil.which(named or "restic")
    if found is None and named:
        pytest.fail(f"{SWITCH} names {named!r}, which is no program")
    if found is None:
        pytest.skip(f"restic is not installed (Debian: apt-get install restic); {SWITCH} can name it")
    return found


@dataclass(frozen=True)
class Entry:
    """A snapshot to make: when, on the clock of the repository's zone, and by which host and tag."""

    when: str
    host: str = "host"
    tag: str = "tag"


@dataclass(frozen=True)
class Repository:
    """A throw-away repository whose restic lives in one time zone."""

    program: str
    folder: Path
    zone: str = "UTC"

    def run(self, *arguments: str) -> str:
        """Return what restic prints; an error of it is an error of the test."""
        settings = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_REPOSITORY": str(self.folder / "repository"),
            "TZ": self.zone,
        }
        command = [self.program, "--quiet", "--no-cache", *arguments]
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def version(self) -> tuple[int, int]:
        """The first two numbers of the version."""
        found = re.search(r"restic (\d+)\.(\d+)", self.run("version"))
        assert found is not None
        return int(found[1]), int(found[2])

    def fill(self, entries: Iterable[Entry]) -> None:
        """Make the repository and its snapshots; two at a time, because each spends its time on the password."""
        content = self.folder / "content"
        content.write_text("the same in every snapshot")
        self.run("init")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda entry: self._back_up(entry, content), entries))

    def _back_up(self, entry: Entry, content: Path) -> None:
        self.run("backup", "--time", entry.when, "--host", entry.host, "--tag", entry.tag, str(content))

    def forget(self, rules: dict[str, Any], group_by: str) -> list[Verdicts]:
        """Return restic's verdicts under the rules, one set for each group. Nothing is forgotten."""
        words = [part for rule, value in rules.items() for part in (f"--{rule.replace('_', '-')}", str(value))]
        groups = json.loads(self.run("forget", "--dry-run", "--json", "--no-lock", "--group-by", group_by, *words))
        return [_verdicts(group) for group in groups]


def _verdicts(group: dict[str, Any]) -> Verdicts:
    verdicts: Verdicts = {}
    for snapshot, entry in zip(group["keep"], group["reasons"], strict=True):
        assert snapshot["time"] == entry["snapshot"]["time"]
        verdicts[snapshot["id"]] = (datetime.fromisoformat(snapshot["time"]), _rules(entry["matches"]))
    gone: list[dict[str, Any]] = group["remove"] or []
    return verdicts | {s["id"]: (datetime.fromisoformat(s["time"]), []) for s in gone}


def _rules(matches: Sequence[str]) -> list[str]:
    """Return our names for restic's reasons, such as ``daily snapshot`` and ``within 14d``."""
    return sorted(f"keep_{match.split(maxsplit=1)[0]}" for match in matches)
