"""Checkpoints under real schedulers: writers side by side, clears, marks, time-outs and a human's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.system.scenes import PATIENCE, Scene, Stage, all_at_once, wait_until

pytestmark = pytest.mark.system

OLD = {"old": {"by": "nobody"}}
GROUP = ("snapshot", "first", "last", "writer", "restore", "verdict", "seal")


@dataclass(frozen=True)
class Seen:
    """
    How a run stood at one moment.

    :param run: Its state.
    :param states: Those of its tasks.
    :param creations: How many snapshots CSS was asked for.
    :param restores: How many restores.
    :param orders: The documents of the index that the work changes.
    """

    run: str
    states: Mapping[str, str | None]
    creations: int
    restores: int
    orders: dict[str, Any]


class Load:
    """
    One run of a DAG with a checkpoint.

    :param scene: The run, with a CSS of its own.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.emulator = scene.emulator

    def start(self, *fails: str, **seconds: float) -> None:
        """Start the run; these steps fail, and take so long."""
        for name in ("orders", "told-to-fail"):
            self.emulator.index(name).write({})
        self.emulator.index("orders").write(OLD)
        self.tell(*fails)
        self.scene.start(url=self.emulator.url, cluster_id=self.emulator.cluster_id, seconds=seconds)

    def tell(self, *fails: str) -> None:
        """Let these steps fail from now on, and no others."""
        self.emulator.index("told-to-fail").clear()
        self.emulator.index("told-to-fail").write({step: {} for step in fails})

    def wait_for_document(self, step: str) -> None:
        """Wait until a step has changed the index."""
        wait_until(lambda: step in self.emulator.index("orders").documents(), f"{step} wrote nothing")

    def clear(self, label: str, *, downstream: bool = False) -> None:
        """Clear a task of the group, and wait until the run has ended again."""
        scene = self.scene
        with scene.one_by_one:
            scene.airflow.clear(scene.dag_id, scene.run_id, f"load.{label}", downstream=downstream)
        wait_until(
            lambda: scene.airflow.run_state(scene.dag_id, scene.run_id) != "failed" or downstream, "no clear", 30
        )

    def end(self) -> Seen:
        """Wait for the end of the run, and return how it stands."""
        scene = self.scene
        state = scene.wait_for_end()
        states = {
            task.removeprefix("load."): state
            for (task, _), state in scene.airflow.task_states(scene.dag_id, scene.run_id).items()
        }
        count = self.emulator.count
        orders = self.emulator.index("orders").documents()
        return Seen(state, states, count("create_snapshot"), count("restore_snapshot"), orders)

    def moment(self, label: str, column: str) -> str:
        """Return when a task began or ended."""
        sql = f"SELECT {column} FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = ?"  # noqa: S608 - ours
        return str(self.scene.airflow.rows(sql, self.scene.dag_id, self.scene.run_id, f"load.{label}")[0][0])

    def told(self) -> str:
        """Return what the restore task said that it did."""
        return str(self.scene.airflow.xcom(self.scene.dag_id, self.scene.run_id, "load.restore", "rollback"))

    def answer(self, option: str) -> None:
        """Answer as a human, once asked."""
        scene = self.scene
        scene.airflow.answer(scene.dag_id, scene.run_id, "load.confirm", option, timeout=PATIENCE)


def _states(**changes: str) -> dict[str, str]:
    return {**dict.fromkeys((*GROUP, "after"), "success"), "restore": "skipped", **changes}


ROLLED_BACK = _states(
    first="failed", last="upstream_failed", restore="success", verdict="failed", after="upstream_failed"
)


def _a_writer_beside(load: Load) -> None:
    """The restore begins when the slow writer has ended; after clears the group goes on as documented."""
    load.start("first", writer=8)
    assert load.end() == Seen("failed", ROLLED_BACK, 1, 1, OLD)
    assert load.moment("first", "end_date") < load.moment("writer", "end_date") < load.moment("restore", "start_date")

    load.clear("snapshot", downstream=True)
    assert load.end() == Seen("failed", ROLLED_BACK, 1, 2, OLD)

    load.clear("first")
    refused = dict.fromkeys(("first", "restore", "seal"), "upstream_failed")
    assert load.end() == Seen("failed", {**ROLLED_BACK, **refused, "snapshot": "failed"}, 1, 2, OLD)

    load.tell()
    load.clear("snapshot", downstream=True)
    seen = load.end()
    assert (seen.run, seen.states, seen.creations, seen.restores) == ("success", _states(), 1, 2)
    assert set(seen.orders) == {"old", "first", "last", "writer", "after"}


