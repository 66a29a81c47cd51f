"""Random scripts: whatever goes wrong over several tries, and however the name renders, there is one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.exactly_once.tables import has_its_id, identity, made_by
from tests.running import TaskRun
from tests.world import World, new_world

TRIES = 4
RETRIES = 10


@dataclass(frozen=True)
class Fault:
    """One fault; ``values`` go to the method ``kind`` of the emulator's script."""

    kind: str
    values: tuple[Any, ...] = ()
    call: str = "create_snapshot"
    when: str = "before"
    times: int = 1
    skip: int = 0

    def happen(self, world: World) -> None:
        """Write it into the script."""
        match: dict[str, Any] = {"call": self.call, "when": self.when, "times": self.times, "skip": self.skip}
        getattr(world.emulator.faults, self.kind)(*self.values, **match)


@dataclass(frozen=True)
class Try:
    """What goes wrong in a try, how its name renders, and how long it is until the next."""

    faults: tuple[Fault, ...]
    name: str | None
    stranger_runs: bool
    pause: float


KINDS: list[tuple[str, tuple[Any, ...]]] = [
    ("drop", ()),
    ("truncate", ()),
    ("answer", (500,)),
    ("answer", (500, "CSS.0005")),
    ("answer", (503,)),
    ("answer", (504,)),
    ("answer", (201, "CSS.9998")),
    ("html", (502,)),
    ("not_json", ()),
    ("throttle", (None,)),
    ("throttle", (90.0,)),
    ("redirect", ("http://127.0.0.1:9/",)),
]
CREATION_KINDS: list[tuple[str, tuple[Any, ...]]] = [*KINDS, ("busy", (409,)), ("busy", (202,)), ("without_backup", ())]
NAMES = [
    None,
    "before-the-load",
    "before-the-load-try-{{ ti.try_number }}",
    "{{ run_id }} Try {{ ti.try_number }}",
    "another-name",
    "x" * 64,
]


def _faults(call: str, kinds: list[tuple[str, tuple[Any, ...]]]) -> st.SearchStrategy[Fault]:
    return st.builds(
        lambda kind, when, times, skip: Fault(kind[0], kind[1], call, when, times, skip),
        st.sampled_from(kinds),
        st.sampled_from(["before", "after"]),
        st.integers(1, 5),
        st.integers(0, 2),
    )


faults = st.one_of(
    _faults("create_snapshot", CREATION_KINDS),
    _faults("list_snapshots", KINDS),
    _faults("get_cluster", KINDS),
)
tries = st.builds(
    Try,
    st.lists(faults, max_size=4).map(tuple),
    st.sampled_from(NAMES),
    st.booleans(),
    st.sampled_from([0.0, 10.0, 400.0]),
)
scripts = st.lists(tries, min_size=1, max_size=TRIES)


@pytest.fixture(scope="module")
def lasting_world() -> Iterator[World]:
    """One emulator for all examples; each example has a cluster of its own."""
    with new_world() as world:
        yield world


def _play(world: World, script: list[Try]) -> None:
    """Play the tries, and then one in which nothing goes wrong; check the promise after each."""
    cluster = world.emulator.add_cluster(f"cluster-{world.emulator.count('create_snapshot')}-{len(world.clock.slept)}")
    healthy = Try((), script[-1].name, stranger_runs=False, pause=0.0)
    for number, step in enumerate([*script, healthy], 1):
        world.emulator.faults.clear()
        for fault in step.faults:
            fault.happen(world)
        if step.stranger_runs:
            world.emulator.add_snapshot(f"of-a-stranger-{number}", cluster_id=cluster, status="BUILDING")
        run = TaskRun(try_number=number)
        outcome = world.run(run, cluster_id=cluster, snapshot_name=step.name, retries=RETRIES)
        made = made_by(identity(run), world, cluster)
        assert len(made) <= 1, [snapshot.name for snapshot in made]
        if outcome.state == "success":
            assert has_its_id(outcome, made)
            return
        # Nothing in these scripts is beyond a retry.
        assert outcome.state == "up_for_retry", outcome.error
        world.clock.sleep(step.pause)
    raise AssertionError(f"the healthy try failed: {outcome.error}")


@given(scripts)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_script_of_faults_ends_with_one_snapshot(lasting_world: World, script: list[Try]) -> None:
    """Over up to four tries with faults there is never a second snapshot, and the last try has the id of the one."""
    _play(lasting_world, script)


@pytest.mark.heavy
@given(scripts)
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
def test_any_of_very_many_scripts_ends_with_one_snapshot(lasting_world: World, script: list[Try]) -> None:
    """The same over hundreds of scripts."""
    _play(lasting_world, script)


ENDINGS = [None, "failed", "part_failed", "vanish"]
scripts_with_endings = st.lists(st.tuples(tries, st.sampled_from(ENDINGS)), min_size=1, max_size=3)


def _play_endings(world: World, script: list[tuple[Try, Any]]) -> None:
    """As ``_play``, with snapshots that end badly; the last try but one may still find such a one."""
    cluster = world.emulator.add_cluster(f"endings-{world.emulator.count('create_snapshot')}-{len(world.clock.slept)}")
    healthy = Try((), None, stranger_runs=False, pause=0.0)
    for number, (step, ending) in enumerate([*script, (healthy, None), (healthy, None)], 1):
        world.emulator.faults.clear()
        for fault in step.faults:
            fault.happen(world)
        if ending is not None:
            world.emulator.faults.fate(ending)
        run = TaskRun(try_number=number)
        outcome = world.run(run, cluster_id=cluster, snapshot_name=step.name, retries=RETRIES)
        made = made_by(identity(run), world, cluster)
        assert sum(snapshot.status_word in {"COMPLETED", "BUILDING"} for snapshot in made) <= 1
        # What ended badly stays; what vanished is not listed.
        assert len(made) <= sum(ending is not None for _, ending in script) + 1
        if outcome.state == "success":
            good = [snapshot for snapshot in made if snapshot.is_good]
            assert outcome.xcom["return_value"] == outcome.xcom["backup_id"] == good[0].id
            return
        assert outcome.state == "up_for_retry", outcome.error
        world.clock.sleep(step.pause)
    raise AssertionError(f"no try succeeded: {outcome.error}")


@given(scripts_with_endings)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_bad_endings_and_faults_end_with_one_good_snapshot(lasting_world: World, script: list[tuple[Try, Any]]) -> None:
    """However often snapshots end badly, one more is made for each, and the last one is good."""
    _play_endings(lasting_world, script)


@pytest.mark.heavy
@given(scripts_with_endings)
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_very_many_bad_endings_and_faults_end_with_one_good_snapshot(
    lasting_world: World, script: list[tuple[Try, Any]]
) -> None:
    """The same over hundreds of scripts."""
    _play_endings(lasting_world, script)
