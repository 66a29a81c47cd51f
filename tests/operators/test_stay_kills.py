"""Real processes, ended by SIGKILL at a deletion: the next try ends well, and only what was asked for is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.holds import When
from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.operators.snapshot import DeleteSnapshotOperator
from tests.exactly_once.player import Play, Player
from tests.marked import mark_of

TASKS: dict[str, tuple[type[Any], dict[str, Any], set[str]]] = {
    "delete": (
        DeleteSnapshotOperator,
        {"snapshot_name": "orders-3", "ignore_missing": False},
        {"orders-1", "orders-2"},
    ),
    "prune": (PruneSnapshotsOperator, {"keep_last": 1}, {"orders-1"}),
}


@pytest.mark.parametrize("takes", [0.0, pytest.param(3.0, marks=pytest.mark.heavy)], ids=["at once", "slowly"])
@pytest.mark.parametrize(("when", "is_lost"), [("before", True), ("before", False), ("after", False)])
@pytest.mark.parametrize("which", TASKS)
def test_a_killed_try_is_made_good_by_the_next(which: str, when: When, *, is_lost: bool, takes: float) -> None:
    """Killed before or after the effect of a deletion, which comes late or never, the next try succeeds."""
    operator_class, parameters, left = TASKS[which]
    with CssEmulator() as emulator:
        for day in (1, 2, 3):
            began = datetime.now(UTC) - timedelta(days=day)
            emulator.add_snapshot(f"orders-{day}", description=mark_of(run_id=f"run-{day}"), started_at=began)
        if takes:
            emulator.faults.slow_deletion(takes)
        hold = emulator.faults.hold("delete_snapshot", when=when)

        def play(try_number: int) -> Player:
            return Player(Play(try_number, emulator.connection_json(), parameters, operator_class=operator_class))

        with play(1) as player:
            hold.wait_until_reached()
            player.kill()
        hold.lose() if is_lost else hold.release()
        with play(2) as player:
            result = player.result()
        assert result["state"] == "success", result
        assert {snapshot.name for snapshot in emulator.snapshots()} == left
