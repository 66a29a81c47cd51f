"""What the how-to says of retries, clears and failures, played through the operator."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssSnapshotFailedError
from airflow_css.tasks.night import tell_the_night_reader
from tests.docs.markdown import page
from tests.running import Outcome, TaskRun
from tests.turned_clock import TurnedClock
from tests.world import World

HOW_TO = page("docs/how-to/create-snapshot.md")
LIVES = {row[0]: dict(zip(("adopt", "new", "fail"), row[1:], strict=True)) for row in HOW_TO.table("what happened")}
FAILURES = {cell: row[1] for row in HOW_TO.table("the error says") for cell in re.findall(r"`([^`]+)`", row[0])}

SECOND_TRY = TaskRun(try_number=2)
AFTER_CLEAR = TaskRun(try_number=2, max_tries=2)


@dataclass(frozen=True)
class Life:
    """What became of the first try, and how the second one comes about."""

    first_ending: str
    second: TaskRun


PLAYED = {
    "Airflow retries the task": Life("stuck", SECOND_TRY),
    "it was cleared while its snapshot was being made": Life("stuck", SECOND_TRY),
    "it was cleared after a success": Life("completed", AFTER_CLEAR),
    "it was cleared after a bad snapshot": Life("failed", AFTER_CLEAR),
    "the run was deleted and made again": Life("completed", TaskRun()),
}


@pytest.mark.parametrize("on_existing", ["adopt", "new", "fail"])
@pytest.mark.parametrize("what_happened", LIVES)
def test_a_second_life_is_as_shown(what_happened: str, on_existing: str, world: World) -> None:
    """The operator does with its earlier snapshot what the table says."""
    life = PLAYED[what_happened]
    world.emulator.faults.fate(life.first_ending)  # type: ignore[arg-type]  # the table names endings
    asked: dict[str, Any] = {"on_existing": on_existing, "retries": 1, "wait_for_completion": False}
    first = world.run(**asked)
    world.clock.sleep(600)
    second = world.run(life.second, **asked)
    assert _what_it_did(first, second) == LIVES[what_happened][on_existing]


def _what_it_did(first: Outcome, second: Outcome) -> str:
    if second.error is not None:
        return "fails"
    if second.xcom["backup_id"] == first.xcom["backup_id"]:
        return "uses it"
    assert second.xcom["snapshot_name"] == f"{first.xcom['snapshot_name']}-2"
    return "makes another"


def _fate(ending: Any, **parameters: Any) -> Callable[[World], Outcome]:
    def play(world: World) -> Outcome:
        world.emulator.faults.fate(ending)
        return world.run(retries=1, **parameters)

    return play


def _cluster(fields: dict[str, Any], **parameters: Any) -> Callable[[World], Outcome]:
    def play(world: World) -> Outcome:
        world.emulator.change_cluster(**fields)
        return world.run(retries=1, **parameters)

    return play


def _answer(status: int, code: str = "") -> Callable[[World], Outcome]:
    def play(world: World) -> Outcome:
        world.emulator.faults.answer(status, code, times=None)
        return world.run(retries=1)

    return play


def _down(world: World) -> Outcome:
    world.emulator.faults.busy()
    world.emulator.change_cluster(status="303")
    world.emulator.faults.answer(409, "CSS.0011", call="create_snapshot", times=None)
    return world.run(retries=1)


def _taken(world: World) -> Outcome:
    world.emulator.add_snapshot("nightly")
    return world.run(retries=1, snapshot_name="nightly")


def _wrong_key(world: World) -> Outcome:
    key = world.emulator.secret_key
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json().replace(key, "another-secret")
    return world.run(retries=1)


def _nobody_there(world: World) -> Outcome:
    world.emulator.stop()
    return world.run(retries=1)


def _no_answer(world: World) -> Outcome:
    world.emulator.faults.drop(call="create_snapshot", times=None)
    return world.run(retries=1)


SCENES: dict[str, Callable[[World], Outcome]] = {
    "... is no backup: CSS reports FAILED": _fate("failed"),
    "... is no backup: it is partial": _fate("part_failed"),
    "... is no backup: it is empty": _fate("empty"),
    "no index in it matches": _fate("completed", indices="customers,nothing-*"),
    "... is not listed any more": _fate("vanish"),
    "... did not end within": _fate("stuck", timeout=60),
    "... did not become free within": _cluster({"actions": ("GROWING",)}, turn_timeout=60),
    "HTTP 415 CSS.0004": _cluster({"snapshot_function": False}),
    "CSS.5140": _cluster({"status": "303"}),
    "The cluster ... is unavailable": _down,
    "The snapshot name ... is taken by": _taken,
    "HTTP 413 CSS.0030": _cluster({"quota": 0}),
    "HTTP 401": _wrong_key,
    "HTTP 403 CSS.0015": _cluster({}, cluster_id="00000000-0000-4000-8000-000000000000"),
    "The endpoint does not know this call": _answer(404, "APIGW.0101"),
    "no connection to": _nobody_there,
    "no whole answer came": _no_answer,
    "HTTP 500": _answer(500),
}


@pytest.mark.parametrize("said", FAILURES)
def test_a_failure_reads_and_ends_as_shown(said: str, world: World) -> None:
    """The error says what the table quotes, and Airflow does with it what stands beside."""
    outcome = SCENES[said](world)
    assert outcome.error is not None
    assert [part for part in said.split("...") if part not in str(outcome.error)] == []
    assert outcome.state == {"retries": "up_for_retry", "fails at once": "failed"}[FAILURES[said]]


def test_the_last_line_reads_as_shown() -> None:
    """What the operator logs last is the line on the page, for the same cluster, snapshot, run and backup."""
    line = HOW_TO.blocks("text")[1].text.strip()
    snapshot, run, name, began, backup_id = _parts(line)
    clock = TurnableClock(frozen=True, start=began + timedelta(days=1))
    log: list[str] = []
    with CssEmulator(clock=clock, client_time=clock.now) as emulator:
        os.environ.update(emulator.connection_env())
        emulator.add_snapshot(name, snapshot_id=backup_id, started_at=began)
        hook = type("HookOnTurnedClock", (CssHook,), {"clock": TurnedClock(clock)})()
        tell_the_night_reader(
            _Log(log),
            hook,
            cluster_id=emulator.cluster_id,
            snapshot=snapshot,
            run=run,
            error=CssSnapshotFailedError("It failed."),
        )
    assert log == [line]


def _parts(line: str) -> tuple[str, str, str, datetime, str]:
    found = re.fullmatch(
        r"Cluster: .*?\. Snapshot: (.*?)\. Run: (.*?)\. Newest good backup: (\S+), (.*) UTC, .*, id (.*), holds .*\.",
        line,
    )
    assert found
    snapshot, run, name, began, backup_id = found.groups()
    return snapshot, run, name, datetime.fromisoformat(began).replace(tzinfo=UTC), backup_id


class _Log:
    """A log that keeps errors only."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def debug(self, message: str, /, *args: Any) -> None:
        raise AssertionError(message % args)

    info = warning = debug

    def error(self, message: str, /, *args: Any) -> None:
        self._lines.append(message % args)
