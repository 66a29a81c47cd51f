"""The calls that set up snapshots: what they change, what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.calls import EMULATED
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.exchange import Reply
from airflow_css.protocol import wire
from tests.emulator.callers import UNKNOWN_ID, Caller, refusal

CALLS = {call.name: call for call in EMULATED}
SETTERS = [name for name in CALLS if name not in {call.name for call in wire.CALLS}]
POLICY = {"enable": "true", "prefix": "nightly", "period": "16:00 GMT+08:00", "keepday": 7}
OPENING = {key: value for key, value in POLICY.items() if key != "enable"}
SETTING = {"bucket": "es-backup", "agency": "css_agency"}
BODIES: dict[str, dict[str, Any]] = {
    "create_auto_create_policy": POLICY,
    "start_auto_create_snapshots": OPENING,
    "update_snapshot_setting": SETTING,
}


def _ask(caller: Caller, name: str, body: Any = None, **changes: Any) -> Reply:
    if body is None and name in BODIES:
        body = {key: value for key, value in {**BODIES[name], **changes}.items() if value is not ...}
    return caller.call(CALLS[name], body)


def _policy(caller: Caller) -> dict[str, Any]:
    shown: dict[str, Any] = caller.call(wire.GET_SNAPSHOT_POLICY).json()
    return shown


@pytest.mark.parametrize("name", SETTERS)
def test_each_is_answered_without_a_body(caller: Caller, name: str) -> None:
    """It is 200, empty, and seen under its name."""
    reply = _ask(caller, name)
    assert (reply.status, reply.body) == (200, b"")
    assert caller.emulator.count(name) == 1


@pytest.mark.parametrize("name", SETTERS)
def test_a_cluster_can_be_missing_or_frozen(caller: Caller, name: str) -> None:
    """No call changes a cluster that is not there, or is frozen."""
    assert refusal(caller.call(CALLS[name], BODIES.get(name), cluster_id=UNKNOWN_ID)) == (403, "CSS.0015")
    caller.emulator.change_cluster(frozen=True)
    assert refusal(_ask(caller, name)) == (400, "CSS.5301")


@pytest.mark.parametrize("name", ["update_snapshot_setting", "start_auto_setting", "stop_snapshot"])
def test_nothing_is_set_up_while_a_snapshot_is_made(caller: Caller, name: str) -> None:
    """What changes where snapshots go waits until none is in work."""
    caller.created("first")
    assert refusal(_ask(caller, name)) == (409, "CSS.0011")
    caller.advance(2)
    assert _ask(caller, name).status == 200


@pytest.mark.parametrize(
    "name", ["create_auto_create_policy", "start_auto_create_snapshots", "stop_auto_create_snapshots"]
)
def test_a_policy_needs_the_snapshot_function(caller: Caller, name: str) -> None:
    """With the function off there is no policy to change; while a snapshot is made it may change."""
    caller.created("first")
    assert _ask(caller, name).status == 200
    caller.advance(2)
    caller.emulator.change_cluster(snapshot_function=False)
    assert refusal(_ask(caller, name)) == (415, "CSS.0004")


@pytest.mark.parametrize("name", ["update_snapshot_setting", "start_auto_setting"])
def test_the_function_is_turned_off_and_on(caller: Caller, name: str) -> None:
    """Off, nothing can be made; a second time is refused; either call turns it on again."""
    assert _ask(caller, "stop_snapshot").status == 200
    assert refusal(_ask(caller, "stop_snapshot")) == (415, "CSS.0004")
    assert refusal(caller.create("first")) == (415, "CSS.0004")
    assert caller.cluster()["backupAvailable"] is False
    assert _ask(caller, name).status == 200
    assert caller.create("first").status == 201


@pytest.mark.parametrize(
    "spelled",
    [
        {"base_path": "a/b", "max_snapshot_bytes_per_seconds": "20MB", "max_restore_bytes_per_seconds": 0},
        {"basePath": "a/b", "maxSnapshotBytesPerSeconds": "20MB", "maxRestoreBytesPerSeconds": "0"},
    ],
)
def test_settings_are_shown_as_they_were_set(caller: Caller, spelled: dict[str, Any]) -> None:
    """Both spellings are read; old snapshots stay in their bucket, new ones go to the new one."""
    caller.emulator.add_snapshot("old-one")
    assert _ask(caller, "update_snapshot_setting", **spelled).status == 200
    shown = _policy(caller)
    assert (shown["bucket"], shown["agency"], shown["basePath"]) == ("es-backup", "css_agency", "a/b")
    assert (shown["maxSnapshotBytesPerSeconds"], shown["maxRestoreBytesPerSeconds"]) == ("20MB", "0")
    caller.advance(1)
    caller.created("new-one")
    assert [entry["bucketName"] for entry in caller.listed()] == ["es-backup", "css-backups"]


def test_settings_carry_a_policy(caller: Caller) -> None:
    """The call that sets the bucket can set the policy too, and turns it off when it says nothing about it."""
    assert _ask(caller, "update_snapshot_setting", **POLICY).status == 200
    assert (_policy(caller)["enable"], _policy(caller)["prefix"]) == ("true", "nightly")
    assert _ask(caller, "update_snapshot_setting").status == 200
    assert (_policy(caller)["enable"], _policy(caller)["prefix"]) == ("false", "nightly")


BAD_SETTINGS: list[dict[str, Any]] = [
    {"bucket": ...},
    {"bucket": ""},
    {"bucket": 5},
    {"agency": ...},
    {"agency": "a b"},
    {"agency": "a/b"},
    *(
        {"base_path": path}
        for path in ("/a", ".a", "a.", "a///b", "a...b", "a" * 513, *(f"a{c}" for c in "\\:*?\"<>|'{}"))
    ),
    *({"max_snapshot_bytes_per_seconds": speed} for speed in ("40", "40 MB", "10000MB", "-2", "MB", 5, True)),
    {"max_restore_bytes_per_seconds": "fast"},
    {"enable": "true"},
    {"enable": True},
    {"delete_auto": "yes"},
]


@pytest.mark.parametrize("changes", BAD_SETTINGS, ids=str)
def test_a_bad_setting_is_refused(caller: Caller, changes: dict[str, Any]) -> None:
    """What breaks a documented rule is 400 CSS.0001 and changes nothing."""
    before = _policy(caller)
    caller.emulator.change_cluster(snapshot_function=False)
    assert refusal(_ask(caller, "update_snapshot_setting", **changes)) == (400, "CSS.0001")
    assert (_policy(caller), caller.cluster()["backupAvailable"]) == (before, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_path": "a//b..c"},
        {"base_path": "a" * 512},
        *({"max_snapshot_bytes_per_seconds": speed} for speed in ("0", "-1", "0mb", "9999PB", "1k", "5b")),
    ],
    ids=str,
)
def test_a_setting_just_inside_the_rules_is_taken(caller: Caller, changes: dict[str, Any]) -> None:
    """The limits themselves are allowed."""
    assert _ask(caller, "update_snapshot_setting", **changes).status == 200


BAD_POLICIES: list[tuple[dict[str, Any], str]] = [
    *(({"prefix": prefix}, "CSS.0001") for prefix in (..., "", "A", "1a", "a.b", "a" * 33, 5)),
    *(({"period": period}, "CSS.0001") for period in ("16:30 GMT+08:00", "24:00 GMT+08:00", "16:00", "16:00 UTC", 16)),
    *(({"keepday": keep}, "CSS.3011") for keep in (..., 0, 91)),
    *(({"keepday": keep}, "CSS.0001") for keep in ("7", True, 7.5)),
    *(({"frequency": frequency}, "CSS.0001") for frequency in ("WEEK", "day", 1)),
    *(({"indices": indices}, "CSS.0001") for indices in ("A", "a b", "a" * 1025)),
]


@pytest.mark.parametrize(
    "name", ["create_auto_create_policy", "start_auto_create_snapshots", "update_snapshot_setting"]
)
@pytest.mark.parametrize(("changes", "code"), BAD_POLICIES, ids=str)
def test_a_bad_policy_is_refused_by_whichever_call(
    caller: Caller, name: str, changes: dict[str, Any], code: str
) -> None:
    """What breaks a documented rule is refused with 400 by all three calls that turn the policy on."""
    given = POLICY if name == "update_snapshot_setting" else {}
    assert refusal(_ask(caller, name, **{**given, **changes})) == (400, code)
    assert _policy(caller)["enable"] == "false"


@pytest.mark.parametrize("body", [{}, {"enable": ""}, {"enable": "yes"}, {"enable": True}, {"enable": None}])
def test_a_policy_says_whether_it_is_on(caller: Caller, body: dict[str, Any]) -> None:
    """Left out, or anything but the two words, is refused."""
    assert refusal(_ask(caller, "create_auto_create_policy", body)) == (400, "CSS.0001")


def test_an_hourly_policy_needs_no_time_of_day(caller: Caller) -> None:
    """A daily one does, except by the call that only opens it."""
    assert _ask(caller, "create_auto_create_policy", period=..., frequency="HOUR").status == 200
    assert refusal(_ask(caller, "create_auto_create_policy", period=...)) == (400, "CSS.0001")
    assert _ask(caller, "start_auto_create_snapshots", period=...).status == 200
    assert _policy(caller)["period"] == "00:00 GMT+08:00"


def test_a_policy_makes_snapshots_from_then_on() -> None:
    """What is set by a call falls due like what is planted, and ends when it is closed."""
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    caller = Caller(CssEmulator(clock=TurnableClock(frozen=True, start=noon)))
    assert _ask(caller, "create_auto_create_policy", frequency="HOUR", indices="customers").status == 200
    caller.advance(3600)
    assert [(e["indices"], e["backupFrequency"]) for e in caller.listed()] == [("customers", "HOUR")]
    assert _ask(caller, "stop_auto_create_snapshots").status == 200
    caller.advance(7200)
    assert len(caller.listed()) == 1


@pytest.mark.parametrize("spelling", ["delete_auto", "deleteAuto"])
@pytest.mark.parametrize(("word", "left"), [("true", {"ours", "auto-2"}), ("false", {"ours", "auto-1", "auto-2"})])
def test_turned_off_it_may_take_its_snapshots_along(caller: Caller, spelling: str, word: str, left: set[str]) -> None:
    """When asked to, automatic ones go, save the one in work; users' own stay."""
    caller.emulator.add_snapshot("ours")
    caller.emulator.add_snapshot("auto-1", frequency="DAY")
    caller.emulator.add_snapshot("auto-2", frequency="DAY", status="BUILDING")
    assert _ask(caller, "create_auto_create_policy", {"enable": "false", spelling: word}).status == 200
    assert {entry["name"] for entry in caller.listed()} == left


def test_a_full_cluster_makes_no_automatic_snapshot(caller: Caller) -> None:
    """One that finds the quota used up is counted as cancelled."""
    caller.emulator.add_snapshot("ours")
    caller.emulator.change_cluster(quota=1)
    caller.emulator.policy(frequency="HOUR")
    caller.advance(3600)
    assert (len(caller.listed()), caller.emulator.cancelled()) == (1, 1)
