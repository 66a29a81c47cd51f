"""The documents of an index: written, looked at, kept by snapshots and brought back by restores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.documents import (
    LARGEST_DOCUMENT_BYTES,
    MOST_DOCUMENTS,
    MOST_INDICES,
    EmulatedIndex,
    IndexClosedError,
)
from airflow_css.emulator.exchange import Refusal
from tests.emulator.callers import Caller

GOOD = {"1": {"cents": 1250}, "2": {"cents": 990}}
BAD = {"1": {"cents": -1}}


@pytest.fixture
def orders(caller: Caller) -> EmulatedIndex:
    """Return an index of three shards with good documents."""
    index = caller.emulator.index("orders-2026-11")
    index.write(GOOD)
    return index


def _snapshot(caller: Caller, name: str = "good-one", **fields: Any) -> str:
    snapshot_id = caller.created(name, **fields).id
    caller.advance(2)
    return snapshot_id


def _restore(caller: Caller, snapshot_id: str, **fields: Any) -> str:
    """Restore a snapshot to its end and return how it ended."""
    assert caller.restore(snapshot_id, **fields).status == 201
    caller.advance(2)
    return caller.emulator.restores(fields.get("target"))[-1].status


def test_documents_are_written_changed_and_removed(orders: EmulatedIndex) -> None:
    """Each call does what it says, and the index keeps its shards."""
    assert (orders.exists, orders.shards, orders.documents()) == (True, 3, GOOD)
    orders.write({"2": {"cents": 1}, "3": {}})
    orders.delete("1", "3")
    assert orders.documents() == {"2": {"cents": 1}}
    orders.clear()
    assert (orders.shards, orders.documents()) == (3, {})
    orders.drop()
    assert not orders.exists
    orders.create(3)
    assert (orders.shards, orders.documents()) == (3, {})


def test_writing_makes_an_index_as_the_engine_does(caller: Caller) -> None:
    """One that does not exist gets one shard; making it again changes nothing."""
    caller.emulator.index("totals").write({"1": {}})
    caller.emulator.index("totals").create(1)
    assert caller.emulator.indices()["totals"] == 1
    assert caller.emulator.index("totals").documents() == {"1": {}}


def test_nobody_shares_a_document(orders: EmulatedIndex) -> None:
    """What is written later to a given or a returned object changes nothing in the cluster."""
    given: dict[str, Any] = {"lines": [1]}
    orders.write({"1": given})
    given["lines"].append(2)
    orders.documents()["1"]["lines"].append(3)
    assert orders.documents()["1"] == {"lines": [1]}


@pytest.mark.parametrize(
    "change",
    [
        EmulatedIndex.documents,
        lambda index: index.shards,
        lambda index: index.delete("1"),
        EmulatedIndex.clear,
        EmulatedIndex.drop,
    ],
)
def test_what_does_not_exist_is_told(caller: Caller, change: Callable[[EmulatedIndex], object]) -> None:
    """A missing index is a LookupError that names it."""
    with pytest.raises(LookupError, match="has no index nothing"):
        change(caller.emulator.index("nothing"))


def test_of_several_documents_all_or_none_are_removed(orders: EmulatedIndex) -> None:
    """One that is missing leaves the others."""
    with pytest.raises(LookupError, match="no document 7"):
        orders.delete("1", "7")
    assert orders.documents() == GOOD


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ({"9": [1]}, "is a JSON object"),
        ({"": {}}, "has 1 to 512 bytes"),
        ({"ü" * 257: {}}, "has 1 to 512 bytes"),
        ({1: {}}, "is a text"),
        ({"9": {"text": "x" * LARGEST_DOCUMENT_BYTES}}, "larger than 16384 bytes"),
        ({"9": {"price": float("nan")}}, "JSON"),
        ({str(number): {} for number in range(MOST_DOCUMENTS + 1)}, "at most 10000 documents"),
    ],
)
def test_what_cannot_be_held_is_refused_whole(orders: EmulatedIndex, documents: Any, message: str) -> None:
    """The message says why, and nothing of the call is written."""
    with pytest.raises(ValueError, match=message):
        orders.write({"8": {}, **documents})
    assert orders.documents() == GOOD


@pytest.mark.parametrize("name", ["", "Orders", "_orders", "-orders", "a,b", "a b", "a*", ".", "..", "a" * 256])
def test_a_name_that_the_engine_refuses_is_refused(caller: Caller, name: str) -> None:
    """No index is made."""
    with pytest.raises(ValueError, match="is no name of an index"):
        caller.emulator.index(name).create()
    assert name not in caller.emulator.indices()


def test_the_number_of_shards_never_changes(orders: EmulatedIndex) -> None:
    """Another number needs a new index, as on the engine."""
    with pytest.raises(ValueError, match="has 3 shards; drop it first"):
        orders.create(1)
    with pytest.raises(ValueError, match="shards is a whole number from 1 to 1024"):
        orders.create(0)
    assert orders.documents() == GOOD


def test_the_number_of_indices_is_bounded(caller: Caller) -> None:
    """The emulator holds a few documents, not a database."""
    caller.emulator.change_cluster(indices={f"i{number}": 1 for number in range(MOST_INDICES)})
    with pytest.raises(ValueError, match="at most 1000 indices"):
        caller.emulator.index("one-more").create()


def test_indices_set_by_name_go_on_working(caller: Caller, orders: EmulatedIndex) -> None:
    """An index that stays keeps its documents, one that goes loses them for good."""
    caller.emulator.change_cluster(indices={"orders-2026-11": 3})
    assert orders.documents() == GOOD
    caller.emulator.change_cluster(indices={})
    caller.emulator.change_cluster(indices={"orders-2026-11": 3})
    assert orders.documents() == {}
    with pytest.raises(TypeError, match="no documents to change"):
        caller.emulator.change_cluster(documents={})


def test_a_snapshot_is_of_the_moment_it_begins(caller: Caller, orders: EmulatedIndex) -> None:
    """What is written while it is being made is not in it."""
    snapshot_id = caller.created("good-one").id
    orders.write(BAD)
    caller.advance(2)
    orders.drop()
    assert _restore(caller, snapshot_id) == "success"
    assert (orders.shards, orders.documents()) == (3, GOOD)


def test_a_restore_keeps_what_is_there(caller: Caller, orders: EmulatedIndex) -> None:
    """Without overwriting, a damaged index stays as it is, and a deleted one comes back."""
    customers = caller.emulator.index("customers")
    customers.write({"ada": {}})
    snapshot_id = _snapshot(caller)
    orders.write(BAD)
    customers.drop()
    assert _restore(caller, snapshot_id) == "success"
    assert (orders.documents(), customers.documents()) == ({**GOOD, **BAD}, {"ada": {}})


def test_a_conflict_that_fails_brings_nothing(caller: Caller) -> None:
    """Where an existing index fails the restore, the deleted one does not come back either."""
    caller = Caller(CssEmulator(clock=TurnableClock(frozen=True), existing_index="fail"))
    orders, customers = caller.emulator.index("orders-2026-11"), caller.emulator.index("customers")
    orders.write(GOOD)
    snapshot_id = _snapshot(caller)
    orders.write(BAD)
    customers.drop()
    assert _restore(caller, snapshot_id) == "failed"
    assert (orders.documents(), customers.exists) == ({**GOOD, **BAD}, False)


def test_overwriting_brings_the_documents_back(caller: Caller, orders: EmulatedIndex) -> None:
    """What was changed, added, removed or emptied is as it was; an index made since stays."""
    snapshot_id = _snapshot(caller, indices="orders-2026-11")
    orders.clear()
    orders.write({"3": {}})
    caller.emulator.index("totals").write(BAD)
    assert _restore(caller, snapshot_id, replace_exist_indices=True) == "success"
    assert (orders.documents(), caller.emulator.index("totals").documents()) == (GOOD, BAD)


def test_overwriting_empties_what_was_empty(caller: Caller, orders: EmulatedIndex) -> None:
    """An index without documents in the snapshot has none afterwards."""
    orders.clear()
    snapshot_id = _snapshot(caller)
    orders.write(BAD)
    assert _restore(caller, snapshot_id, replace_exist_indices=True) == "success"
    assert orders.documents() == {}


def test_another_number_of_shards_is_never_overwritten(caller: Caller, orders: EmulatedIndex) -> None:
    """The restore fails, and the documents of every index stay."""
    snapshot_id = _snapshot(caller)
    orders.drop()
    orders.create(5)
    orders.write(BAD)
    caller.emulator.index("customers").write(BAD)
    assert _restore(caller, snapshot_id, replace_exist_indices=True) == "failed"
    assert (orders.shards, orders.documents()) == (5, BAD)
    assert caller.emulator.index("customers").documents() == BAD


def test_documents_come_under_new_names(caller: Caller, orders: EmulatedIndex) -> None:
    """The copy has the documents of the snapshot, the original those of now."""
    snapshot_id = _snapshot(caller, indices="orders-*")
    orders.write(BAD)
    assert _restore(caller, snapshot_id, rename_pattern="(.+)", rename_replacement="$1-old") == "success"
    assert caller.emulator.index("orders-2026-11-old").documents() == GOOD
    assert orders.documents() == {**GOOD, **BAD}


def test_documents_come_to_another_cluster(caller: Caller, orders: EmulatedIndex) -> None:
    """The other cluster gets them, the source keeps its own."""
    other = caller.emulator.add_cluster("other", indices={})
    snapshot_id = _snapshot(caller)
    orders.write(BAD)
    assert _restore(caller, snapshot_id, target=other) == "success"
    assert caller.emulator.index("orders-2026-11", other).documents() == GOOD
    assert orders.documents() == {**GOOD, **BAD}


def test_a_planted_snapshot_holds_today_s_documents(caller: Caller, orders: EmulatedIndex) -> None:
    """One that is put into the list can be restored like one that was made."""
    snapshot_id = caller.emulator.add_snapshot("old-one")
    orders.clear()
    assert _restore(caller, snapshot_id, replace_exist_indices=True) == "success"
    assert orders.documents() == GOOD


@pytest.mark.parametrize(
    "use",
    [
        EmulatedIndex.documents,
        lambda index: index.shards,
        EmulatedIndex.create,
        lambda index: index.write(BAD),
        lambda index: index.delete("1"),
        EmulatedIndex.clear,
        EmulatedIndex.drop,
    ],
)
@pytest.mark.parametrize("name", ["orders-2026-11", "customers"])
def test_an_index_that_is_being_restored_is_closed(
    caller: Caller, orders: EmulatedIndex, name: str, use: Callable[[EmulatedIndex], object]
) -> None:
    """Until the restore ends, nobody reads or writes it, whether it is there already or comes back."""
    snapshot_id = _snapshot(caller)
    caller.emulator.index("customers").drop()
    caller.restore(snapshot_id, replace_exist_indices=True)
    index = caller.emulator.index(name)
    with pytest.raises(IndexClosedError, match="is being restored"):
        use(index)
    was_closed = index.is_closed
    caller.advance(2)
    assert (was_closed, index.is_closed) == (True, False)
    assert index.documents() == (GOOD if name == orders.name else {})


@pytest.mark.parametrize("existing_index", ["keep", "fail"])
def test_an_index_that_a_restore_leaves_alone_stays_open(existing_index: Literal["keep", "fail"]) -> None:
    """One that is kept, or that makes the restore fail, can be used meanwhile."""
    caller = Caller(CssEmulator(clock=TurnableClock(frozen=True), existing_index=existing_index))
    orders = caller.emulator.index("orders-2026-11")
    orders.write(GOOD)
    caller.restore(_snapshot(caller))
    orders.write(BAD)
    caller.advance(2)
    assert orders.documents() == {**GOOD, **BAD}


@pytest.mark.parametrize("ending", ["failed", "stuck"])
def test_a_restore_that_will_fail_closes_its_indices_too(
    caller: Caller, orders: EmulatedIndex, ending: Literal["failed", "stuck"]
) -> None:
    """Nobody knows beforehand how it ends; after a failure everything is as before."""
    snapshot_id = _snapshot(caller)
    orders.write(BAD)
    caller.emulator.faults.restore_fate(ending)
    caller.restore(snapshot_id, replace_exist_indices=True)
    assert orders.is_closed
    caller.advance(2)
    assert orders.is_closed is (ending == "stuck")
    if ending == "failed":
        assert orders.documents() == {**GOOD, **BAD}


def test_an_unknown_cluster_is_refused(caller: Caller) -> None:
    """As everywhere, it is missing or hidden."""
    with pytest.raises(Refusal, match="does not exist"):
        caller.emulator.index("orders", "nope").documents()
