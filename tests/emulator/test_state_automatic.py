"""Automatic snapshots: when they are made, when they are cancelled, which are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.protocol import wire
from tests.emulator.callers import Caller

HOUR = 3600.0
DAY = 24 * HOUR
FRIDAY_NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def caller() -> Caller:
    """Calls an emulator on which it is Friday noon."""
    return Caller(CssEmulator(clock=TurnableClock(frozen=True, start=FRIDAY_NOON)))


def test_an_automatic_snapshot_is_made_at_its_time(caller: Caller) -> None:
    """At 16:00 of its zone, not a second earlier, it is made under the prefix and the milliseconds."""
    caller.emulator.policy(period="21:00 GMT+08:00", indices="orders-*", prefix="nightly")
    caller.advance(HOUR - 1)
    assert caller.listed() == []
    caller.advance(1)
    (entry,) = caller.listed()
    assert (entry["status"], entry["name"]) == ("BUILDING", "nightly-1767358800000")
    assert (entry["backupType"], entry["backupMethod"], entry["backupFrequency"]) == ("0", "auto", "DAY")
    assert entry["indices"] == "orders-2026-11,orders-2026-10"


@pytest.mark.parametrize(("frequency", "expected"), [("HOUR", 168), ("DAY", 7), ("SUN", 1)])
def test_the_frequency_says_how_many_fall_due_in_a_week(caller: Caller, frequency: str, expected: int) -> None:
    """A week turned at once brings as many snapshots as a week that passes."""
    caller.emulator.policy(frequency=frequency, keep=1000)
    caller.advance(7 * DAY)
    assert len(caller.listed()) == expected
    assert caller.emulator.cancelled() == 0


def test_an_automatic_snapshot_is_cancelled_while_another_runs(caller: Caller) -> None:
    """One that falls due during a user's snapshot is never made, also not later, and is counted."""
    caller.emulator.policy(frequency="HOUR")
    caller.advance(HOUR - 10)
    caller.emulator.faults.fate("completed", takes=60)
    caller.created("ours")
    caller.advance(HOUR - 100)
    assert [entry["name"] for entry in caller.listed()] == ["ours"]
    assert caller.emulator.cancelled() == 1
    caller.advance(110)
    assert len(caller.listed()) == 2
    assert caller.emulator.cancelled() == 1


def test_one_that_ends_at_the_due_time_is_not_in_the_way(caller: Caller) -> None:
    """When a snapshot ends in the very moment in which an automatic one is due, that one is made."""
    caller.emulator.policy(frequency="HOUR")
    caller.emulator.faults.fate("completed", takes=HOUR)
    caller.created("ours")
    caller.advance(HOUR)
    assert [entry["status"] for entry in caller.listed()] == ["BUILDING", "COMPLETED"]
    assert caller.emulator.cancelled() == 0


@pytest.mark.parametrize(
    ("fields", "cancelled"),
    [({"frozen": True}, 1), ({"status": "303"}, 1), ({"actions": ("GROWING",)}, 1), ({"snapshot_function": False}, 0)],
)
def test_a_cluster_that_cannot_makes_none(caller: Caller, fields: dict[str, Any], cancelled: int) -> None:
    """What falls due on such a cluster is cancelled; with the function off nothing falls due."""
    caller.emulator.policy(frequency="HOUR")
    caller.emulator.change_cluster(**fields)
    caller.advance(HOUR)
    assert caller.listed() == []
    assert caller.emulator.cancelled() == cancelled


def test_surplus_is_removed_every_half_hour(caller: Caller) -> None:
    """The oldest automatic ones of the policy's frequency go at the next half hour; users' own and others stay."""
    caller.emulator.add_snapshot("ours", started_at=FRIDAY_NOON)
    caller.emulator.add_snapshot("weekly-1", frequency="SUN", started_at=FRIDAY_NOON)
    caller.emulator.policy(frequency="HOUR", keep=2, prefix="auto")
    caller.advance(3 * HOUR + 60)
    assert len(caller.listed()) == 5
    caller.advance(HOUR / 2)
    names = [entry["name"] for entry in caller.listed()]
    assert names[:2] == [f"auto-{int(FRIDAY_NOON.timestamp() + hours * HOUR) * 1000}" for hours in (3, 2)]
    assert set(names[2:]) == {"weekly-1", "ours"}


def test_what_is_being_made_is_no_surplus() -> None:
    """Snapshots are counted when they are done: the oldest goes only when enough others are."""
    slow = Caller(CssEmulator(clock=TurnableClock(frozen=True, start=FRIDAY_NOON), creation_takes=0.75 * HOUR))
    slow.emulator.policy(frequency="HOUR", keep=1)
    slow.advance(2.6 * HOUR)
    assert [entry["status"] for entry in slow.listed()] == ["BUILDING", "COMPLETED"]
    slow.advance(HOUR / 2)
    assert [entry["status"] for entry in slow.listed()] == ["BUILDING", "COMPLETED"]


def test_surplus_stays_while_the_policy_is_off(caller: Caller) -> None:
    """Nobody clears up after a policy that was switched off."""
    for _ in range(3):
        caller.emulator.add_snapshot("auto-1", frequency="DAY")
    caller.emulator.policy(enabled=False, keep=1)
    caller.advance(DAY)
    assert len(caller.listed()) == 3


def test_nothing_falls_due_while_the_policy_is_off(caller: Caller) -> None:
    """A policy that is off makes nothing, and one that is switched on later makes up for nothing."""
    caller.emulator.policy(enabled=False, frequency="HOUR")
    caller.advance(DAY)
    caller.emulator.policy(enabled=True, frequency="HOUR")
    assert caller.listed() == []


def test_the_policy_is_shown_with_the_documented_fields(caller: Caller) -> None:
    """The answer is a flat object with camelCase names, and ``enable`` is a text."""
    caller.emulator.policy(period="16:00 GMT+08:00", keep=3, prefix="nightly", indices="orders-*")
    reply = caller.call(wire.GET_SNAPSHOT_POLICY)
    assert (reply.status, reply.json()) == (
        200,
        {
            "keepday": 3,
            "period": "16:00 GMT+08:00",
            "frequency": "DAY",
            "prefix": "nightly",
            "bucket": "css-backups",
            "basePath": "css_repository/emulator",
            "agency": "css_obs_agency",
            "enable": "true",
            "indices": "orders-*",
            "snapshotCmkId": None,
            "maxSnapshotBytesPerSeconds": "40MB",
            "maxRestoreBytesPerSeconds": "0MB",
        },
    )
