"""CreateSnapshotOperator, run by Airflow's task runner against the emulator over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.world import World


def test_a_run_makes_one_snapshot_and_gives_its_id(world: World) -> None:
    """A run makes one snapshot, waits for its end, and pushes its id and its facts."""
    outcome = world.run(indices=["orders-*", "customers"])

    assert outcome.error is None
    assert outcome.state == "success"
    (snapshot,) = world.emulator.snapshots()
    assert outcome.xcom["return_value"] == outcome.xcom["backup_id"] == snapshot.id
    assert outcome.xcom["snapshot_name"] == snapshot.name
    assert outcome.xcom["cluster_id"] == world.emulator.cluster_id
    assert outcome.xcom["snapshot"] == snapshot.as_json()
    assert outcome.xcom["snapshot"]["duration_seconds"] == 300
    assert world.emulator.count("create_snapshot") == 1
