"""
What to write in a template instead of a date that the run does not have.

On Airflow 3 a run that was started by an asset or by ``airflow dags trigger`` has no logical date, and none of the
names that are made of it. Airflow renders before the task begins, and says only that the name is undefined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_css.triggers.log import Log

__all__ = ["tell_missing_date"]

# Each is also the name of a filter, which makes the same of any date.
_FILTERS = ("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz")
_ANY_DATE = "dag_run.logical_date or dag_run.run_after"


def tell_missing_date(error: Exception, context: Mapping[str, Any], log: Log) -> None:
    """
    Log the expression that works in every run, if rendering failed for want of a logical date.

    :param error: What the rendering raised.
    :param context: Airflow's context.
    :param log: The task's log.
    """
    ways_out = {name: f"({_ANY_DATE}) | {name}" for name in _FILTERS} | {"logical_date": f"({_ANY_DATE})"}
    name = next((name for name in ways_out if str(error) == f"'{name}' is undefined"), None)
    if name and context.get("logical_date") is None:
        log.error(
            "This run has no logical date, so its templates have no %s. In every run there is {{ %s }}.",
            name,
            ways_out[name],
        )
