"""The table of error codes as the coverage page shows it, made from the table that the code reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_css.protocol.codes import CODE_RULES, STATUS_RULES, Rule

__all__ = ["code_rows", "status_rows"]


def code_rows() -> dict[str, tuple[str, ...]]:
    """Return the cells that the code decides, by error code."""
    return {code: _cells(rule) for rule in CODE_RULES for code in rule.codes}


def status_rows() -> dict[str, tuple[str, ...]]:
    """Return the cells that the code decides, by HTTP status, for answers without a known code."""
    return dict(_status_cells(STATUS_RULES))


def _status_cells(rules: Mapping[int, Rule]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for status, rule in rules.items():
        yield str(status), _cells(rule)


def _cells(rule: Rule) -> tuple[str, ...]:
    sends = {(False, False): "no", (True, False): "reads", (True, True): "all"}[rule.read_repeats, rule.write_repeats]
    return (
        rule.error.__name__,
        rule.meaning,
        sends,
        "yes" if rule.waits else "no",
        "retries" if rule.curable else "fails",
    )
