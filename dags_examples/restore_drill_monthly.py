"""
Prove each month that the backup can be restored.

Shows: a drill that restores the newest good backup under new names, looks into it, removes it, and reports.
Needs: a connection ``css_default`` that names a default cluster with a good backup of ``orders-*``. What looks into the
cluster is an emulator's here; on a real cluster it is your search client.
You will see: the report as a JSON file below the run's parameter ``reports``, also when the drill failed.
"""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, ObjectStoragePath, task

from airflow_css.checkpoints.task_group import css_restore_drill
from airflow_css.hooks.css import CssHook

if TYPE_CHECKING:
    from airflow_css.emulator.remote import RemoteIndex


def restored(name: str) -> RemoteIndex:
    """Return a restored index; on a real cluster this is your search client."""
    from airflow_css.emulator.remote import RemoteIndex

    settings = CssHook().settings
    return RemoteIndex(settings.endpoint, settings.cluster_id, name)


# [START howto_restore_drill_clean_up]
def remove(names: list[str]) -> None:
    """Delete the restored indices, which CSS has no call for."""
    for name in names:
        restored(name).drop()


# [END howto_restore_drill_clean_up]

with DAG(
    dag_id="restore_drill_monthly",
    # "0 5 1 * *" is the first of each month; None, so that the example runs only when you ask.
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={"reports": f"file://{tempfile.gettempdir()}/css-restore-drills"},
    tags=["css", "restore", "drill"],
    doc_md=__doc__,
) as dag:
    # [START howto_restore_drill]
    with css_restore_drill("drill", indices=["orders-*"], clean_up=remove) as drill:

        @task
        def check(names: list[str]) -> dict[str, int]:
            """Return the documents of each restored index; fail when one cannot be read."""
            return {name: len(restored(name).documents()) for name in names}

        check(drill.names)
    # [END howto_restore_drill]

    # [START howto_restore_drill_report]
    @task
    def keep(report: dict[str, Any], folder: str) -> str:
        """Write the report where it is kept, and return where."""
        path = ObjectStoragePath(folder) / f"{report['run']['run_id'].replace(':', '-')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2))
        return str(path)

    keep(drill.report, "{{ params.reports }}")
    # [END howto_restore_drill_report]
