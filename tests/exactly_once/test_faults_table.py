"""
Faults against calls: what a try makes of them, how many creations CSS saw, and how many snapshots there are.

An expectation reads ``state POSTs snapshots``, one for each try; POSTs and snapshots are counted from the beginning.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.exactly_once.tables import description_of, has_its_id, identity, made_by, print_table
from tests.running import Outcome, TaskRun
from tests.world import World, new_world

CREATE = "create_snapshot"
LIST = "list_snapshots"
NAME = "before-the-load"
FOREIGN_ID = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
MOST_TRIES = 4


@dataclass(frozen=True)
class Row:
    """One line of the table: what happens, and what must come of it."""

    what: str
    script: Callable[[World], None]
    expected: str
    options: Mapping[str, Any] = field(default_factory=dict)
    first_try: int = 1


def _play(row: Row) -> tuple[str, list[str]]:
    """Play tries until one is final; return what was seen, and what broke the promise."""
    seen: list[str] = []
    with new_world(**row.options) as world:
        row.script(world)
        for number in range(row.first_try, MOST_TRIES + 1):
            run = TaskRun(try_number=number)
            outcome = world.run(run, snapshot_name=NAME, retries=MOST_TRIES)
            _await_all_answers(world)
            ours = made_by(identity(), world)
            seen.append(f"{outcome.state} {world.emulator.count(CREATE)} {len(ours)}")
            if outcome.state != "up_for_retry":
                break
            os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json()
        return ", ".join(seen), _broken(row, outcome, has_its_id(outcome, ours), len(ours))


def _await_all_answers(world: World) -> None:
    """Wait for what the client gave up: it may still take effect."""
    deadline = time.monotonic() + 10
    while any(seen.status is None for seen in world.emulator.requests):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _broken(row: Row, outcome: Outcome, has_id: bool, number: int) -> list[str]:  # noqa: FBT001 - a local shorthand
    if outcome.state == "failed":
        return [] if number == 0 else [f"{row.what}: failed, but left {number} snapshots"]
    return [] if has_id else [f"{row.what}: {outcome.state} with {number} snapshots, XCom {outcome.xcom}"]


def _check(rows: list[Row]) -> None:
    results = [(row, *_play(row)) for row in rows]
    print_table(
        ("what happens", "each try: state, POSTs, snapshots"), [(row.what, seen) for row, seen, _broken_by in results]
    )
    wrong = [f"{row.what}: {seen}, expected {row.expected}" for row, seen, _ in results if seen != row.expected]
    assert not [line for *_, broken in results for line in broken]
    assert not wrong


def _fault(kind: str, *values: Any, **match: Any) -> Callable[[World], None]:
    def script(world: World) -> None:
        getattr(world.emulator.faults, kind)(*values, **match)

    return script


def _create(kind: str, *values: Any, **match: Any) -> Callable[[World], None]:
    return _fault(kind, *values, call=CREATE, **match)


def _both(*scripts: Callable[[World], None]) -> Callable[[World], None]:
    def script(world: World) -> None:
        for step in scripts:
            step(world)

    return script


def _taken(status: str, description: str = "") -> Callable[[World], None]:
    """Somebody's snapshot of that name; ``BUILDING`` keeps the cluster busy as well."""

    def script(world: World) -> None:
        world.emulator.add_snapshot(NAME, status=status, description=description)

    return script


def _stranger_runs(world: World) -> None:
    world.emulator.add_snapshot("of-a-stranger", status="BUILDING")


def _own_runs_under_another_name(world: World) -> None:
    world.emulator.add_snapshot("of-a-killed-try", status="BUILDING", description=description_of(identity()))


def _time_out(when: str) -> Callable[[World], None]:
    """Let the client give up after a second, and the server act or answer later."""

    def script(world: World) -> None:
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json(timeout_seconds=1)
        _create("slow", 1.5, when=when)(world)

    return script


def _refuse_connections(world: World) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    connection = json.loads(world.emulator.connection_json())
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps({**connection, "host": f"http://127.0.0.1:{port}"})


def _nothing(_world: World) -> None:
    return


OURS = description_of(identity())
FOREIGN_BACKUP = json.dumps({"backup": {"id": FOREIGN_ID, "name": NAME}})
BUSY_202 = {"busy_status": 202}
NAME_FIRST = {"first_check": "name"}


