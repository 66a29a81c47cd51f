"""The own tasks of checkpoints and drills keep to what was asked of them, whatever a DAG's ``default_args`` say."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_css.checkpoints.task_group import css_checkpoint, css_restore_drill

IN_PLACE: dict[str, Any] = {"indices": ["orders"], "in_place": True, "consent": "overwrite"}
WHERE: dict[str, Any] = {"css_conn_id": "prod", "cluster_name": "search-prod"}
HARMFUL: dict[str, Any] = {
    "wait_for_completion": False,
    "allow_partial": True,
    "include_foreign": True,
    "name_prefix": "other-",
    "snapshot_name": "another",
    "existing_indices": "keep",
    "rename_pattern": "(.+)",
    "rename_replacement": "$1-new",
    "do_xcom_push": False,
    "depends_on_past": True,
    "trigger_rule": "all_done",
}
BEGIN: dict[str, Any] = {"trigger_rule": "all_success"}


def _dag(default_args: dict[str, Any], **where: Any) -> Any:
    with DAG("d", schedule=None, default_args=default_args) as dag:
        with css_checkpoint("load", safety_snapshot=True, retention={"keep_last": 1}, **IN_PLACE, **where):
            BaseOperator(task_id="work", **BEGIN)
        with css_restore_drill("drill", clean_up=print, **where):
            BaseOperator(task_id="check", **BEGIN)
    return dag


OWN = ("load.snapshot", "load.safety", "load.restore", "load.prune", "load.verdict", "load.seal", "drill.restore")


@pytest.mark.parametrize("task_id", OWN)
def test_default_args_change_no_meaning(task_id: str) -> None:
    """What waits still waits, what must be whole must be whole, and nothing more is touched."""
    task, plain = _dag(HARMFUL).get_task(task_id), _dag({}).get_task(task_id)
    begins = task_id in ("load.snapshot", "drill.restore")
    # Only the begin may wait for the run before.
    for name in HARMFUL.keys() - ({"depends_on_past"} if begins else set()):
        assert repr(getattr(task, name, None)) == repr(getattr(plain, name, None)), name


def test_the_control_takes_them() -> None:
    """An ordinary task of the same DAG has what the ``default_args`` say."""
    work = _dag(HARMFUL).get_task("load.work")
    assert (work.do_xcom_push, work.depends_on_past) == (False, True)


@pytest.mark.parametrize("task_id", ["load.snapshot", "load.safety", "load.prune", "drill.restore"])
def test_the_dag_says_where(task_id: str) -> None:
    """Connection and cluster of the ``default_args`` count, unless others are given."""
    task = _dag(WHERE).get_task(task_id)
    assert (task.css_conn_id, task.cluster_name, task.cluster_id) == ("prod", "search-prod", None)
    task = _dag(WHERE, css_conn_id="other", cluster_id="c").get_task(task_id)
    assert (task.css_conn_id, task.cluster_name, task.cluster_id) == ("other", None, "c")
    assert _dag({}).get_task(task_id).css_conn_id == "css_default"


def test_the_rollback_goes_where_the_snapshot_was_made() -> None:
    """A cluster's name in the ``default_args`` is no second cluster for the restore, which would refuse two."""
    restore = _dag(WHERE).get_task("load.restore")
    assert restore.cluster_name is None
    assert "load.snapshot" in restore.cluster_id
    assert (restore.css_conn_id, _dag(WHERE).get_task("load.verdict").css_conn_id) == ("prod", "prod")
