"""Which indices a restore brings, under which names, and what it does to those that are there."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.restores import RestoreEntry, indices_to_restore
from tests.emulator.callers import Caller

HELD = {"orders-1": 3, "orders-2": 2, ".kibana_1": 1, ".opendistro_security": 1}


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("", ["orders-1", "orders-2"]),
        ("*", ["orders-1", "orders-2"]),
        ("orders-*,-orders-2", ["orders-1"]),
        (".kibana*", [".kibana_1"]),
        (".kibana_1,orders-1", ["orders-1", ".kibana_1"]),
        (".opendistro_security", []),
        (".*", []),
        ("nothing-*", []),
    ],
)
def test_an_index_list_means_these_indices_in_a_restore(wanted: str, chosen: list[str]) -> None:
    """Kibana's indices come only when named, the security plugin's never."""
    assert indices_to_restore(wanted, HELD) == {name: HELD[name] for name in HELD if name in chosen}


def _restored(
    present: dict[str, int], existing_index: Literal["keep", "fail"] = "keep", **fields: Any
) -> tuple[dict[str, int], RestoreEntry]:
    """Return what a cluster holds after a restore of orders-1 (3 shards) and orders-2 (2), and the restore."""
    emulator = CssEmulator(indices=HELD, clock=TurnableClock(frozen=True), existing_index=existing_index)
    caller = Caller(emulator)
    old = emulator.add_snapshot("old-one")
    emulator.change_cluster(indices=present)
    assert caller.restore(old, **fields).status == 201
    caller.advance(2)
    (word,) = (entry["restoreStatus"] for entry in caller.listed())
    (restore,) = emulator.restores()
    assert word == restore.status
    return emulator.indices(), restore


def test_a_restore_adds_to_what_is_there() -> None:
    """What is not in the snapshot stays."""
    now, restore = _restored({"customers": 1})
    assert now == {"customers": 1, "orders-1": 3, "orders-2": 2}
    assert (restore.status, set(restore.brought), restore.kept, restore.replaced) == (
        "success",
        {"orders-1", "orders-2"},
        (),
        (),
    )


def test_a_name_that_exists_is_kept_or_fails_the_restore() -> None:
    """Without overwriting, one end leaves that index alone and brings the others, the other brings nothing."""
    now, restore = _restored({"orders-1": 7})
    assert (now, restore.status, restore.kept) == ({"orders-1": 7, "orders-2": 2}, "success", ("orders-1",))
    now, restore = _restored({"orders-1": 7}, "fail")
    assert (now, restore.status) == ({"orders-1": 7}, "failed")
    assert "orders-1" in restore.reason


@pytest.mark.parametrize("existing_index", ["keep", "fail"])
def test_overwriting_replaces_an_index_of_as_many_shards(existing_index: Literal["keep", "fail"]) -> None:
    """Asked to overwrite, the restore replaces what fits, whatever happens without."""
    now, restore = _restored({"orders-1": 3}, existing_index, replace_exist_indices=True)
    assert (now, restore.status, restore.replaced) == ({"orders-1": 3, "orders-2": 2}, "success", ("orders-1",))


def test_overwriting_never_changes_the_number_of_shards() -> None:
    """An index of another number of shards makes the restore fail, and nothing changes."""
    now, restore = _restored({"orders-1": 7}, replace_exist_indices=True)
    assert (now, restore.status, restore.brought) == ({"orders-1": 7}, "failed", {})
    assert "shards" in restore.reason


def test_a_renaming_avoids_the_conflict() -> None:
    """Under other names everything comes beside what is there."""
    now, restore = _restored({"orders-1": 7}, "fail", rename_pattern="(.+)", rename_replacement="$1-old")
    assert (now, restore.status) == ({"orders-1": 7, "orders-1-old": 3, "orders-2-old": 2}, "success")


@pytest.mark.parametrize("half", [{"rename_pattern": "(.+)"}, {"rename_replacement": "new-$1"}])
def test_half_a_renaming_is_none(half: dict[str, Any]) -> None:
    """Pattern and replacement only work together."""
    now, _ = _restored({}, **half)
    assert set(now) == {"orders-1", "orders-2"}


@pytest.mark.parametrize(("pattern", "replacement"), [("orders-.", "all"), ("(orders", "x"), ("orders", "x$1")])
def test_a_renaming_that_cannot_be_ends_in_failure(pattern: str, replacement: str) -> None:
    """Two indices of one name, and what the engine cannot read, fail without changing anything."""
    now, restore = _restored({}, rename_pattern=pattern, rename_replacement=replacement)
    assert (now, restore.status) == ({}, "failed")
    assert restore.reason


NAMES = st.dictionaries(st.sampled_from([f"orders-{n}" for n in range(5)]), st.integers(1, 2), max_size=5)


@given(held=NAMES, present=NAMES, replace=st.booleans(), existing_index=st.sampled_from(["keep", "fail"]))
def test_a_restore_is_whole_or_nothing(
    held: dict[str, int],
    present: dict[str, int],
    replace: bool,  # noqa: FBT001 - drawn
    existing_index: Literal["keep", "fail"],
) -> None:
    """A failed restore changes nothing; a good one loses nothing, and has every index of the snapshot."""
    caller = Caller(CssEmulator(indices=held, clock=TurnableClock(frozen=True), existing_index=existing_index))
    old = caller.emulator.add_snapshot("old-one")
    caller.emulator.change_cluster(indices=dict(present))
    caller.restore(old, replace_exist_indices=replace)
    caller.advance(2)
    (restore,) = caller.emulator.restores()
    now = set(caller.emulator.indices())
    if restore.status == "failed":
        assert now == set(present)
    else:
        assert now == set(held) | set(present)
        assert set(restore.kept) | set(restore.replaced) == set(held) & set(present)
