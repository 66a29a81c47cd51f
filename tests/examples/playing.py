"""Plays an example DAG as a user would: in a process and a home of its own, by Airflow's own ``dag.test()``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_css.demo import example_dags
from airflow_css.emulator import CssEmulator

__all__ = ["EXAMPLES", "SECRET_KEY", "TOKEN", "Example", "Played", "places_of_secrets", "play"]

SECRET_KEY = "planted-secret-key-5b1e7f"
TOKEN = "planted-security-token-c09a44"
NEEDLES = (SECRET_KEY, TOKEN, "SDK-HMAC-SHA256 Access=")

Documents = Mapping[str, Mapping[str, Any]]
ORDERS: Documents = {"1": {"customer": "ada", "cents": 1250}, "2": {"customer": "grace", "cents": 990}}


@dataclass(frozen=True)
class Example:
    """
    What an example declares.

    :param file: The file in ``dags_examples``.
    :param minimum: The first Airflow it loads a DAG on.
    :param ends: The state that its run ends in.
    :param snapshots: How many snapshots a run makes.
    :param task: The task whose value is the snapshot that matters, its id or its facts; empty when it is mapped.
    :param before: How many good snapshots it wants to find, made by nobody in particular.
    :param documents: What indices hold before, by name. Default nothing.
    :param left: What they hold afterwards; ``None`` for an index that is gone.
    :param asks: The task that waits for a human's answer; ``dag.test()`` would wait for ever. Default none.
    """

    file: str
    minimum: tuple[int, int]
    ends: str
    snapshots: int
    task: str = "backup"
    before: int = 0
    asks: str = ""
    documents: Mapping[str, Documents] = field(default_factory=dict)
    left: Mapping[str, Documents | None] = field(default_factory=dict)

    def prepare(self, emulator: CssEmulator) -> None:
        """Give the default cluster the documents that it wants to find."""
        for name, documents in self.documents.items():
            index = emulator.index(name)
            if index.exists:
                index.clear()
            index.write(documents)

    def found(self, emulator: CssEmulator) -> dict[str, Documents | None]:
        """Return what is in the indices that it declares something of."""
        indices = {name: emulator.index(name) for name in self.left}
        return {name: index.documents() if index.exists else None for name, index in indices.items()}


EXAMPLES = (
    Example("pre_etl_backup.py", (2, 11), "success", 1),
    Example("nightly_backup_with_retention.py", (2, 11), "success", 1),
    Example("restore_into_staging.py", (2, 11), "success", 1),
    Example("swap_backups.py", (2, 11), "success", 1),
    Example("freshness_alarm.py", (2, 11), "success", 0, task="alarm", before=1),
    Example("verify_when_a_backup_exists.py", (2, 11), "success", 0, task="verify", before=1),
    Example("restore_drill_monthly.py", (2, 11), "success", 0, task="", before=1),
    Example("many_clusters.py", (2, 11), "success", 1, task=""),
    Example("checkpoint_beside.py", (2, 11), "success", 1, task="load.snapshot"),
    Example(
        "checkpoint_rolls_back.py",
        (2, 11),
        "failed",
        1,
        task="protected.snapshot",
        documents={"orders-2026-11": ORDERS},
        left={"orders-2026-11": ORDERS},
    ),
    Example(
        "checkpoint_around_load.py",
        (2, 11),
        "success",
        1,
        task="protected.snapshot",
        documents={"orders-2026-11": ORDERS},
        left={"orders-2026-11": {**ORDERS, "3": {"customer": "ada", "cents": 400}}},
    ),
    Example(
        "backup_before_reindex.py",
        (2, 11),
        "success",
        1,
        documents={"orders-2026-11": ORDERS},
        left={"orders-2026-11": None, "orders-2026-11-v2": ORDERS},
    ),
    Example("restore_after_approval.py", (3, 1), "success", 1, asks="approve"),
)


@dataclass(frozen=True)
class Played:
    """
    What came of a run.

    :param outcome: Its state and XComs; empty when it did not get that far.
    :param output: What Airflow printed.
    :param home: Its Airflow home, with database and logs.
    """

    outcome: dict[str, Any]
    output: str
    home: Path


def play(file: str, home: Path, connection: str, **variables: str) -> Played:
    """
    Return what came of one run of an example.

    :param file: The file in ``dags_examples``.
    :param home: A folder for everything that Airflow writes.
    :param connection: The connection ``css_default``, as JSON.
    :param variables: More of the environment.
    """
    dags, events = home / "dags", home / "events.jsonl"
    dags.mkdir(parents=True, exist_ok=True)
    shutil.copy(example_dags() / file, dags)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # An empty key leaves everything in the database readable, also for whoever searches it for secrets.
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW_CONN_CSS_DEFAULT": connection,
        "TMPDIR": str(home),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-m", "airflow_css.demo_airflow", str(dags / file), str(events)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    lines = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
    outcome: dict[str, Any] = next((line["outcome"] for line in lines if "outcome" in line), {})
    return Played(outcome, done.stdout, home)


def places_of_secrets(played: Played) -> list[str]:
    """
    Return where a planted secret was found, in all that a run wrote.

    :param played: The run.
    """
    found = [f"{needle} in the output" for needle in NEEDLES if needle in played.output]
    for path in sorted(played.home.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        found += [f"{needle} in {path.relative_to(played.home)}" for needle in NEEDLES if needle.encode() in content]
    return found
