"""What a mapped task was given: a None that the DAG passes is a missing value, not "default"."""

from __future__ import annotations

from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_css.operators.retention import PruneSnapshotsOperator
from airflow_css.protocol.errors import CssUsageError
from airflow_css.tasks.fields import given

BEGIN = pendulum.datetime(2026, 1, 1, tz="UTC")


def _unmapped(how: str, kwargs: dict[str, Any], **partial: Any) -> Any:
    """Return one instance of a mapped task, as a worker sees it."""
    with DAG("orders_etl", schedule=None, start_date=BEGIN):
        task = PruneSnapshotsOperator.partial(task_id="prune", keep_last=1, **partial)
        if how == "expand_kwargs":
            mapped = task.expand_kwargs([kwargs])
        else:
            mapped = task.expand(**{name: [value] for name, value in kwargs.items()})
    return mapped.unmap(kwargs)


@pytest.mark.parametrize("how", ["expand", "expand_kwargs"])
@pytest.mark.parametrize("field", ["cluster_id", "name_prefix", "hold_ids"])
def test_a_none_among_mapped_values_is_refused(how: str, field: str) -> None:
    """It would widen what is pruned, or lead to another cluster."""
    with pytest.raises(CssUsageError, match="rendered to nothing"):
        given(_unmapped(how, {field: None}), field)


@pytest.mark.parametrize("how", ["expand", "expand_kwargs"])
def test_an_empty_list_among_mapped_values_is_refused(how: str) -> None:
    """It may come from another task, which may have lost what was to be held."""
    with pytest.raises(CssUsageError, match="rendered to nothing"):
        given(_unmapped(how, {"hold_ids": []}), "hold_ids")


@pytest.mark.parametrize("how", ["expand", "expand_kwargs"])
def test_what_is_not_mapped_keeps_its_default(how: str) -> None:
    """A field that the DAG does not give, or gives as None to all, means the default."""
    task = _unmapped(how, {"name_prefix": "orders-"}, name_regex=None)
    assert given(task, "name_prefix") == "orders-"
    assert given(task, "name_regex") is None
    assert given(task, "cluster_id") is None