def _lost_answers() -> list[Row]:
    return [
        Row("nothing", _nothing, "success 1 1"),
        Row("no answer, not made", _create("drop"), "success 2 1"),
        Row("no answer, made", _create("drop", when="after"), "success 1 1"),
        Row("no answer 3 times, not made", _create("drop", times=3), "success 4 1"),
        Row("no answer 4 times, not made", _create("drop", times=4), "up_for_retry 4 0, success 5 1"),
        Row(
            "no answer 3 times, not made; the 4th made",
            _both(_create("drop", times=3), _create("drop", when="after")),
            "success 4 1",
        ),
        Row("half an answer, made", _create("truncate"), "success 1 1"),
        Row("time-out, made", _time_out("after"), "success 1 1"),
        Row("time-out, takes effect after the next", _time_out("before"), "success 2 1"),
        Row("no connection", _refuse_connections, "up_for_retry 0 0, success 1 1"),
    ]


def _server_errors() -> list[Row]:
    rows = []
    for status in (500, 502, 503, 504):
        rows.append(Row(f"{status}, not made", _create("answer", status), "success 2 1"))
        rows.append(Row(f"{status}, made", _create("answer", status, when="after"), "success 1 1"))
        always = _create("answer", status, times=4)
        rows.append(Row(f"{status} 4 times, not made", always, "up_for_retry 4 0, success 5 1"))
    return [
        *rows,
        Row("500 CSS.0005, not made", _create("answer", 500, "CSS.0005"), "success 2 1"),
        Row("500 CSS.0005, made", _create("answer", 500, "CSS.0005", when="after"), "success 1 1"),
        Row("502 as a page, not made", _create("html"), "success 2 1"),
        Row("502 as a page, made", _create("html", when="after"), "success 1 1"),
    ]


def _odd_successes() -> list[Row]:
    not_json = {"body": "upstream connect error"}
    return [
        Row("201 without backup, made", _fault("without_backup"), "success 1 1"),
        Row("201 without backup, not made", _create("answer", 201, body="{}"), "success 2 1"),
        Row("201 not JSON, made", _create("answer", 201, when="after", **not_json), "success 1 1"),
        Row("201 not JSON, not made", _create("answer", 201, **not_json), "success 2 1"),
        Row("200 instead of 201, made", _create("answer", 200, body=FOREIGN_BACKUP, when="after"), "success 1 1"),
        Row("200 instead of 201, not made", _create("answer", 200, body=FOREIGN_BACKUP), "success 2 1"),
        Row("200 not JSON, made", _create("not_json", when="after"), "success 1 1"),
        Row("201 with an unknown error code, made", _create("answer", 201, "CSS.9998", when="after"), "success 1 1"),
        Row("202 with an unknown error code, not made", _create("answer", 202, "CSS.9998"), "success 2 1"),
        Row("302, made", _create("redirect", "http://127.0.0.1:9/", when="after"), "success 1 1"),
        Row("302, not made", _create("redirect", "http://127.0.0.1:9/"), "success 2 1"),
    ]


def _busy() -> list[Row]:
    rows = []
    for status, options in ((409, {}), (202, BUSY_202)):
        rows += [
            Row(f"{status} busy: own snapshot runs", _own_runs_under_another_name, "success 1 1", options),
            Row(f"{status} busy: a stranger's runs", _stranger_runs, "success 2 1", options),
            Row(f"{status} busy: cluster idle", _fault("busy", status), "success 2 1"),
            Row(f"{status} busy though made", _fault("busy", status, when="after"), "success 1 1"),
            Row(f"{status} busy 10 times: cluster idle", _fault("busy", status, times=10), "success 11 1"),
            Row(
                f"{status} busy 11 times: cluster idle",
                _fault("busy", status, times=11),
                "up_for_retry 11 0, success 12 1",
            ),
        ]
    lost = _create("drop", when="after", skip=1)
    rows.append(Row("409 busy: a stranger's runs; then no answer, made", _both(_stranger_runs, lost), "success 2 1"))
    return rows


def _throttled() -> list[Row]:
    return [
        Row("429 without Retry-After", _create("throttle"), "success 2 1"),
        Row("429 with Retry-After", _create("throttle", 7), "success 2 1"),
        Row("429 4 times", _create("throttle", 1, times=4), "up_for_retry 4 0, success 5 1"),
        Row("429 though made: busy next", _create("throttle", when="after"), "success 2 1"),
        Row("429 though made: name taken next", _create("throttle", when="after"), "success 2 1", NAME_FIRST),
    ]


