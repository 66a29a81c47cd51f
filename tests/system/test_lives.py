"""Real retries, clears, marks and runs made again: how many snapshots there are, and whose id is in XCom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.exactly_once.tables import print_table
from tests.system.bench import AirflowBench
from tests.system.scenes import LIST, OPTIONS, POLICY, Scene, Stage, all_at_once, wait_until

pytestmark = pytest.mark.system

ON_EXISTING = ("adopt", "new", "fail")
ORDINALS = ("first", "second", "third")
SAME = ("success 1 first",) * 3
NEW_LIFE = ("success 1 first", "success 2 second", "failed 1 -")
# The snapshot has ended when the cleared task looks again. Airflow 2 runs it again as a retry: the same life. Airflow 3
# mostly adds to the limit of tries, as for any clear, which begins a new life; but not always.
EITHER = ("success 1 first", "success 1 first or success 2 second", "success 1 first or failed 1 -")
A_DAY, ANOTHER_DAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

Story = Callable[[Scene], Iterator[str]]
"""Starts a run, goes on with it, and names each point at which the run has ended and is looked at."""


def _retry_then_clear(scene: Scene) -> Iterator[str]:
    scene.start(first_end="fail")
    scene.wait_for_end()
    yield "retry"
    scene.clear("load")
    scene.wait_for_end()
    yield "another task cleared"
    scene.clear()
    scene.wait_for_end()
    yield "clear after success"


def _fail_then_clear(scene: Scene) -> Iterator[str]:
    scene.start(first_end="fail for good")
    assert scene.wait_for_end() == "failed"
    scene.clear()
    scene.wait_for_end()
    yield "clear after failure"


def _clear_while_running(scene: Scene) -> Iterator[str]:
    """In the worker the wait for the end is cleared; deferrable, the moment after the answer."""
    hold = scene.emulator.faults.hold(POLICY if scene.defers else LIST)
    scene.takes_long()
    scene.start()
    scene.reach(hold)
    pid = scene.airflow.task_pids(scene.dag_id, scene.run_id, "backup").task
    scene.clear()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), f"{scene.dag_id}: the cleared process goes on")
    hold.release()
    scene.time_passes()
    scene.wait_for_end()
    yield "clear while running"


def _delete_and_make_again(scene: Scene) -> Iterator[str]:
    scene.start(logical_date=A_DAY)
    scene.wait_for_end()
    scene.delete_run()
    scene.start(logical_date=A_DAY)
    scene.wait_for_end()
    yield "run made again"


def _clear_while_deferred(scene: Scene) -> Iterator[str]:
    scene.takes_long()
    scene.start()
    scene.wait_for_deferral(LIST)
    scene.clear()
    _let_it_end(scene)
    yield "clear while deferred"


def _fail_while_deferred(scene: Scene) -> Iterator[str]:
    scene.takes_long()
    scene.start()
    scene.wait_for_deferral(LIST)
    scene.mark_failed()
    assert scene.wait_for_end() == "failed"
    assert [snapshot.status_word for snapshot in scene.snapshots()] == ["BUILDING"]
    scene.clear()
    _let_it_end(scene)
    yield "marked failed while deferred, cleared"


def _let_it_end(scene: Scene) -> None:
    scene.wait_for("deferred", "failed")
    scene.time_passes()
    scene.wait_for_end()


@dataclass(frozen=True)
class Told:
    """
    A story and what must come of it.

    :param story: The story.
    :param modes: ``worker``, ``defer``, or both.
    :param run_id: The id of its runs.
    :param expected: By point of the story, for each value of ``on_existing``: state, snapshots, whose id is in XCom.
    :param dag: What the DAG's id ends in.
    """

    story: Story
    modes: tuple[str, ...]
    run_id: str
    expected: Mapping[str, tuple[str, str, str]]
    dag: str = ""


BOTH = ("worker", "defer")
STORIES = (
    Told(
        _retry_then_clear,
        BOTH,
        "retried",
        {"retry": SAME, "another task cleared": SAME, "clear after success": NEW_LIFE},
        dag="_pair",
    ),
    Told(_fail_then_clear, BOTH, "failed", {"clear after failure": NEW_LIFE}),
    Told(_clear_while_running, BOTH, "running", {"clear while running": EITHER}),
    Told(_delete_and_make_again, BOTH, "again", {"run made again": NEW_LIFE}),
    Told(_clear_while_deferred, ("defer",), "deferred", {"clear while deferred": SAME}),
    Told(_fail_while_deferred, ("defer",), "marked", {"marked failed while deferred, cleared": SAME}),
)


def _seen(scene: Scene) -> str:
    ids = [snapshot.id for snapshot in scene.snapshots()]
    which = ORDINALS[ids.index(scene.xcom())] if scene.xcom() in ids else "-"
    return f"{scene.state()} {len(ids)} {which}"


def _play(stage: Stage, told: Told, mode: str, on_existing: str) -> dict[tuple[str, str, str], str]:
    scene = stage.scene(f"{mode}_{on_existing}{told.dag}", told.run_id)
    return {(point, mode, on_existing): _seen(scene) for point in told.story(scene)}


def test_each_life_ends_with_the_snapshot_that_on_existing_says(stage: Stage) -> None:
    """Retries and clears of a running task keep the snapshot; a new life adopts it, makes another, or fails."""
    plays = [(told, mode, word) for told in STORIES for mode in told.modes for word in ON_EXISTING]
    seen: dict[tuple[str, str, str], str] = {}
    for part in all_at_once(lambda play: _play(stage, *play), plays):
        seen |= part
    expected = {
        (point, mode): texts for told in STORIES for point, texts in told.expected.items() for mode in told.modes
    }
    lines = {key: tuple(seen.get((*key, word), "") for word in ON_EXISTING) for key in expected}

    print(stage.airflow.version)  # noqa: T201 - the heading of the table
    print_table(("state, snapshots, id of the", "mode", *ON_EXISTING), [(*key, *texts) for key, texts in lines.items()])
    assert [
        (key, seen_texts)
        for key, seen_texts in lines.items()
        if any(text not in legal.split(" or ") for text, legal in zip(seen_texts, expected[key], strict=True))
    ] == []


def test_two_homes_make_two_snapshots_of_one_cluster(stage: Stage, tmp_path: Path) -> None:
    """Equal ids in another Airflow with another deployment are another task; without the difference it would adopt."""
    first = stage.scene("worker_adopt", "equal")
    first.start(logical_date=ANOTHER_DAY)
    assert first.wait_for_end() == "success"
    shared = first.emulator
    connections = {
        **shared.connection_env("css_other", deployment="development"),
        **shared.connection_env("css_same", deployment="bench"),
    }
    dags = [Path(__file__).with_name("css_dags.py")]
    with AirflowBench(stage.airflow.python, tmp_path / "home", dags, {**OPTIONS, **connections}) as other:
        ids = []
        for conn_id, number in (("css_same", 1), ("css_other", 2)):
            run = replace(first, airflow=other, conn_id=conn_id)
            run.start(logical_date=ANOTHER_DAY)
            assert run.wait_for_end() == "success"
            assert len(run.snapshots()) == number
            ids.append(run.xcom())
            run.delete_run()

    print(f"{stage.airflow.version}: two homes, {len(first.snapshots())} snapshots")  # noqa: T201 - to be seen
    assert ids == [snapshot.id for snapshot in first.snapshots()]
    assert first.xcom() == ids[0]
