"""The example that asks a human, under a real scheduler: what is approved is restored, what is rejected is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_css.protocol.models import Snapshot
from tests.examples.playing import EXAMPLES
from tests.system.scenes import PATIENCE, Stage, examples_for

pytestmark = pytest.mark.system

(EXAMPLE,) = [example for example in EXAMPLES if example.asks]
DAG_ID = EXAMPLE.file.removesuffix(".py")
# Longer than the scheduler takes to hear that a process has ended: a try that is resumed sooner, Airflow may fail.
TAKES = 6.0


@pytest.fixture(params=["worker", "deferrable"])
def mode(request: pytest.FixtureRequest, stage: Stage) -> Iterator[str]:
    """Where the tasks wait; nothing that was set for them is left."""
    if EXAMPLE not in examples_for(stage.airflow.version):
        pytest.skip(f"Airflow {stage.airflow.version} cannot ask a human")
    stage.set_default_deferrable(is_on=request.param == "deferrable")
    yield request.param
    stage.default.faults.clear()


def _play(stage: Stage, run_id: str, option: str) -> tuple[dict[str, str | None], Snapshot]:
    """Run the example with an answer, and return the states of its tasks and its snapshot."""
    stage.default.faults.fate("completed", takes=TAKES)
    stage.default.faults.restore_fate("success", takes=TAKES)
    stage.airflow.trigger(DAG_ID, run_id)
    stage.airflow.answer(DAG_ID, run_id, EXAMPLE.asks, option, timeout=PATIENCE)
    stage.airflow.wait_for_run(DAG_ID, run_id, (EXAMPLE.ends,), PATIENCE)
    states = {task_id: state for (task_id, _), state in stage.airflow.task_states(DAG_ID, run_id).items()}
    return states, stage.default.snapshots()[0]


def test_what_is_approved_is_restored_once(stage: Stage, mode: str) -> None:
    """The backup of the run, which is the newest good one, is restored by one call to the cluster it came from."""
    before = stage.default.restores()
    states, backup = _play(stage, f"approved-{mode}", "Approve")
    assert set(states.values()) == {"success"}, states
    (restored,) = [restore for restore in stage.default.restores() if restore not in before]
    assert restored.snapshot.id == backup.id == stage.airflow.xcom(DAG_ID, f"approved-{mode}", EXAMPLE.task)
    assert restored.brought
    assert all(name.startswith("orders-") for name in restored.brought)


def test_what_is_rejected_is_not_restored(stage: Stage, mode: str) -> None:
    """The run ends well without its restore; the backup stays."""
    before = stage.default.restores()
    sent = stage.default.count("restore_snapshot")
    states, backup = _play(stage, f"rejected-{mode}", "Reject")
    assert states == {"backup": "success", EXAMPLE.asks: "success", "restore": "skipped"}
    assert stage.default.restores() == before
    assert stage.default.count("restore_snapshot") == sent
    assert backup.id == stage.airflow.xcom(DAG_ID, f"rejected-{mode}", EXAMPLE.task)
