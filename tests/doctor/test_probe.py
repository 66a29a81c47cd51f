"""The probe on the emulator: what it sees, that it notices the opposite, and that it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from airflow_css.doctor.assumptions import ASSUMPTIONS, Outcome, walk
from airflow_css.doctor.cleanup import LONGEST_SECONDS
from airflow_css.doctor.probe import Probed, probe
from airflow_css.doctor.probe_rules import ProbeOrder
from airflow_css.protocol.errors import CssUsageError
from tests.world import World, new_world

Spoil = Callable[[World], object]


def _order(world: World, indices: str = "orders-*") -> ProbeOrder:
    return ProbeOrder(world.emulator.cluster_id, indices, "0123456789ab")


def _probe(world: World, indices: str = "orders-*") -> Probed:
    return probe(world.client, _order(world, indices), lambda _line: None)


def _outcomes(probed: Probed) -> dict[str, Outcome]:
    return {row.assumption.key: row.outcome for row in walk(probed.notes, probed.reasons)}


def test_on_the_emulator_everything_is_confirmed(world: World) -> None:
    """Each assumption is what the emulator does, and in the end the cluster is as before."""
    probed = _probe(world)
    assert set(_outcomes(probed).values()) == {Outcome.CONFIRMED}, probed
    assert (probed.trouble, list(probed.left_behind)) == ("", [])
    assert world.emulator.snapshots() == ()
    assert len(_outcomes(probed)) == len(ASSUMPTIONS)


def _faulty(method: str, *arguments: Any, **options: Any) -> Spoil:
    return lambda world: getattr(world.emulator.faults, method)(*arguments, **options)


def _another_zone(world: World) -> None:
    local = world.clock.now() + timedelta(hours=8)
    world.emulator.faults.odd_entries(extra={"created": f"{local:%Y-%m-%dT%H:%M:%S}"}, times=None)


CREATION: dict[str, Any] = {"call": "create_snapshot"}
CONTRADICTIONS: dict[str, tuple[str, dict[str, Any], Spoil]] = {
    "listed": ("no", {}, _faulty("answer", 200, body='{"backups": []}', call="list_snapshots")),
    "description": ("no", {}, _faulty("odd_entries", extra={"description": "cut"})),
    "status": ("100", {"status_while_snapshotting": "100"}, lambda _: None),
    "actions": ("none", {}, _faulty("answer", 200, body='{"id": "x", "status": "200"}', call="get_cluster")),
    "busy": ("CSS.3004 (HTTP 409)", {}, _faulty("answer", 409, "CSS.3004", skip=1, **CREATION)),
    "retry_after": ("yes", {}, _faulty("answer", 409, "CSS.0011", headers={"Retry-After": "9"}, skip=1, **CREATION)),
    "busy_first": ("CSS.0043 (HTTP 409)", {"first_check": "name"}, lambda _: None),
    "delete_building": ("CSS.5090 (HTTP 400)", {}, _faulty("answer", 400, "CSS.5090", call="delete_snapshot")),
    "resolved": ("no", {}, _faulty("odd_entries", extra={"indices": "orders-*"}, times=None)),
    "zone": ("UTC+08:00", {}, _another_zone),
    "name_taken": ("CSS.0031 (HTTP 409)", {}, _faulty("answer", 409, "CSS.0031", skip=3, **CREATION)),
    "gone": ("no", {}, _faulty("slow_deletion", 20.0)),
    "missing": ("CSS.3026 (HTTP 400)", {"missing_snapshot": "CSS.3026"}, lambda _: None),
}


@pytest.mark.parametrize("key", [assumption.key for assumption in ASSUMPTIONS])
def test_the_opposite_is_noticed(key: str) -> None:
    """Where the emulator is made to behave otherwise, that row is contradicted, with what was seen."""
    seen, options, spoil = CONTRADICTIONS[key]
    with new_world(**options) as world:
        spoil(world)
        probed = _probe(world)
        assert world.emulator.snapshots() == ()
    assert (probed.notes[key], _outcomes(probed)[key]) == (seen, Outcome.CONTRADICTED), probed
    others = {outcome for other, outcome in _outcomes(probed).items() if other != key}
    assert Outcome.CONTRADICTED not in others or key == "gone"


def test_what_is_over_too_soon_is_not_seen() -> None:
    """A snapshot that is made at once shows nothing of the time meanwhile, and no second one is asked for."""
    with new_world(creation_takes=0.0) as world:
        outcomes = _outcomes(_probe(world))
        assert world.emulator.count("create_snapshot") == 2
    meanwhile = {"status", "actions", "busy", "retry_after", "busy_first", "delete_building"}
    assert {key for key, outcome in outcomes.items() if outcome is Outcome.NOT_SEEN} == meanwhile


def test_plain_names_do_not_show_whether_patterns_are_resolved(world: World) -> None:
    """Without a pattern that row stays open."""
    assert _outcomes(_probe(world, "customers"))["resolved"] is Outcome.NOT_SEEN


def test_a_refused_creation_that_is_accepted_is_deleted_too() -> None:
    """Where CSS accepts what it should refuse, there are two snapshots to delete, and both go."""
    with new_world() as world:
        # The first one is no longer in work for the emulator, but still for whoever lists it.
        world.emulator.faults.fate("completed", takes=0.0)
        world.emulator.faults.odd_entries(extra={"status": "BUILDING"}, times=4)
        probed = _probe(world)
        assert probed.notes["busy"] == "accepted"
        assert world.emulator.snapshots() == ()
    assert list(probed.left_behind) == []


TROUBLES: dict[str, Spoil] = {
    "creation arrived, answer lost": _faulty("drop", when="after", call="create_snapshot"),
    "creation failed inside": _faulty("answer", 500, call="create_snapshot", when="after"),
    "creation without an id": _faulty("without_backup"),
    "list fails once": _faulty("answer", 403, "CSS.0010", call="list_snapshots", skip=1),
    "cluster cannot be read": _faulty("answer", 403, "CSS.0010", call="get_cluster"),
    "snapshot fails": _faulty("fate", "failed"),
    "snapshot vanishes": _faulty("fate", "vanish"),
    "deletion fails inside": _faulty("answer", 500, call="delete_snapshot", skip=1, times=3),
    "deletion busy": _faulty("answer", 409, "CSS.0011", call="delete_snapshot", skip=1, times=2),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_is_left_behind_after_trouble(world: World, trouble: str) -> None:
    """Whatever goes wrong on the way, what was made is deleted, and nothing is raised."""
    TROUBLES[trouble](world)
    probed = _probe(world)
    assert world.emulator.count("create_snapshot") >= 1
    assert world.emulator.snapshots() == ()
    assert list(probed.left_behind) == []


class Interruption:
    """Presses Ctrl-C instead of taking a line for people: at these lines, counted from one."""

    def __init__(self, *at: int) -> None:
        self._at = at
        self._lines = 0

    def __call__(self, _line: str) -> None:
        """Take a line, or press Ctrl-C."""
        self._lines += 1
        if self._lines in self._at:
            raise KeyboardInterrupt


def test_nothing_is_left_behind_after_a_mistake_of_ours(world: World) -> None:
    """An error that nobody foresaw goes on to the caller, after the deletion."""
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        probe(world.client, _order(world), tell)
    assert world.emulator.count("create_snapshot") >= 1
    assert world.emulator.snapshots() == ()


@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_nothing_is_left_behind_after_an_interruption(world: World, line: int) -> None:
    """Ctrl-C at any stage is followed by the deletion."""
    probed = probe(world.client, _order(world), Interruption(line))
    assert probed.was_interrupted
    assert world.emulator.snapshots() == ()
    assert list(probed.left_behind) == []


def test_a_creation_that_arrives_late_is_found(world: World) -> None:
    """Where the answer to the creation was lost, the list is read for a while, until what was made turns up."""
    order = _order(world)
    world.emulator.faults.drop(call="create_snapshot")
    world.clock.at(15.0, lambda: world.client.create_snapshot(order.cluster_id, order.name))
    probed = _probe(world)
    assert "may have had its effect" in probed.trouble
    assert world.emulator.count("create_snapshot") == 2
    assert world.emulator.snapshots() == ()
    assert list(probed.left_behind) == []


def test_a_second_interruption_says_what_is_left(world: World) -> None:
    """Whoever insists is told name and id."""
    world.clock.at(1.0, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    probed = probe(world.client, _order(world), Interruption(2))
    (left,) = world.emulator.snapshots()
    assert probed.was_interrupted
    assert f"{left.name} {left.id}" in probed.left_behind


@pytest.mark.parametrize(
    "spoil",
    [
        _faulty("answer", 403, "CSS.0010", call="delete_snapshot", times=None),
        _faulty("slow_deletion", 10_000.0),
        _faulty("fate", "stuck"),
    ],
    ids=["forbidden", "never gone", "never made"],
)
def test_what_cannot_be_deleted_is_said_with_its_id(world: World, spoil: Spoil) -> None:
    """Where CSS does not let it, the report has name and id, after a bounded time."""
    before = world.clock.now()
    spoil(world)
    probed = _probe(world)
    (left,) = world.emulator.snapshots()
    assert list(probed.left_behind) == [left.label]
    assert (world.clock.now() - before).total_seconds() < 3 * LONGEST_SECONDS


def test_others_snapshots_are_never_touched(world: World) -> None:
    """Whatever is there before, also of an earlier probe, is there afterwards."""
    for name in ("orders-20261123", "airflow-css-probe-old", "airflow-css-probe-0123456789"):
        world.emulator.add_snapshot(name)
    _probe(world)
    assert {s.name for s in world.emulator.snapshots()} == {
        *("orders-20261123", "airflow-css-probe-old", "airflow-css-probe-0123456789")
    }


def test_what_it_makes_can_be_named() -> None:
    """Both names keep the rules of CSS, and the description as well."""
    with new_world() as world:
        order = _order(world)
        client = world.client
        client.create_snapshot(order.cluster_id, order.other_name, description=order.description)
        with pytest.raises(CssUsageError):
            client.create_snapshot(order.cluster_id, order.other_name + "x" * 40)
