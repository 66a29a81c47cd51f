"""A backup as an asset of Airflow: how it is declared, and how a run reads the backup that started it."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_css.assets.css import css_asset, triggering_backup
from airflow_css.protocol.errors import CssUsageError

CLUSTER = "4f3deec3-efa8-4598-bf91-560aad1377a3"


def _event(hour: int, **extra: Any) -> Any:
    return SimpleNamespace(timestamp=hour, extra=extra)


def test_the_asset_is_the_one_that_its_uri_names() -> None:
    """Whoever writes the URI by hand means the same asset as whoever calls ``css_asset``."""
    assert css_asset(CLUSTER, "Orders ") == Asset(uri=f"css://{CLUSTER}/orders-")
    assert css_asset(CLUSTER).uri == f"css://{CLUSTER}/"
    assert css_asset(CLUSTER, extra={"owner": "ada"}).extra == {"owner": "ada"}


def test_a_wrong_cluster_is_refused_while_the_dag_is_parsed() -> None:
    """A cluster's name instead of its id is refused with the rule."""
    with pytest.raises(CssUsageError, match="a cluster id is a UUID"):
        css_asset("search-prod", "orders-")


@pytest.mark.parametrize("name", ["triggering_asset_events", "triggering_dataset_events"])
def test_the_newest_backup_of_all_events_is_read(name: str) -> None:
    """Of several events that started a run the newest one that names a backup counts, under both names."""
    events = {"a": [_event(1, backup_id="old"), _event(3, backup_id="new")], "b": [_event(2, backup_id="x"), _event(9)]}
    assert triggering_backup({name: events}) == {"backup_id": "new"}


@pytest.mark.parametrize(
    "context", [{}, {"triggering_asset_events": {}}, {"triggering_asset_events": {"a": [_event(1)]}}]
)
def test_a_run_that_no_backup_started_has_none(context: dict[str, Any]) -> None:
    """By hand, on a schedule, or by an event that names no backup: the error says so, and names both ways out."""
    with pytest.raises(CssUsageError, match="no event of a backup started it") as refused:
        triggering_backup({"run_id": "manual", **context})
    assert "trigger the producer" in str(refused.value)
    example = re.search(r"as the example (\w+\.py) does", str(refused.value))
    assert example
    assert (Path(__file__).parents[2] / "dags_examples" / example[1]).is_file()
