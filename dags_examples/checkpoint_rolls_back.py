"""
Undo a load that broke.

Shows: a checkpoint around a load that writes nonsense: the check finds out, and the index is as it was before.
Needs: a connection ``css_default`` to an emulator, whose documents this load damages.
You will see: a red run whose verdict says what failed and what was undone, and nothing published.
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
    dag_id="checkpoint_rolls_back",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["css", "checkpoint"],
    doc_md=__doc__,
) as dag:
    # [START howto_checkpoint_rolls_back]
    with css_checkpoint("protected", indices=[INDEX], in_place=True, consent="overwrite") as protected:

        @task
        def load() -> None:
            """Write a feed that has lost its prices, and remove an order that it does not know."""
            orders().write({"1": {"customer": "ada", "cents": 0}, "3": {"customer": "ada", "cents": 0}})
            orders().delete("2")

        @task
        def check() -> None:
            """Fail when an order costs nothing."""
            free = [key for key, order in orders().documents().items() if order["cents"] <= 0]
            if free:
                raise ValueError(f"These orders cost nothing: {', '.join(free)}.")

        load() >> check()

    @task
    def publish() -> int:
        """Return how many orders can be seen; it does not run, because the load was undone."""
        return len(orders().documents())

    protected >> publish()
    # [END howto_checkpoint_rolls_back]