def _taken_names() -> list[Row]:
    return [
        Row("name taken by its own, ended", _taken("COMPLETED", OURS), "success 1 1"),
        Row("name taken by its own, running", _taken("BUILDING", OURS), "success 1 1", NAME_FIRST),
        Row("name taken by a stranger, ended", _taken("COMPLETED"), "failed 1 0"),
        Row("name taken by a stranger, running", _taken("BUILDING"), "failed 1 0"),
        Row("name taken by a stranger, running", _taken("BUILDING"), "failed 1 0", NAME_FIRST),
        Row("own runs under another name, try 2", _own_runs_under_another_name, "success 0 1", first_try=2),
    ]


def test_a_fault_of_the_creation_leaves_one_snapshot() -> None:
    """Whatever answers a creation, there is at most one snapshot, and a try that succeeds has its id."""
    _check(
        [*_lost_answers(), *_server_errors(), *_odd_successes(), *_busy(), *_throttled(), *_taken_names()],
    )


NO_BACKUPS = {"body": "{}"}
EMPTY_LIST = {"body": '{"backups": []}'}
# What each fault of the list comes to: while waiting for the end, as the look of a second try, after a creation without
# an answer that was not made, and after one that was made.
LOOKS: dict[str, tuple[Callable[[World], None], tuple[str, str, str, str]]] = {
    "500": (_fault("answer", 500, call=LIST), ("success 1 1", "success 0 1", "success 2 1", "success 1 1")),
    "429": (_fault("throttle", 3, call=LIST), ("success 1 1", "success 0 1", "success 2 1", "success 1 1")),
    "no answer": (_fault("drop", call=LIST), ("success 1 1", "success 0 1", "success 2 1", "success 1 1")),
    "half": (_fault("truncate", call=LIST), ("success 1 1", "success 0 1", "success 2 1", "success 1 1")),
    "502 page": (_fault("html", call=LIST), ("success 1 1", "success 0 1", "success 2 1", "success 1 1")),
    "no backups": (
        _fault("answer", 200, call=LIST, **NO_BACKUPS),
        (
            "success 1 1",
            "up_for_retry 0 1, success 0 1",
            "up_for_retry 1 0, success 2 1",
            "up_for_retry 1 1, success 1 1",
        ),
    ),
    "not JSON": (
        _fault("not_json", call=LIST),
        (
            "success 1 1",
            "up_for_retry 0 1, success 0 1",
            "up_for_retry 1 0, success 2 1",
            "up_for_retry 1 1, success 1 1",
        ),
    ),
    "500 5 times": (
        _fault("answer", 500, call=LIST, times=5),
        (
            "success 1 1",
            "up_for_retry 0 1, success 0 1",
            "up_for_retry 1 0, success 2 1",
            "up_for_retry 1 1, success 1 1",
        ),
    ),
    "429 5 times": (
        _fault("throttle", call=LIST, times=5),
        (
            "success 1 1",
            "up_for_retry 0 1, success 0 1",
            "up_for_retry 1 0, success 2 1",
            "up_for_retry 1 1, success 1 1",
        ),
    ),
    "lags: empty": (
        _fault("answer", 200, call=LIST, **EMPTY_LIST),
        ("success 1 1", "success 1 1", "success 2 1", "success 2 1"),
    ),
}


def _look_rows(what: str, fault: Callable[[World], None], expected: tuple[str, str, str, str]) -> list[Row]:
    waiting, second, not_made, made = expected
    return [
        Row(f"list {what}, while waiting", fault, waiting),
        Row(f"list {what}, look of try 2", _both(_own_runs_under_another_name, fault), second, first_try=2),
        Row(f"list {what}, after no answer, not made", _both(_create("drop"), fault), not_made),
        Row(f"list {what}, after no answer, made", _both(_create("drop", when="after"), fault), made),
    ]


def test_a_fault_of_the_look_leaves_one_snapshot() -> None:
    """A list that fails, alone or together with a lost creation, never leads to a second snapshot."""
    _check([row for what, (fault, expected) in LOOKS.items() for row in _look_rows(what, fault, expected)])
