"""Create or adopt, as a plain script does it: one snapshot however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient
from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.faults import FaultScript
from airflow_css.protocol.errors import (
    CssAuthError,
    CssBusyError,
    CssConflictError,
    CssError,
    CssReplyError,
    CssServerError,
    CssTransportError,
    CssUsageError,
)
from tests.turned_clock import TurnedClock

NAME = "orders-20261123"
MARKED = "by a task [af1 0a0a0a 0a0a0a0a 0a0a0a0a 0a0a0a0a 0a0a0a0a 0]"
NEWER = "by a task [af2 0a0a0a 0a0a0a0a]"


class Place:
    """An emulator, a client of it, and the cluster."""

    def __init__(self, emulator: CssEmulator) -> None:
        self.emulator = emulator
        self.clock = TurnedClock(emulator.clock)
        keys = Credentials(emulator.access_key, emulator.secret_key)
        self.client = CssClient(emulator.url, keys, emulator.project_id, clock=self.clock)

    def ensure(self, **options: Any) -> str:
        """Ask for the snapshot and return its id."""
        return self.client.ensure_snapshot(self.emulator.cluster_id, NAME, **options).id

    def calls(self) -> list[str]:
        """Return the calls that came in, in their order."""
        return [seen.call for seen in self.emulator.requests]


@pytest.fixture
def place() -> Iterator[Place]:
    """An emulator on a clock that only sleeping turns; a snapshot takes a minute."""
    clock = TurnableClock(frozen=True)
    with CssEmulator(clock=clock, client_time=clock.now, creation_takes=60) as emulator:
        yield Place(emulator)


def test_what_is_missing_is_made_after_a_look(place: Place) -> None:
    """Without any of that name one is made, after the list was read."""
    made = place.client.ensure_snapshot(place.emulator.cluster_id, NAME)
    assert place.calls() == ["list_snapshots", "create_snapshot"]
    assert (made.name, made.adopted, made.made_at) == (NAME, None, place.clock.now())
    assert [snapshot.id for snapshot in place.emulator.snapshots()] == [made.id]


@pytest.mark.parametrize("status", ["BUILDING", "COMPLETED", "POLISHING"])
def test_what_is_there_is_used(place: Place, status: str) -> None:
    """One that is being made, is good, or is in an unknown state is adopted, and nothing is created."""
    there = place.emulator.add_snapshot(NAME, status=status)
    made = place.client.ensure_snapshot(place.emulator.cluster_id, NAME)
    assert made.id == there
    assert made.made_at is None
    assert made.adopted is not None
    assert place.emulator.count("create_snapshot") == 0


def test_asking_again_gives_the_same(place: Place) -> None:
    """However often it is asked for there is one."""
    assert len({place.ensure() for _ in range(5)}) == 1
    place.clock.sleep(600)
    assert len({place.ensure() for _ in range(5)}) == 1
    assert place.emulator.count("create_snapshot") == 1


@pytest.mark.parametrize("status", ["FAILED", "PART_FAILED"])
def test_a_bad_one_is_left_to_whoever_asks(place: Place, status: str) -> None:
    """A bad one under the name is an error with a way out: a script's name may mean more than a task's."""
    bad = place.emulator.add_snapshot(NAME, status=status)
    with pytest.raises(
        CssConflictError, match=rf"\({bad}\) is there but is no backup of what is asked for: .* Use another name"
    ):
        place.ensure()
    assert place.emulator.count("create_snapshot") == 0


def test_a_partial_one_may_be_allowed(place: Place) -> None:
    """A partial one is used when that is allowed."""
    partial = place.emulator.add_snapshot(NAME, status="PART_FAILED", failed_shards=1)
    assert place.ensure(allow_partial=True) == partial


def test_an_empty_one_may_be_allowed(place: Place) -> None:
    """One without shards is used when that is allowed, and only then."""
    empty = place.emulator.add_snapshot(NAME, indices="no-such-index")
    assert place.ensure(fail_if_empty=False) == empty
    with pytest.raises(CssConflictError, match="is no backup"):
        place.ensure()


@pytest.mark.parametrize(
    ("description", "maker"), [(MARKED, "another task instance"), (NEWER, "a newer version of this package")]
)
def test_what_a_task_made_is_another_s(place: Place, description: str, maker: str) -> None:
    """A script does not take the snapshot of an Airflow task, nor one of a version that it does not understand."""
    place.emulator.add_snapshot(NAME, description=description)
    with pytest.raises(CssConflictError) as caught:
        place.ensure()
    assert place.emulator.count("create_snapshot") == 0
    assert "is taken by snapshot" in str(caught.value)
    assert "made by" in str(caught.value)
    if description == NEWER:
        assert maker in str(caught.value)


def test_busy_is_raised_after_a_look(place: Place) -> None:
    """A cluster that is busy with something else is the caller's to wait for."""
    place.emulator.add_snapshot("strangers", status="BUILDING")
    with pytest.raises(CssBusyError):
        place.ensure()
    assert place.calls() == ["list_snapshots", "create_snapshot", "list_snapshots"]


