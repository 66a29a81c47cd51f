"""The name of a snapshot that the DAG does not name."""

from __future__ import annotations

from typing import Any

__all__ = ["NameFromRun"]


class NameFromRun:
    """
    The default snapshot name: derived from the run, the same on every try.

    It is an object with a fixed text, because Airflow 2.11 writes a plain function's address into the serialized DAG,
    which would then differ at every parse.

    :param before: What stands before the name, with a hyphen at its end.
    """

    def __init__(self, before: str = "") -> None:
        self.before = before

    def __call__(self, context: Any, jinja_env: Any) -> str:
        """
        Return the name, for example ``orders-etl-20261123t000000z-3f9c2a1b``.

        :param context: Airflow's context.
        :param jinja_env: Renders the connection's id, which is rendered after the name.
        """
        from airflow_css.protocol.errors import CssConfigError
        from airflow_css.protocol.names import derive_name
        from airflow_css.tasks.run_context import identify, moment_of

        conn_id = str(context["task"].css_conn_id)
        if "{{" in conn_id or "{%" in conn_id:
            # Text, because native rendering may bring anything; what is no connection is refused when the task runs.
            conn_id = str(jinja_env.from_string(conn_id).render(context))
        hook = context["task"].hook_class(conn_id)
        # The task's own hook says it in a moment.
        hook.tells_warnings = False
        try:
            deployment = hook.deployment
        except CssConfigError:
            # The task says so in its own words when it runs; rendering must not hide that behind a template error.
            deployment = ""
        return derive_name(
            self.before + context["ti"].dag_id, moment_of(context), *identify(context, deployment).instance
        )

    def __repr__(self) -> str:
        """Return what Airflow shows before the name is known."""
        return "derived from the run"
