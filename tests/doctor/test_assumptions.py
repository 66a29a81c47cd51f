"""The rows that the probe walks: judged by what was seen, and shown as a table."""

from __future__ import annotations

import pytest

from airflow_css.doctor.assumptions import ASSUMPTIONS, Outcome, as_table, walk

SEEN = {
    "listed": ("yes", "no"),
    "status": ("200", "100"),
    "busy": ("CSS.0011 (HTTP 202)", "CSS.3004 (HTTP 409)"),
    "retry_after": ("no", "yes"),
    "delete_building": ("CSS.0029 (HTTP 409)", "accepted"),
    "zone": ("UTC", "UTC+08:00"),
    "missing": ("CSS.0016 (HTTP 404)", "CSS.3026 (HTTP 400)"),
}


@pytest.mark.parametrize("key", SEEN)
def test_what_was_seen_decides(key: str) -> None:
    """A row is confirmed by what it assumes, contradicted by anything else, and otherwise not seen."""
    for seen, outcome in zip((*SEEN[key], None), Outcome, strict=True):
        notes = {} if seen is None else {key: seen}
        (row,) = [row for row in walk(notes, {}) if row.assumption.key == key]
        assert row.outcome is outcome


def test_the_table_has_a_line_for_each_row() -> None:
    """Also what was not seen has its line, so that a report is complete."""
    table = as_table(walk({"listed": "yes"}, {}))
    assert len(table) == 2 + len(ASSUMPTIONS)
    assert table[2] == "| Is a snapshot listed as soon as its creation is answered? | yes | yes | confirmed |"
    assert table[-1].endswith("|  | not seen |")


def test_each_row_has_a_name_of_its_own() -> None:
    """No two rows take what was seen of the other."""
    assert len({assumption.key for assumption in ASSUMPTIONS}) == len(ASSUMPTIONS)
