"""DAGs for the test of the bench: nothing of the provider, and the same source for Airflow 2 and 3."""

from __future__ import annotations

import logging
import os
import time
from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import BaseOperator, dag, task
from airflow.providers.common.compat.standard.triggers import TimeDeltaTrigger

log = logging.getLogger("airflow.task")


class DeferForOneSecond(BaseOperator):
    """Wait in the triggerer for a second."""

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow calls it so
        """Defer."""
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=1)), method_name="execute_complete")

    def execute_complete(self, context: Any, event: Any) -> str:  # noqa: ARG002 - Airflow calls it so
        """Return after the wait."""
        return "resumed"


@dag(schedule=None)
def bench_push() -> None:
    """Push XComs, plain and mapped."""

    @task
    def push(ti: Any = None) -> str:
        ti.xcom_push(key="fact", value={"list": [1, None, "ä"], "text": "7"})
        log.info('a "quoted" word, %s', os.environ["BENCH_WORD"])
        return "7"

    @task
    def double(number: int) -> int:
        log.info("doubling %d", number)
        return 2 * number

    push() >> double.expand(number=[4, 5])


@dag(schedule=None)
def bench_sleep() -> None:
    """Tell the pid, then sleep, on the first try only."""

    @task(retries=3, retry_delay=timedelta(0))
    def sleep(ti: Any = None) -> int:
        ti.xcom_push(key="pid", value=os.getpid())
        if ti.try_number == 1:
            time.sleep(600)
        return int(ti.try_number)

    sleep()


@dag(schedule=None)
def bench_defer() -> None:
    """Wait in the triggerer."""
    DeferForOneSecond(task_id="defer")


bench_push()
bench_sleep()
bench_defer()
