"""
What to write in a template instead of a date that the run does not have.

On Airflow 3 a run that was started by an asset or by ``airflow dags trigger`` has no logical date, and none of the
names that are made of it. Airflow renders before the task begins, and says only that the name is undefined.
"""

from __future__ import annotations

from typing import Any

from jinja2 import UndefinedError

__all__ = ["TellsMissingDate"]

# Each is also the name of a filter, which makes the same of any date.
_FILTERS = ("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz")
_ANY_DATE = "dag_run.logical_date or dag_run.run_after"


class TellsMissingDate:
    """A task whose log says what to write instead of a date that its run does not have. Goes before Airflow's class."""

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """
        Render the templates.

        :param context: Airflow's context.
        :param jinja_env: What renders; default the DAG's.
        """
        task: Any = super()
        try:
            task.render_template_fields(context, jinja_env)
        except UndefinedError as error:
            if context.get("logical_date") is None:
                _tell(str(error), task.log)
            raise


def _tell(error: str, log: Any) -> None:
    ways_out = {name: f"({_ANY_DATE}) | {name}" for name in _FILTERS} | {"logical_date": f"({_ANY_DATE})"}
    name = next((name for name in ways_out if error == f"'{name}' is undefined"), None)
    if name is not None:
        log.error(
            "This run has no logical date, so its templates have no %s. In every run there is {{ %s }}.",
            name,
            ways_out[name],
        )
