"""Who is asking, by Airflow's context."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.provenance import RunIdentity
from airflow_css.tasks.run_context import identify, is_first_try, moment_of


def _context(
    max_tries: int | None, retries: int | None, try_number: int = 1, map_index: int | None = -1
) -> dict[str, Any]:
    ti = SimpleNamespace(
        dag_id="orders",
        task_id="group.backup",
        run_id="manual__1",
        map_index=map_index,
        try_number=try_number,
        max_tries=max_tries,
    )
    return {"ti": ti, "task": SimpleNamespace(retries=retries)}


# What Airflow counts at each point of a task instance's history: max_tries, retries, number of the try; then the life.
LIVES = {
    "first try, no retries": (0, 0, 1, 0),
    "first try, three retries": (3, 3, 1, 0),
    "last retry": (3, 3, 4, 0),
    "cleared after its first success": (4, 3, 2, 1),
    "retry after that clear": (4, 3, 3, 1),
    "cleared after all tries": (7, 3, 5, 4),
    "cleared without retries": (1, 0, 2, 1),
    "cleared twice": (2, 0, 3, 2),
    "retries were raised in the DAG since": (3, 5, 2, 0),
    "nothing known yet": (None, None, 1, 0),
    "no limit known": (None, 3, 1, 0),
}


@pytest.mark.parametrize("case", LIVES)
def test_a_life_ends_with_a_clear(case: str) -> None:
    """Tries stay in a life, a clear begins the next, and no life is below zero."""
    max_tries, retries, try_number, life = LIVES[case]
    context = _context(max_tries, retries, try_number)
    identity = identify(context, "prod")
    assert identity.life == life
    assert is_first_try(context, identity) is (case.startswith(("first try", "nothing", "no limit")))


@pytest.mark.parametrize(("map_index", "expected"), [(-1, -1), (None, -1), (0, 0), (7, 7)])
def test_an_identity_is_read_in_full(map_index: int | None, expected: int) -> None:
    """Every part of the identity comes from the context, and an unmapped task has the index -1."""
    identity = identify(_context(0, 0, map_index=map_index), "prod")
    assert identity == RunIdentity("prod", "orders", "group.backup", "manual__1", expected, 0)


LOGICAL, DUE = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"logical_date": LOGICAL}, LOGICAL),
        ({"logical_date": LOGICAL, "run_after": DUE}, LOGICAL),
        ({"logical_date": None, "run_after": DUE}, DUE),
    ],
)
def test_a_run_stands_for_its_logical_date_else_for_when_it_was_due(dates: dict[str, Any], expected: datetime) -> None:
    """A run that an asset started has no logical date."""
    assert moment_of({"dag_run": SimpleNamespace(run_id="r", **dates)}) == expected


@pytest.mark.parametrize("dates", [{"logical_date": None}, {"logical_date": None, "run_after": None}])
def test_a_run_without_any_date_is_refused(dates: dict[str, Any]) -> None:
    """The message names the run and a name to give by hand."""
    with pytest.raises(CssUsageError, match=r"'manual__1'.*run_id"):
        moment_of({"dag_run": SimpleNamespace(run_id="manual__1", **dates)})
