"""What the tables of these tests share: who made a snapshot, what a try came to, and how a table is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from tests.running import Outcome, TaskRun
from tests.world import World

__all__ = ["description_of", "has_its_id", "identity", "made_by", "print_table"]


def identity(
    run: TaskRun | None = None, *, task_id: str = "backup", deployment: str = "", life: int = 0
) -> RunIdentity:
    """Return the task instance that ``World.run`` plays."""
    run = run or TaskRun()
    return RunIdentity(deployment, "orders_etl", task_id, run.run_id, run.map_index, life)


def description_of(who: RunIdentity) -> str:
    """Return a description that bears the mark of a task instance without an index list."""
    return write_mark(make_mark(who, None))


def made_by(who: RunIdentity, world: World, cluster_id: str | None = None) -> list[Snapshot]:
    """Return what a task instance made in any of its lives on a cluster, default the first, oldest first."""
    mark = make_mark(who, None)
    listed = world.emulator.snapshots(cluster_id)
    return [snapshot for snapshot in reversed(listed) if mark.is_same_instance(snapshot.mark)]


def has_its_id(outcome: Outcome, snapshots: Sequence[Snapshot]) -> bool:
    """Return whether a try ended well with the id of the only snapshot there is."""
    pushed = outcome.xcom.get("return_value"), outcome.xcom.get("backup_id")
    return outcome.state == "success" and len(snapshots) == 1 and pushed == (snapshots[0].id, snapshots[0].id)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their titles, in columns."""
    lines = [[str(cell) for cell in row] for row in [titles, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        text = " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(text.rstrip())  # noqa: T201 - the table is what a reader of the run wants to see