OPEN_AFTER: dict[str, Callable[[FaultScript], None]] = {
    "dropped": lambda faults: faults.drop(call="create_snapshot", when="after"),
    "truncated": lambda faults: faults.truncate(call="create_snapshot"),
    "500": lambda faults: faults.answer(500, call="create_snapshot", when="after"),
    "503 page": lambda faults: faults.html(503, call="create_snapshot", when="after"),
    "not JSON": lambda faults: faults.not_json(call="create_snapshot", when="after"),
    "201 without id": lambda faults: faults.without_backup(),
}


@pytest.mark.parametrize("fault", OPEN_AFTER.values(), ids=OPEN_AFTER)
def test_a_lost_answer_is_found_by_looking(place: Place, fault: Callable[[FaultScript], None]) -> None:
    """When CSS acted and the answer was lost, the look finds the snapshot and no second one is made."""
    fault(place.emulator.faults)
    found = place.ensure()
    assert [snapshot.id for snapshot in place.emulator.snapshots()] == [found]
    assert place.calls() == ["list_snapshots", "create_snapshot", "list_snapshots"]


OPEN_BEFORE: dict[str, Callable[[FaultScript, int | None], None]] = {
    "dropped": lambda faults, times: faults.drop(call="create_snapshot", times=times),
    "500": lambda faults, times: faults.answer(500, call="create_snapshot", times=times),
    "not JSON": lambda faults, times: faults.not_json(call="create_snapshot", times=times),
}


@pytest.mark.parametrize("fault", OPEN_BEFORE.values(), ids=OPEN_BEFORE)
def test_what_did_not_happen_is_sent_again(place: Place, fault: Callable[[FaultScript, int | None], None]) -> None:
    """When CSS did not act, the look shows it, and the creation is sent again, each time after another look."""
    fault(place.emulator.faults, 2)
    place.ensure()
    assert place.calls() == ["list_snapshots", "create_snapshot"] * 3
    assert place.clock.slept == [2, 4]
    assert len(place.emulator.snapshots()) == 1


GIVEN_UP = list(zip(OPEN_BEFORE.values(), (CssTransportError, CssServerError, CssReplyError), strict=True))


@pytest.mark.parametrize(("fault", "error"), GIVEN_UP, ids=OPEN_BEFORE)
def test_what_never_happens_is_given_up(
    place: Place, fault: Callable[[FaultScript, int | None], None], error: type[CssError]
) -> None:
    """After four creations the error is raised, with a last look before it."""
    fault(place.emulator.faults, None)
    with pytest.raises(error):
        place.ensure()
    assert place.emulator.count("create_snapshot") == 4
    assert place.calls()[-1] == "list_snapshots"


@pytest.mark.parametrize("number", [1, 2])
def test_a_look_that_fails_ends_it(place: Place, number: int) -> None:
    """Nothing is created on a guess: when the look fails its error is raised."""
    place.emulator.faults.answer(500, call="create_snapshot")
    place.emulator.faults.answer(403, "CSS.0010", call="list_snapshots", skip=number - 1)
    with pytest.raises(CssAuthError):
        place.ensure()
    assert place.emulator.count("create_snapshot") == number - 1


def test_a_bad_value_is_refused_before_anything_is_sent(place: Place) -> None:
    """A name that is not legal is refused, with the folded one as suggestion."""
    with pytest.raises(CssUsageError) as caught:
        place.client.ensure_snapshot(place.emulator.cluster_id, "Orders 2026")
    assert caught.value.legal == "orders-2026"
    assert place.calls() == []
