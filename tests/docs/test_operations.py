"""What the page for whoever runs Airflow names exists: log lines, options, metrics and measured numbers."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import conf

from airflow_css.tasks.metrics import Count, Level, Time
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS
from tests.docs.markdown import page
from tests.house.sources import sources

PAGE = page("docs/operations.md")
LINES = [row[0].strip("`") for row in PAGE.table("text")]
METRICS = [row[0].strip("`") for row in PAGE.table("metric", below="### Airflow's metrics")]
ONLY_IN_AIRFLOW_3 = {"triggerer.capacity_left"}
# What the code puts together while it runs.
PUT_TOGETHER = {"Newest good backup: none": ("Newest good backup: %s", "none")}


def _texts() -> set[str]:
    """Return every text that the package's source holds."""
    nodes = (node for source in sources("airflow_css") for node in ast.walk(source.tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _is_said(line: str, texts: set[str]) -> bool:
    return all(any(part in text for text in texts) for part in PUT_TOGETHER.get(line, (line,)))


def test_each_line_to_alert_on_is_logged() -> None:
    """Who searches the logs for a text of the table finds it, because the code says it so."""
    texts = _texts()
    assert len(LINES) > 5
    assert [line for line in LINES if not _is_said(line, texts)] == []
    assert not _is_said("in a row without any answer", texts)


def test_the_option_for_the_capacity_exists() -> None:
    """This Airflow knows the option by the name that the table gives for it, and its default is the one told."""
    options = {
        version: option.strip("`").split()[1] for version, option, _ in PAGE.table("Airflow", below="### Capacity")
    }
    assert conf.getint("triggerer", options["3" if AIRFLOW_V_3_0_PLUS else "2.11"]) == 1000
    assert "default is 1,000 places" in PAGE.prose


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_is_sent_by_this_airflow(metric: str) -> None:
    """Each name of the table stands in the source of the triggerer or the scheduler."""
    if metric in ONLY_IN_AIRFLOW_3 and not AIRFLOW_V_3_0_PLUS:
        pytest.skip("the table says that it is of Airflow 3")
    spec = find_spec("airflow.jobs")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    assert any(metric in (folder / f"{job}_job_runner.py").read_text() for job in ("triggerer", "scheduler"))


def test_the_measured_numbers_are_those_of_the_benchmarks() -> None:
    """What the page rounds is what was measured."""
    measured = {
        what: value for what, value, _ in page("docs/benchmarks.md").table("what", below="## Waiting in the triggerer")
    }
    memory, share, lag = (float(measured[what].split()[0]) for what in measured)
    assert f"{memory:.0f} MB more memory and {share:.0f} % of a core" in PAGE.prose
    assert f"lagged by {lag:.0f} ms (p99)" in PAGE.prose


def test_the_metrics_are_those_of_the_code() -> None:
    """Each metric has one line with its kind, and no line is of a metric that is not sent."""
    kinds: dict[str, str] = {
        **dict.fromkeys(Count, "count"),
        **dict.fromkeys(Time, "time"),
        **dict.fromkeys(Level, "level"),
    }
    shown = {row[0].strip("`"): row[1] for row in PAGE.table("metric", below="### This package's metrics")}
    assert shown == {str(what): kind for what, kind in kinds.items()}
