"""DAGs with a restore drill each, for one Airflow process that plays them all."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task

from airflow_css.checkpoints.drill import css_restore_drill
from airflow_css.emulator.remote import RemoteIndex
from airflow_css.hooks.css import CssHook
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

ORDERS = "orders-2026-11"
BEGIN = pendulum.datetime(2026, 1, 1, tz="UTC")


def _index(name: str) -> RemoteIndex:
    settings = CssHook().settings
    return RemoteIndex(settings.endpoint, settings.cluster_id, name)


def remove(names: list[str]) -> None:
    """Remove indices as a user's search client would."""
    for name in names:
        _index(name).drop()


def refuse(_names: list[str]) -> None:
    """Fail to remove anything."""
    raise RuntimeError("told to fail")


DAGS: dict[str, Any] = {}


def _drill(dag_id: str, *, is_wrong: bool = False, stops: bool = False, **parameters: Any) -> None:
    with (
        DAG(dag_id, schedule=None, start_date=BEGIN) as dag,
        css_restore_drill("drill", indices=[ORDERS], **{"clean_up": remove, **parameters}) as drill,
    ):

        @task
        def count(names: list[str]) -> int:
            """Return how many documents came back."""
            return len(_index(names[0]).documents())

        @task
        def compare(names: list[str]) -> None:
            """Fail when a document is not as it was when the backup was made."""
            expected = {} if is_wrong else {"1": {"customer": "ada", "cents": 1250}}
            if _index(names[0]).documents() != expected:
                raise ValueError("not as it was")

        @task.short_circuit(ignore_downstream_trigger_rules=False)
        def ask() -> float:
            """Stop the check when it is told to; on Airflow 2 a task may return what is no JSON."""
            return float(not stops) if stops or AIRFLOW_V_3_0_PLUS else float("nan")

        count(drill.names) >> ask() >> compare(drill.names)

    with dag:

        @task
        def keep(report: dict[str, Any]) -> str:
            """Return what would be written somewhere."""
            return str(report["outcome"])

        keep(drill.report)
    DAGS[dag_id] = dag


_drill("passes")
_drill("passes_deferred", deferrable=True)
_drill("check_fails", is_wrong=True)
_drill("check_is_skipped", stops=True)
_drill("restore_fails", name_prefix="nobody-")
_drill("clean_up_fails", clean_up=refuse)
globals().update(DAGS)
