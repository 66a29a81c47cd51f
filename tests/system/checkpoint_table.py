"""
Plays every case of the table by ``dag.test()``, clears, plays on, and writes what came of it.

Run as ``python -m tests.system.checkpoint_table HOME``; the emulator is in the same process.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS
from tests.system.checkpoint_clearing import clear, play_on
from tests.system.checkpoint_oracle import CASES, CONTROL, Case

__all__: list[str] = []

ALWAYS = 99
# So long a restore lasts whose beginning must be seen: its end word would be that of the one before. In seconds.
SHOWN = 0.5


class Table:
    """
    All cases on one emulator, each with a cluster of its own.

    :param emulator: The emulator.
    :param dags: The module with the DAGs, by the name that Airflow itself finds it under.
    """

    def __init__(self, emulator: Any, dags: Any) -> None:
        self.emulator = emulator
        self.dags = dags

    def play(self, case: Case) -> list[dict[str, Any]]:
        """Return how the run stood at its end, and at each end after a clear."""
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session

        # What an earlier case did not use is none of this one's.
        self.emulator.faults.clear()
        cluster_id = self._prepare(case)
        dag = self._dag(case)
        # Where the restore is what a retry helps, the work fails for good.
        self._tell(case.step, 1 if case.retry == "helps" and case.fails != "restore" else ALWAYS)
        before = len(self.emulator.requests)
        played = dag.test(run_conf={"cluster_id": cluster_id})
        ends = [self._look(played, cluster_id, before)]
        with create_session() as session:
            run = session.query(DagRun).filter_by(dag_id=dag.dag_id, run_id=played.run_id).one()
            for step in case.clears:
                self._tell(case.step if step.fails_again else "", ALWAYS)
                self._forecast(ends[-1])
                chosen = f"load.{step.chosen(case.looked_at)}"
                clear(dag, run, chosen, downstream=step.has_downstream, session=session)
                play_on(dag, run, session)
                ends.append(self._look(run, cluster_id, before))
        return ends

    def _forecast(self, end: dict[str, Any]) -> None:
        """Let a restore be seen to begin if there was one before."""
        self.emulator.faults.clear()
        if end["restores"]:
            self.emulator.faults.restore_fate(takes=SHOWN)

    def _prepare(self, case: Case) -> str:
        """Make the cluster of a case, and say what is to happen to its snapshot or restore."""
        cluster_id: str = self.emulator.add_cluster(case.name, indices={})
        self.emulator.index("orders", cluster_id).create(1)
        self.emulator.index("orders", cluster_id).write({"old": {"by": "nobody"}})
        for takes in (None, SHOWN) if case.retry == "vain" else (None,):
            if case.fails == "snapshot":
                self.emulator.faults.fate("failed")
            if case.fails == "restore":
                self.emulator.faults.restore_fate("failed", takes=takes)
        if case.fails == "restore" and case.retry == "helps":
            self.emulator.faults.restore_fate(takes=SHOWN)
        return cluster_id

    def _dag(self, case: Case) -> Any:
        dag_id = self.dags.dag_id_of(case.mode, int(bool(case.retry)), lenient=case.fails == "lenient")
        return getattr(self.dags, dag_id)

    def _tell(self, step: str, tries: int) -> None:
        os.environ[self.dags.FAILS_VARIABLE] = f"{step}:{tries}"

    def _look(self, run: Any, cluster_id: str, before: int) -> dict[str, Any]:
        calls = [request.call for request in self.emulator.requests[before:]]
        indices = {
            name: sorted(self.emulator.index(name, cluster_id).documents())
            for name in self.emulator.indices(cluster_id)
        }
        return {
            "run": str(getattr(run.state, "value", run.state)),
            "states": {_label(ti): str(getattr(ti.state, "value", ti.state)) for ti in run.get_task_instances()},
            "creations": calls.count("create_snapshot"),
            "restores": calls.count("restore_snapshot"),
            "documents": indices.pop("orders"),
            "copies": list(indices.values()),
        }


def _label(ti: Any) -> str:
    label = str(ti.task_id).removeprefix("load.")
    return label if ti.map_index < 0 else f"{label}[{ti.map_index}]"


def _do_not_wait_for_others() -> None:
    """Let ``dag.test()`` not sleep a second between two rounds in which states alone change."""
    module = import_module("airflow.sdk.definitions.dag" if AIRFLOW_V_3_0_PLUS else "airflow.models.dag")
    module.__dict__["time"] = SimpleNamespace(sleep=lambda _seconds: None)


def main(home: Path) -> None:
    """
    Play the cases and write the outcome.

    :param home: The Airflow home.
    """
    from airflow.utils.db import initdb

    from airflow_css.emulator import CssEmulator

    dags = import_module("checkpoint_table_dags")
    initdb()
    _do_not_wait_for_others()
    # What takes no time needs no wait: each wait is two seconds at least.
    with CssEmulator(creation_takes=0, restore_takes=0) as emulator:
        os.environ[dags.URL_VARIABLE] = emulator.url
        os.environ.update(emulator.connection_env())
        table = Table(emulator, dags)
        outcome = {case.name: table.play(case) for case in (*CASES, CONTROL)}
    (home / "outcome.json").write_text(json.dumps(outcome))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
