"""What a real Airflow writes holds no secret: database, trigger rows, and the logs of tasks and components."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.examples.playing import NEEDLES, SECRET_KEY, TOKEN
from tests.system.scenes import LIST, Stage, all_at_once, wait_until

pytestmark = pytest.mark.system

AT_ONCE, IN_THE_TRIGGER = "refused-at-once", "refused-in-the-trigger"
LEAKED = "leaked-on-purpose-backup"


def _contents(home: Path) -> dict[str, bytes]:
    """Return what each file below a home holds, by its path; the database drops its helpers while one looks."""
    found = {}
    for path in home.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                found[str(path.relative_to(home))] = path.read_bytes()
    return found


def _places(home: Path, needles: tuple[str, ...]) -> set[str]:
    """Return every file below a home that holds one of the words."""
    return {path for path, content in _contents(home).items() if any(needle.encode() in content for needle in needles)}


def _play(stage: Stage, dag_id: str, run_id: str) -> str:
    scene = stage.scene(dag_id, run_id)
    assert TOKEN in scene.emulator.connection_json()
    if run_id == AT_ONCE:
        scene.emulator.change_keys(scene.emulator.access_key, f"{SECRET_KEY}0", TOKEN)
        scene.start()
    else:
        scene.takes_long()
        scene.start()
        scene.wait_for_deferral(LIST)
        rows = stage.airflow.rows(
            "SELECT t.kwargs FROM trigger t JOIN task_instance i ON i.trigger_id = t.id WHERE i.run_id = ?",
            scene.run_id,
        )
        # The row can be read, so the search in the database would find what is in it.
        assert scene.conn_id in str(rows[0][0])
        assert not [needle for needle in NEEDLES if needle in str(rows[0][0])]
        scene.emulator.change_keys(scene.emulator.access_key, f"{SECRET_KEY}0", TOKEN)
    ended = scene.wait_for_end()
    assert 401 in {seen.status for seen in scene.emulator.requests}
    assert "verify aksk signature fail" in scene.log()
    return ended


def test_no_secret_is_written(stage: Stage) -> None:
    """After runs of every kind, and 401s that echo the token to worker and triggerer, no planted word is found."""
    plays = [("worker_adopt", AT_ONCE), ("defer_adopt", AT_ONCE), ("defer_adopt", IN_THE_TRIGGER)]
    assert all_at_once(lambda play: _play(stage, *play), plays) == ["failed"] * 3

    files = _contents(stage.airflow.home)
    print(f"{stage.airflow.version}: searched {len(files)} files, {sum(map(len, files.values()))} bytes")  # noqa: T201 - to be seen
    assert {"airflow.db", "scheduler.log", "triggerer.log", "attempt=1.log"} <= {Path(path).name for path in files}
    assert _places(stage.airflow.home, NEEDLES) == set()


def test_the_search_finds_what_leaks(stage: Stage) -> None:
    """A task that leaks a word on purpose is found out: in its log, the database, and the triggerer's log."""
    scene = stage.scene("leak", "leak")
    cluster_id = scene.emulator.cluster_id
    snapshot_id = scene.emulator.add_snapshot("of-a-stranger", status="BUILDING", takes=1e6)
    scene.start(cluster_id=cluster_id, snapshot_id=snapshot_id)
    scene.wait_for_deferral(LIST)

    folder = "logs/dag_id=leak/run_id=leak/task_id=backup/attempt=1.log"

    def is_in_both_logs() -> bool:
        found = _places(stage.airflow.home, (LEAKED,))
        return folder in found and any(place.startswith(f"{folder}.trigger.") for place in found)

    # The triggerer writes its log when it comes to it.
    wait_until(is_in_both_logs, "the leak is in both logs")
    found = _places(stage.airflow.home, (LEAKED,))
    assert any(place.startswith("airflow.db") for place in found)
    (kwargs,) = stage.airflow.rows(
        "SELECT t.kwargs FROM trigger t JOIN task_instance i ON i.trigger_id = t.id WHERE i.run_id = 'leak'"
    )[0]
    assert LEAKED in str(kwargs)
