"""
Plays every row of the table by ``dag.test()``, in one process with a home of its own, and writes what came of it.

Run as ``python -m tests.system.checkpoint_playing HOME``; the emulator is in the same process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["play_rows", "play_script"]

ROOT = Path(__file__).parents[2]


def play_rows(python: Path, home: Path) -> dict[str, Any]:
    """
    Return what came of each row: the run's state, the tasks' states, the calls, and what is in the indices.

    :param python: The interpreter that has the Airflow to play on.
    :param home: A folder for everything that Airflow writes.
    """
    return play_script(python, home, "checkpoint_playing", "checkpoint_rows.py")


def play_script(python: Path, home: Path, script: str, dag_file: str) -> dict[str, Any]:
    """
    Return what a script of this package wrote, which plays DAGs in a process of its own.

    :param python: The interpreter that has the Airflow to play on.
    :param home: A folder for everything that Airflow writes.
    :param script: Name of the module that plays.
    :param dag_file: Name of the file that holds the DAGs.
    """
    dags = home / "dags"
    dags.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name(dag_file), dags)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__AIRFLOW_CSS__DEPLOYMENT": "tests",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(dags)]),
    }
    command = [str(python), "-m", f"tests.system.{script}", str(home)]
    with (home / "output.log").open("wb") as output:
        subprocess.run(
            command, env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, timeout=400, check=False
        )
    outcome = home / "outcome.json"
    if not outcome.exists():
        raise RuntimeError((home / "output.log").read_text(errors="replace")[-4000:])
    played: dict[str, Any] = json.loads(outcome.read_text())
    return played


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
    if name in ("restore_fails", "restore_works_on_retry", "safety_then_fails"):
        emulator.faults.restore_fate("failed")
    return cluster_id


def _label(ti: Any) -> str:
    label = str(ti.task_id).removeprefix("load.")
    return label if ti.map_index < 0 else f"{label}[{ti.map_index}]"


def _play(emulator: Any, dag: Any) -> dict[str, Any]:
    from airflow_css.checkpoints.states import read_kept
    from airflow_css.protocol.waiting import newest_good

    cluster_id = _prepare(emulator, dag.dag_id)
    seen = len(emulator.requests)
    run = dag.test()
    instances = run.get_task_instances()
    restore = dag.get_task("load.restore")
    kept = read_kept({"ti": instances[0]}, restore.checkpoint)
    newest = newest_good(emulator.snapshots(cluster_id))
    calls = [request.call for request in emulator.requests[seen:]]
    return {
        "run": str(getattr(run.state, "value", run.state)),
        "states": {_label(ti): str(ti.state) for ti in instances},
        "creations": calls.count("create_snapshot"),
        "restores": calls.count("restore_snapshot"),
        "snapshots": len(emulator.snapshots(cluster_id)),
        "kept": asdict(kept),
        "newest_good": newest.id if newest else "",
        "told": instances[0].xcom_pull(task_ids="load.restore", key="rollback") or "",
        "indices": {name: emulator.index(name, cluster_id).documents() for name in emulator.indices(cluster_id)},
    }


def main(home: Path) -> None:
    """
    Play the rows and write the outcome.

    :param home: The Airflow home.
    """
    from airflow.utils.db import initdb

    from airflow_css.emulator import CssEmulator

    # By the name that Airflow itself finds the file under.
    rows = import_module("checkpoint_rows")
    initdb()
    # What takes no time needs no wait: each wait is two seconds at least.
    with CssEmulator(creation_takes=0, restore_takes=0) as emulator:
        os.environ[rows.URL_VARIABLE] = emulator.url
        os.environ.update(emulator.connection_env())
        outcome = {row.name: _play(emulator, getattr(rows, row.name)) for row in rows.ROWS}
    (home / "outcome.json").write_text(json.dumps(outcome))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
