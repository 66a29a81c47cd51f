"""
Plays every row of the table by ``dag.test()``, in one process with a home of its own, and writes what came of it.

Run as ``python -m tests.checkpoints.playing HOME``; the emulator is in the same process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["play_rows"]

ROOT = Path(__file__).parents[2]


def play_rows(home: Path, names: Sequence[str]) -> dict[str, Any]:
    """
    Return what came of the rows: for each the run's state, the tasks' states, and what is in the indices.

    :param home: A folder for everything that Airflow writes.
    :param names: The rows.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__AIRFLOW_CSS__DEPLOYMENT": "tests",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.checkpoints.playing", str(home), *names],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    outcome = home / "outcome.json"
    if not outcome.exists():
        raise RuntimeError(done.stdout[-4000:])
    played: dict[str, Any] = json.loads(outcome.read_text())
    return {**played, "output": done.stdout}


def _prepare(emulator: Any, name: str) -> str:
    """Make the cluster of a row, with two indices and what is to happen to its snapshot."""
    cluster_id: str = emulator.add_cluster(name, indices={})
    for index, shards in (("orders", 2), ("customers", 1)):
        emulator.index(index, cluster_id).create(shards)
        emulator.index(index, cluster_id).write({"old": {"by": "nobody"}})
    if name == "snapshot_fails":
        emulator.faults.fate("failed")
    if name == "safety_fails":
        emulator.faults.fate("completed")
        emulator.faults.fate("failed")
    if name == "restore_fails":
        emulator.faults.restore_fate("failed")
    return cluster_id


def _play(emulator: Any, dag: Any) -> dict[str, Any]:
    cluster_id = _prepare(emulator, dag.dag_id)
    seen = len(emulator.requests)
    run = dag.test()
    instances = run.get_task_instances()
    states = {f"{ti.task_id}{f'[{ti.map_index}]' if ti.map_index >= 0 else ''}": str(ti.state) for ti in instances}
    calls = [request.call for request in emulator.requests[seen:]]
    verdict = [ti for ti in instances if ti.task_id == "load.verdict"]
    return {
        "run": str(getattr(run.state, "value", run.state)),
        "states": states,
        "creations": calls.count("create_snapshot"),
        "restores": calls.count("restore_snapshot"),
        "snapshots": len(emulator.snapshots(cluster_id)),
        "told": verdict[0].xcom_pull(task_ids="load.restore", key="rollback"),
        "indices": {name: emulator.index(name, cluster_id).documents() for name in emulator.indices(cluster_id)},
    }


def main(home: Path, names: Sequence[str]) -> None:
    """
    Play the rows and write the outcome.

    :param home: The Airflow home.
    :param names: The rows.
    """
    from airflow.utils.db import initdb

    from airflow_css.emulator import CssEmulator
    from tests.checkpoints import checkpoint_dags

    initdb()
    with CssEmulator(creation_takes=0.1) as emulator:
        os.environ[checkpoint_dags.URL_VARIABLE] = emulator.url
        os.environ.update(emulator.connection_env())
        outcome = {name: _play(emulator, getattr(checkpoint_dags, name)) for name in names}
    (home / "outcome.json").write_text(json.dumps(outcome))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
