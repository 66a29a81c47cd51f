"""
Protect a load, and go on when it went well.

Shows: a checkpoint around a load that succeeds, and a task after it that only ever sees a good load.
Needs: a connection ``css_default`` to an emulator, whose documents this load changes.
You will see: the loaded orders, a restore that was skipped, and of this checkpoint's snapshots the newest three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.checkpoints.task_group import css_checkpoint
from airflow_css.hooks.css import CssHook

if TYPE_CHECKING:
    from airflow_css.emulator.remote import RemoteIndex

INDEX = "orders-2026-11"


def orders() -> RemoteIndex:
    """Return the index that is loaded; on a real cluster this is your search client."""
    from airflow_css.emulator.remote import RemoteIndex

    settings = CssHook().settings
    return RemoteIndex(settings.endpoint, settings.cluster_id, INDEX)


with DAG(
    dag_id="checkpoint_around_load",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "checkpoint"],
    doc_md=__doc__,
) as dag:
    # [START howto_checkpoint_around_load]
    with css_checkpoint(
        "protected", indices=[INDEX], in_place=True, consent="overwrite", retention={"keep_last": 3}
    ) as protected:

        @task
        def load() -> None:
            """Write today's orders."""
            orders().write({"3": {"customer": "ada", "cents": 400}})

        @task
        def check() -> None:
            """Fail when an order costs nothing."""
            free = [key for key, order in orders().documents().items() if order["cents"] <= 0]
            if free:
                raise ValueError(f"These orders cost nothing: {', '.join(free)}.")

        load() >> check()

    @task
    def publish() -> int:
        """Return how many orders can be seen; it does not run when the load was rolled back."""
        return len(orders().documents())

    protected >> publish()
    # [END howto_checkpoint_around_load]