def _cleared_after_success(load: Load) -> None:
    """A part of the work that is cleared after success uses the snapshot of before, and the verdict stays."""
    load.start()
    assert load.end().states == _states()
    load.tell("last")
    load.clear("last")
    seen = load.end()
    assert (seen.run, seen.creations, seen.restores, seen.orders) == ("success", 1, 1, OLD)
    assert seen.states == _states(last="failed", restore="success")


def _marked_as_failed(load: Load) -> None:
    """A run that a user marks as failed is rolled back, and stays red although the verdict was skipped."""
    load.start(first=600)
    load.wait_for_document("first")
    wait_until(lambda: load.scene.state("load.writer") == "success", "the writer goes on")
    with load.scene.one_by_one:
        load.scene.airflow.mark_run_failed(load.scene.dag_id, load.scene.run_id)
    skipped = dict.fromkeys(("last", "verdict", "after"), "skipped")
    assert load.end() == Seen("failed", _states(first="failed", restore="success", seal="failed", **skipped), 1, 1, OLD)


def _timed_out(load: Load) -> None:
    """When the whole run takes too long, Airflow skips everything: nothing is rolled back."""
    load.start(first=600)
    load.wait_for_document("first")
    seen = load.end()
    # Airflow 2 leaves what had not begun without a state.
    assert (seen.run, seen.states["restore"] in ("skipped", None), seen.restores) == ("failed", True, 0)
    assert "first" in seen.orders


def _deferred(load: Load) -> None:
    """Waiting in the triggerer, the damaged state is backed up and the old one comes back."""
    load.start("last")
    changes = {"last": "failed", "restore": "success", "verdict": "failed", "after": "upstream_failed"}
    assert load.end() == Seen("failed", _states(safety="success", **changes), 2, 1, OLD)
    assert "Created by the work and left as they are: journal." in load.told()


def _approved(load: Load) -> None:
    """After a human agreed it is rolled back, and then a part of the work is refused."""
    load.start("first")
    load.answer("Roll back")
    assert load.end() == Seen("failed", {**ROLLED_BACK, "confirm": "success"}, 1, 1, OLD)

    load.tell()
    load.clear("first")
    refused = dict.fromkeys(("first", "confirm", "restore", "seal"), "upstream_failed")
    assert load.end() == Seen("failed", {**ROLLED_BACK, **refused, "snapshot": "failed"}, 1, 1, OLD)


def _rejected(load: Load) -> None:
    """When a human decides against it nothing is rolled back, and the run is red until the group is cleared."""
    load.start("first")
    load.answer("Leave it as it is")
    seen = load.end()
    assert (seen.run, seen.restores) == ("failed", 0)
    assert seen.states == {**ROLLED_BACK, "confirm": "success", "restore": "skipped"}
    assert "the answer was 'Leave it as it is'" in load.told()

    load.tell()
    load.clear("snapshot", downstream=True)
    seen = load.end()
    assert (seen.run, seen.states, seen.creations, seen.restores) == ("success", _states(confirm="skipped"), 1, 0)


STORIES: tuple[tuple[str, Callable[[Load], None]], ...] = (
    ("checkpoint", _a_writer_beside),
    ("checkpoint", _cleared_after_success),
    ("checkpoint", _marked_as_failed),
    ("checkpoint_timed", _timed_out),
    ("checkpoint_deferred", _deferred),
)
ASKING: tuple[tuple[str, Callable[[Load], None]], ...] = (
    ("checkpoint_confirm", _approved),
    ("checkpoint_confirm", _rejected),
)


def test_checkpoints_under_a_real_scheduler(stage: Stage) -> None:
    """Each story ends as told; what asks a human is played where Airflow can ask."""
    assert not stage.airflow.import_errors()
    stories = [*STORIES, *(ASKING if stage.airflow.major >= 3 else ())]

    def play(story: tuple[str, Callable[[Load], None]]) -> str:
        dag_id, tell = story
        try:
            tell(Load(stage.scene(dag_id, tell.__name__.strip("_"))))
        except (AssertionError, TimeoutError) as error:
            return f"{tell.__name__}: {error}".partition("\n---")[0]
        return ""

    wrong = [text for text in all_at_once(play, stories) if text]
    assert not wrong, "\n\n".join(wrong)
