"""What a rollback is said to have done."""

from __future__ import annotations

from typing import Any

from airflow_css.checkpoints.told import Kept, say_ways_out, say_what_is_back, say_what_stays

PAIRS = [{"source": "orders", "target": "orders"}, {"source": "customers", "target": "customers"}]


def _result(indices: list[dict[str, str]] | None) -> dict[str, Any]:
    return {"snapshot_name": "n", "snapshot_id": "i", "indices": indices}


def test_in_place_the_names_are_told() -> None:
    """Each index that is back is named, with the snapshot; where CSS lists none, that is said generally."""
    assert say_what_is_back(_result(PAIRS), in_place=True) == "Rolled back: orders, customers as in the snapshot n (i)."
    assert say_what_is_back(_result(None), in_place=True) == "Rolled back: the indices as in the snapshot n (i)."


def test_beside_it_is_said_that_the_work_s_indices_stay() -> None:
    """Both names are told, and that nothing was overwritten."""
    said = say_what_is_back(_result([{"source": "orders", "target": "before-orders"}]), in_place=False)
    assert "orders as before-orders." in said
    assert said.endswith("The indices that were worked on are as the work left them.")


def test_what_was_created_is_named() -> None:
    """Only what is in the later snapshot alone was created; a long list is cut."""
    assert say_what_stays(["a", "b"], ["b", "c"]) == "Created by the work and left as they are: c."
    assert say_what_stays(["a"], []) == ""
    assert say_what_stays([], [f"i{n}" for n in range(22)]).endswith("i19 and 2 more.")


def test_after_a_failed_rollback_both_snapshots_are_named() -> None:
    """Each state with name and id, and an operator that works as it is written; nothing where none is known."""
    said = say_ways_out(Kept("id-1", "orders-1", "c-1", "damaged-1 (id-2)"))
    assert "The state before the work is kept in orders-1 (id-1)." in said
    assert "The damaged state is kept in damaged-1 (id-2)." in said
    assert "snapshot_id='id-1'" in said
    assert "existing_indices" not in said
    assert "damaged" not in say_ways_out(Kept("id-1", "orders-1", "c-1"))
    assert say_ways_out(Kept()) == ""
