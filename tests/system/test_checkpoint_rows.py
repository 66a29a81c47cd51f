"""The table of checkpoints: which task fails, and what becomes of every task, of the run and of the indices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.system.checkpoint_playing import play_rows

pytestmark = pytest.mark.system

WORK = ("first", "middle[0]", "middle[1]", "middle[2]", "last", "inner.classic", "inner.nested")
OLD = {"old": {"by": "nobody"}}


@pytest.fixture(scope="session")
def played(airflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every row, on one Airflow."""
    return play_rows(airflow_python, tmp_path_factory.mktemp("rows") / "home")


def _states(**changes: str) -> dict[str, str]:
    """Return the states of a run in which all went well, but for these; two underscores stand for a dot."""
    well = dict.fromkeys((*WORK, "before", "after", "snapshot", "verdict", "seal", "cleanup"), "success")
    return {**well, "restore": "skipped", **changes}


def _rolled_back(**changes: str) -> dict[str, str]:
    return _states(**{"restore": "success", "verdict": "failed", "after": "upstream_failed", **changes})


MAPPED_NEVER = {"middle": "upstream_failed"}
NOT_MAPPED = ("middle[0]", "middle[1]", "middle[2]")
STATES: Mapping[str, Mapping[str, str]] = {
    "all_well": _states(),
    "pruned": _states(prune="success"),
    "snapshot_fails": {
        **dict.fromkeys(("first", "middle", "last", "inner.classic", "inner.nested"), "upstream_failed"),
        "before": "success",
        "snapshot": "failed",
        "restore": "upstream_failed",
        "seal": "upstream_failed",
        "verdict": "failed",
        "after": "upstream_failed",
        "cleanup": "success",
    },
    "first_fails": {
        **{name: state for name, state in _rolled_back().items() if name not in NOT_MAPPED},
        "first": "failed",
        "middle": "upstream_failed",
        "last": "upstream_failed",
    },
    "middle_fails": _rolled_back(**{"middle[1]": "failed", "last": "upstream_failed"}),
    "last_fails": _rolled_back(last="failed"),
    "last_fails_with_retry": _rolled_back(last="failed"),
    "first_works_on_retry": _states(),
    "nested_fails": _rolled_back(**{"inner.nested": "failed"}),
    "lenient_last": _rolled_back(**{"middle[1]": "failed"}),
    "restore_fails": _rolled_back(last="failed", restore="failed"),
    "restore_works_on_retry": _rolled_back(last="failed"),
    "users_teardown_fails": _states(cleanup="failed"),
    "safety": _rolled_back(last="failed", safety="success"),
    "safety_fails": _rolled_back(last="failed", safety="failed", restore="failed"),
    "safety_then_fails": _rolled_back(last="failed", safety="success", restore="failed"),
    "report": _rolled_back(last="failed", restore="skipped"),
    "beside": _rolled_back(last="failed"),
    "beside_all_well": _states(),
}


@pytest.mark.parametrize("name", STATES)
def test_every_task_ends_as_documented(played: dict[str, Any], name: str) -> None:
    """Each task ends in its state, and the run is red exactly when something failed that is work."""
    assert played[name]["states"] == STATES[name]
    assert played[name]["run"] == ("failed" if STATES[name]["verdict"] == "failed" else "success")


BACK = (
    *("first_fails", "middle_fails", "last_fails", "last_fails_with_retry", "nested_fails", "lenient_last", "safety"),
    "restore_works_on_retry",
)


@pytest.mark.parametrize("name", BACK)
def test_the_indices_are_as_before_the_work(played: dict[str, Any], name: str) -> None:
    """After a rollback in place each document of the work is gone and each old one is back."""
    indices = played[name]["indices"]
    assert (indices["orders"], indices["customers"]) == (OLD, OLD)
    assert played[name]["told"].startswith("Rolled back: orders, customers as in the snapshot ")


NOT_BACK = ("all_well", "first_works_on_retry", "users_teardown_fails", "restore_fails", "safety_fails", "report")


@pytest.mark.parametrize("name", NOT_BACK)
def test_without_a_rollback_the_work_stays(played: dict[str, Any], name: str) -> None:
    """Where nothing is restored, what the work wrote is there."""
    assert set(played[name]["indices"]["orders"]) > {"old", "first", "nested", "last"}


CALLS = {
    "all_well": (1, 0),
    "snapshot_fails": (1, 0),
    "last_fails": (1, 1),
    "first_works_on_retry": (1, 0),
    "restore_works_on_retry": (1, 2),
    "safety": (2, 1),
    "safety_fails": (2, 0),
    "report": (1, 0),
    "beside": (1, 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_css_is_called_as_often_as_needed(played: dict[str, Any], name: str) -> None:
    """There is one creation for each snapshot, and a restore only when something was to undo."""
    assert (played[name]["creations"], played[name]["restores"]) == CALLS[name]


def test_beside_both_states_are_there(played: dict[str, Any]) -> None:
    """Under new names the old state is there, and the indices that were worked on are as the work left them."""
    indices = played["beside"]["indices"]
    assert [documents for name, documents in indices.items() if name.startswith("rolled-back-")] == [OLD, OLD]
    assert "last" in indices["orders"]


def test_an_index_that_the_work_created_stays_and_is_named(played: dict[str, Any]) -> None:
    """A snapshot holds nothing that would remove it; the backup of the damaged state shows its name."""
    assert "created-by-the-load" in played["safety"]["indices"]
    assert "Created by the work and left as they are: created-by-the-load." in played["safety"]["told"]


def test_the_damaged_state_is_told_apart(played: dict[str, Any]) -> None:
    """It is kept and named, and the state before the work stays the newest good backup of the cluster."""
    row = played["safety"]
    assert f"The damaged state is kept in {row['kept']['damage']}." in row["told"]
    assert row["kept"]["damage"].startswith("damaged-safety-")
    assert row["newest_good"] == row["kept"]["snapshot_id"] != ""
    assert played["safety_fails"]["kept"]["damage"] == ""


def test_after_a_failed_rollback_both_states_are_known(played: dict[str, Any]) -> None:
    """The verdict can name both snapshots, and the newest good backup is the state before."""
    row = played["safety_then_fails"]
    assert row["kept"]["damage"].startswith("damaged-safety_then_fails-")
    assert row["newest_good"] == row["kept"]["snapshot_id"] != ""
    assert row["kept"]["name"].startswith("safety_then_fails-")


def test_a_changed_number_of_shards_fails_the_rollback(played: dict[str, Any]) -> None:
    """CSS does not restore over such an index: the restore task fails, and the run is red."""
    row = played["shards_changed"]
    assert (row["states"]["restore"], row["states"]["verdict"], row["run"]) == ("failed", "failed", "failed")
    assert "old" not in row["indices"]["orders"]
