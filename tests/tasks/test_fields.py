"""What template fields come to: names and prefixes are folded, and the change is told."""

from __future__ import annotations

import pytest

from airflow_css.operators.snapshot import ListSnapshotsOperator
from airflow_css.protocol.errors import CssUsageError
from airflow_css.tasks.fields import folded, folded_prefix
from tests.task_log import reading_the_log


def _task(prefix: str | None) -> ListSnapshotsOperator:
    return ListSnapshotsOperator(task_id="left", name_prefix=prefix)


@pytest.mark.parametrize(("text", "name"), [("orders", "orders"), ("Orders ETL", "orders-etl"), ("2026", "s-2026")])
def test_a_name_is_folded(text: str, name: str) -> None:
    """A legal name stays; another one is changed, and the log says into what."""
    with reading_the_log() as log:
        assert folded(_task(None), "snapshot_name", text) == name
    assert bool(log.having(f"{name!r} is used", "info")) == (text != name)


@pytest.mark.parametrize(
    ("text", "prefix"), [(None, None), ("orders-", "orders-"), ("Orders ", "orders-"), ("orders_etl-2", "orders_etl-2")]
)
def test_a_prefix_keeps_its_end(text: str | None, prefix: str | None) -> None:
    """A prefix is no name: the hyphen at its end stays."""
    with reading_the_log() as log:
        assert folded_prefix(_task(text)) == prefix
    assert bool(log.having("is looked for", "info")) == (text != prefix)


def test_a_prefix_that_no_name_has_is_refused() -> None:
    """A beginning that CSS allows for no name would silently fit nothing."""
    with pytest.raises(CssUsageError, match="starts with a lower-case letter"):
        folded_prefix(_task("2026"))
