"""The link from a task to its snapshot in the console."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import BaseOperatorLink

from airflow_css.hooks.css import CssHook

__all__ = ["SnapshotLink", "persist_link"]


# Where a task keeps its address as long as it is in a worker: asking for the XCom costs a call.
_REMEMBERED = "_css_snapshot_link"


class SnapshotLink(BaseOperatorLink):
    """
    Leads to the snapshot in the console, from the moment its id is known.

    CSS documents no address for a snapshot, so there is a link only when the connection's extra
    ``console_url_template`` says what it looks like.
    """

    name = "CSS snapshot"

    @property
    def xcom_key(self) -> str:
        """The key of the XCom that holds the address; Airflow 3 shows what stands there, also while the task runs."""
        return "_link_SnapshotLink"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """
        Return the address, or an empty text when there is none. Never raises: a link must not break the page.

        :param operator: The task.
        :param ti_key: The task instance.
        """
        known = getattr(operator, _REMEMBERED, None)
        if known is not None:
            return str(known)
        # Imported here: a DAG file that names an operator pays for this module at every parse.
        from airflow.providers.common.compat.sdk import XCom

        try:
            return str(XCom.get_value(key=self.xcom_key, ti_key=ti_key) or "")
        except Exception:  # noqa: BLE001 - whatever is wrong with the XCom, the page about the task must come up
            return ""


def persist_link(context: Any, hook: CssHook, *, cluster_id: str, snapshot_id: str) -> None:
    """
    Push the address of a snapshot, if the connection says what it looks like.

    Called again when a task goes on after a wait: Airflow 3 asks it for its links at the end, and would log an error if
    it had to look for an XCom that was never pushed.

    :param context: Airflow's context.
    :param hook: Its connection has the template.
    :param cluster_id: The cluster.
    :param snapshot_id: The snapshot.
    """
    settings = hook.settings
    address = ""
    if settings.console_url_template:
        from airflow_css.hooks.console_url import fill_template

        address = fill_template(
            settings.console_url_template,
            region=settings.region,
            project_id=settings.project_id,
            cluster_id=cluster_id,
            snapshot_id=snapshot_id,
        )
    setattr(context["task"], _REMEMBERED, address)
    if address:
        context["ti"].xcom_push(key=SnapshotLink().xcom_key, value=address)
