"""Which snapshots are meant: scopes reach as far as they say, and names narrow them down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from airflow_css.protocol.selection import NameFilter, Ownership, Selection, SnapshotFilter

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUN = RunIdentity("prod", "orders", "backup", "run1")


def _made_by(run: RunIdentity, **fields: Any) -> Snapshot:
    return Snapshot("id", **({"name": "orders-1", "description": write_mark(make_mark(run, None))} | fields))


MAKERS = {
    "the task": RUN,
    "a mapped one": replace(RUN, map_index=0),
    "the last mapped one": replace(RUN, map_index=4095),
    "another run": replace(RUN, run_id="run2"),
    "another life": replace(RUN, life=3),
    "another task": replace(RUN, task_id="other"),
    "another DAG": replace(RUN, dag_id="stock"),
    "another deployment": replace(RUN, deployment="dev"),
}
INSTANCES = {"the task", "a mapped one", "the last mapped one", "another run", "another life"}
REACH = {
    "task": INSTANCES,
    "dag": INSTANCES | {"another task"},
    "deployment": INSTANCES | {"another task", "another DAG"},
    "package": set(MAKERS),
}


@pytest.mark.parametrize("scope", REACH)
def test_a_scope_reaches_as_far_as_it_says(scope: str) -> None:
    """Each scope takes in exactly the makers of its name, all map indexes, runs and lives of them."""
    owner = Ownership("prod", "orders", scope, ["backup"] if scope == "task" else ())
    selection = Selection(owner)
    selection.check()
    assert {maker for maker, run in MAKERS.items() if not selection.why_not(_made_by(run))} == REACH[scope]


def test_a_scope_of_several_tasks_takes_in_each() -> None:
    """Two tasks of one DAG can be pruned together, and others stay out."""
    owner = Ownership("prod", "orders", "task", ["backup", "other"])
    assert not owner.why_not(make_mark(replace(RUN, task_id="other"), None))
    assert owner.why_not(make_mark(replace(RUN, task_id="third"), None)) == "made by another task"


NAMES: list[tuple[NameFilter, str]] = [
    (NameFilter(prefix="orders-"), ""),
    (NameFilter(prefix="orders", regex=r"orders-\d"), ""),
    (NameFilter(regex="orders"), "its name does not match orders"),
    (NameFilter(prefix="rders-"), "its name does not begin with rders-"),
]


@pytest.mark.parametrize(("name", "why"), NAMES)
def test_a_name_is_matched_from_its_beginning_to_its_end(name: NameFilter, why: str) -> None:
    """A part of a name is not enough for a regular expression, so that ``tmp`` does not mean ``orders-tmp-kept``."""
    assert name.why_not("orders-1") == why
    assert Selection(Ownership("prod", "orders"), name=name).why_not(_made_by(RUN)) == why


ILLEGAL: list[tuple[str, Any]] = [
    ("scope 'world'", Ownership("prod", "orders", "world")),
    (r"task_ids \(\)", Ownership("prod", "orders", "task")),
    ("task_ids 'backup'", Ownership("prod", "orders", "task", "backup")),
    ("scope 'dag'", Ownership("prod", "orders", "dag", ["backup"])),
    ("name_prefix ''", NameFilter(prefix="")),
    ("name_regex ''", NameFilter(regex="")),
    (r"name_regex '\('", NameFilter(regex="(")),
    ("include_foreign True", Selection(Ownership("prod", "orders"), include_foreign=True)),
    ("scope 'world'", Selection(Ownership("prod", "orders", "world"))),
    ("status 'COMPLETE'", SnapshotFilter(statuses=["COMPLETE"])),
    ("statuses 'FAILED'", SnapshotFilter(statuses="FAILED")),
    ("kind 'hand-made'", SnapshotFilter(kind="hand-made")),
    ("older_than 'old'", SnapshotFilter(older_than="old")),
    ("newer_than datetime", SnapshotFilter(newer_than=timedelta())),
    ("name_regex", SnapshotFilter(name=NameFilter(regex="["))),
    ("scope 'world'", SnapshotFilter(owner=Ownership("prod", "orders", "world"))),
]


@pytest.mark.parametrize(("said", "given"), ILLEGAL, ids=str)
def test_what_cannot_be_meant_is_refused(said: str, given: Any) -> None:
    """The message names the parameter and its value."""
    with pytest.raises(CssUsageError, match=said):
        given.check()


GOOD = _made_by(RUN, status=SnapshotStatus.COMPLETED, started_at=NOW - timedelta(days=3))
AUTOMATIC = Snapshot("id", "auto-1", SnapshotStatus.FAILED, is_automatic=True, started_at=NOW - timedelta(days=1))
AGELESS = Snapshot("id", "hand-1", SnapshotStatus.COMPLETED)
FUTURE = Snapshot("id", "odd-1", SnapshotStatus.BUILDING, started_at=NOW + timedelta(days=1))

FILTERS: list[tuple[SnapshotFilter, str]] = [
    (SnapshotFilter(), "orders auto hand odd"),
    (SnapshotFilter(statuses=["COMPLETED"]), "orders hand"),
    (SnapshotFilter(statuses=["FAILED", "BUILDING"]), "auto odd"),
    (SnapshotFilter(kind="manual"), "orders hand odd"),
    (SnapshotFilter(kind="automatic"), "auto"),
    (SnapshotFilter(name=NameFilter(prefix="orders-")), "orders"),
    (SnapshotFilter(older_than="2d"), "orders"),
    (SnapshotFilter(older_than="3d"), ""),
    (SnapshotFilter(newer_than="2d"), "auto odd"),
    (SnapshotFilter(newer_than=timedelta(days=4), older_than="12h"), "orders auto"),
    (SnapshotFilter(owner=Ownership("prod", "orders")), "orders"),
    (SnapshotFilter(owner=Ownership("prod", "stock")), ""),
    (SnapshotFilter(statuses=["COMPLETED"], kind="manual", older_than="1d"), "orders"),
]


@pytest.mark.parametrize(("wanted", "shown"), FILTERS, ids=str)
def test_a_filter_shows_what_fits_all_of_it(wanted: SnapshotFilter, shown: str) -> None:
    """Whatever is given narrows the list, and whatever is not given does not."""
    wanted.check()
    listed = [GOOD, AUTOMATIC, AGELESS, FUTURE]
    assert [s.name.partition("-")[0] for s in listed if wanted.matches(s, NOW)] == shown.split()
