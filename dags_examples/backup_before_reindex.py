"""
Back up an index before it is replaced by one with more shards.

Shows: a backup of one index; a reindexing, since no restore can change the number of shards; and a careful end.
Needs: a connection ``css_default`` to an emulator, whose documents are moved.
You will see: the documents in the new index, the old index gone, and a good backup that still holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import CreateSnapshotOperator

if TYPE_CHECKING:
    from airflow_css.emulator.remote import RemoteIndex

OLD, NEW = "orders-2026-11", "orders-2026-11-v2"
SHARDS = 6


def index(name: str) -> RemoteIndex:
    """Return an index; on a real cluster this is your search client."""
    from airflow_css.emulator.remote import RemoteIndex

    settings = CssHook().settings
    return RemoteIndex(settings.endpoint, settings.cluster_id, name)


with DAG(
    dag_id="backup_before_reindex",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "backup"],
    doc_md=__doc__,
) as dag:
    # [START howto_backup_before_reindex]
    # Nothing but a good snapshot that holds this index lets the tasks below run.
    backup = CreateSnapshotOperator(task_id="backup", indices=[OLD])

    @task
    def reindex() -> None:
        """Copy the documents into a new index with more shards; a retry begins it anew."""
        if index(NEW).exists:
            index(NEW).drop()
        index(NEW).create(SHARDS)
        index(NEW).write(index(OLD).documents())

    @task
    def compare() -> int:
        """Return how many documents were moved; fail when one is missing or differs."""
        moved = index(NEW).documents()
        if moved != index(OLD).documents():
            raise ValueError(f"{NEW} does not hold what {OLD} holds.")
        return len(moved)

    @task
    def remove_old() -> None:
        """Remove the old index, which only the backup holds then."""
        index(OLD).drop()

    backup >> reindex() >> compare() >> remove_old()
    # [END howto_backup_before_reindex]
