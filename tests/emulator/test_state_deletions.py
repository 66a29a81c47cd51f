"""Deletions that take a while, and what an unknown snapshot is answered."""

from __future__ import annotations

from typing import Literal

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from tests.emulator.callers import UNKNOWN_ID, Caller, refusal


def test_a_slow_deletion_keeps_its_snapshot_in_the_list(caller: Caller) -> None:
    """It is listed for as long as scripted; meanwhile neither deleted again, nor restored, nor is its name free."""
    old = caller.emulator.add_snapshot("old-one")
    caller.emulator.faults.slow_deletion(30)
    assert (caller.delete(old).status, caller.delete(old).status) == (200, 400)
    assert refusal(caller.delete(old)) == (400, "CSS.3016")
    assert refusal(caller.restore(old)) == (400, "CSS.3016")
    assert refusal(caller.create("old-one")) == (409, "CSS.0043")
    caller.advance(29.999)
    assert [entry["id"] for entry in caller.listed()] == [old]
    caller.advance(0.001)
    assert caller.listed() == []
    assert refusal(caller.delete(old)) == (404, "CSS.0016")
    assert caller.create("old-one").status == 201


def test_a_deletion_is_not_in_the_way_of_others(caller: Caller) -> None:
    """While one is being deleted the cluster is idle: others can be made and deleted, each in its own time."""
    first, second = (caller.emulator.add_snapshot(name) for name in ("old-one", "old-two"))
    caller.emulator.faults.slow_deletion(30, times=2)
    caller.delete(first)
    caller.advance(10)
    caller.delete(second)
    assert caller.cluster()["actions"] == []
    assert caller.create("new-one").status == 201
    caller.advance(20)
    assert {entry["name"] for entry in caller.listed()} == {"old-two", "new-one"}
    caller.advance(10)
    assert {entry["name"] for entry in caller.listed()} == {"new-one"}


def test_a_refused_deletion_uses_up_no_script(caller: Caller) -> None:
    """The delay waits for a deletion that is accepted."""
    caller.emulator.faults.slow_deletion(30)
    assert caller.delete(UNKNOWN_ID).status == 404
    old = caller.emulator.add_snapshot("old-one")
    caller.delete(old)
    assert len(caller.listed()) == 1


@pytest.mark.parametrize(("code", "status"), [("CSS.0016", 404), ("CSS.3026", 400)])
def test_what_an_unknown_snapshot_is_answered_can_be_chosen(code: Literal["CSS.0016", "CSS.3026"], status: int) -> None:
    """Deletion and restore of an unknown id are refused with the chosen code."""
    caller = Caller(CssEmulator(clock=TurnableClock(frozen=True), missing_snapshot=code))
    assert refusal(caller.delete(UNKNOWN_ID)) == refusal(caller.restore(UNKNOWN_ID)) == (status, code)
