"""Each example DAG ends as its table says under a real scheduler, waiting in the worker and in the triggerer."""

from __future__ import annotations

import pytest

from tests.examples.playing import Example
from tests.system.scenes import PATIENCE, Stage, examples_for

pytestmark = pytest.mark.system


def _play(stage: Stage, example: Example, mode: str) -> tuple[str, str, int, bool]:
    """Run an example and return its file, the state of the run, its snapshots, and whether a triggerer waited."""
    airflow, dag_id = stage.airflow, example.file.removesuffix(".py")
    before = {snapshot.id for snapshot in stage.default.snapshots()}
    example.prepare(stage.default)
    airflow.trigger(dag_id, mode)
    state = airflow.wait_for_run(dag_id, mode, ("success", "failed"), PATIENCE)
    assert example.found(stage.default) == example.left
    made = {snapshot.id for snapshot in stage.default.snapshots()} - before
    pushed = airflow.rows("SELECT value FROM xcom WHERE run_id = ? AND key = 'backup_id'", mode)
    assert all(any(snapshot_id in str(value) for (value,) in pushed) for snapshot_id in made)
    logs = airflow.home / "logs" / f"dag_id={dag_id}" / f"run_id={mode}"
    return example.file, state, len(made), any(logs.rglob("*.trigger.*"))


@pytest.mark.parametrize("mode", ["worker", "deferrable"])
def test_examples_end_as_declared(stage: Stage, mode: str) -> None:
    """The run's state, its snapshots and what the indices hold are as declared, whoever does the waiting."""
    # What asks a human is played with an answer, elsewhere.
    examples = [example for example in examples_for(stage.airflow.version) if not example.asks]
    assert not stage.airflow.import_errors()
    stage.set_default_deferrable(is_on=mode == "deferrable")

    seen = [_play(stage, example, mode) for example in examples]

    for file, state, snapshots, _waited in seen:
        print(f"{stage.airflow.version} {mode}: {file} {state}, snapshots {snapshots}")  # noqa: T201 - to be seen
    assert [row[:3] for row in seen] == [(example.file, example.ends, example.snapshots) for example in examples]
    assert any(waited for *_, waited in seen) == (mode == "deferrable")
