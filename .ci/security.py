"""
Looks at the package with bandit, and asks a database of vulnerabilities about the libraries that it imports.

Bandit's numbers are those of ruff's S rules. A line that ruff was told about, with its reason, needs no second comment;
one that only bandit objects to has "nosec" with a number and a reason.

A known vulnerability of a library is printed and fails nothing: there are no pins here that could be raised, and a
report about Airflow must not keep anybody from mending this package.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Not declared, because requests brings it; its exceptions are read all the same.
BESIDES = ("urllib3",)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def _is_explained(finding: dict[str, Any]) -> bool:
    """Return whether the line says that ruff was told, and why."""
    lines = (ROOT / finding["filename"]).read_text(encoding="utf-8").splitlines()
    number = finding["test_id"].removeprefix("B")
    said = "\n".join(lines[line - 1] for line in finding["line_range"])
    return bool(re.search(rf"# noqa: (\w+, )*S{number}(, \w+)* - \w", said))


def _unexplained() -> int:
    """Print what bandit objects to without an answer, and return how much that is."""
    done = _run("bandit", "-q", "-r", "airflow_css", "-c", "pyproject.toml", "-f", "json")
    report = json.loads(done.stdout)
    if report["errors"] or not report["metrics"]["_totals"]["loc"]:
        print(f"bandit read nothing, or not all: {report['errors']}")
        return 1
    found = [finding for finding in report["results"] if not _is_explained(finding)]
    for finding in found:
        print(f"{finding['filename']}:{finding['line_number']}: {finding['test_id']} {finding['issue_text']}")
    print(f"bandit: {len(report['results'])} findings, {len(found)} of them not explained")
    return len(found)


def _dependencies() -> list[str]:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = [re.split(r"[^\w.-]", entry)[0] for entry in declared]
    return [f"{name}=={version(name)}" for name in (*names, *BESIDES)]


def _audit() -> None:
    """Print what is known against the libraries that the package imports, or that nothing could be asked."""
    dependencies = _dependencies()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(dependencies))
        listed.flush()
        options = ("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "20")
        done = _run("pip_audit", "--requirement", listed.name, *options)
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except ValueError:
        print("NOT AUDITED: the database of vulnerabilities did not answer:")
        print(done.stderr.strip()[-300:])
        return
    known = [(entry["name"], entry["version"], flaw) for entry in answers for flaw in entry.get("vulns", [])]
    for name, installed, flaw in known:
        print(
            f"!!! KNOWN VULNERABILITY: {name} {installed}: {flaw['id']}, mended in {flaw['fix_versions'] or 'none yet'}"
        )
    print(f"pip-audit: {len(known)} known for {', '.join(dependencies)}")


if __name__ == "__main__":
    not_explained = _unexplained()
    _audit()
    sys.exit(1 if not_explained else 0)
