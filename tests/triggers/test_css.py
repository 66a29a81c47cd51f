"""What both triggers share: one event, an end right after it, and arguments that a later version still understands."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from airflow_css.triggers.css import ClusterIdleTrigger, SnapshotTrigger
from tests.triggers.looks import Service
from tests.triggers.waiting import idle_trigger, make_snapshot, snapshot_trigger
from tests.virtual_time import VirtualTimeLoop, run_in_virtual_time
from tests.world import World, event_of

VECTORS = Path(__file__).parents[1] / "vectors" / "triggers"
SECRETS = ("planted-secret-key", "planted-token")


def _vectors() -> list[Path]:
    return sorted(VECTORS.glob("*.json"))


def _build(vector: dict[str, Any]) -> Any:
    module, _, name = vector["classpath"].rpartition(".")
    return getattr(import_module(module), name)(**vector["kwargs"])


@pytest.mark.parametrize("path", _vectors(), ids=lambda path: path.stem)
def test_a_trigger_row_of_any_version_can_be_built(path: Path) -> None:
    """What any released version wrote into the database builds a trigger, and every argument has its effect."""
    vector = json.loads(path.read_text())
    classpath, arguments = _build(vector).serialize()
    assert classpath == vector["classpath"]
    assert {name: arguments[name] for name in vector["kwargs"]} == vector["kwargs"]


def test_there_is_a_vector_of_each_trigger() -> None:
    """Both triggers are kept as vectors, with all that this version writes."""
    written = [json.loads(path.read_text()) for path in _vectors()]
    for trigger in (SnapshotTrigger, ClusterIdleTrigger):
        mine = [v for v in written if v["classpath"] == f"airflow_css.triggers.css.{trigger.__name__}"]
        assert any(_build(vector).serialize()[1] == vector["kwargs"] for vector in mine)


@pytest.mark.parametrize("is_good", [True, False])
def test_a_trigger_ends_right_after_its_only_event(world: World, is_good: bool) -> None:  # noqa: FBT001 - a table's column
    """The generator stops at the first question after the event, without any look or pause in between."""

    async def main(trigger: Any) -> None:
        run = trigger.run()
        await anext(run)
        calls, at = len(world.emulator.requests), world.clock.now()
        with pytest.raises(StopAsyncIteration):
            await anext(run)
        assert (len(world.emulator.requests), world.clock.now()) == (calls, at)

    for trigger in (
        snapshot_trigger(world, make_snapshot(world, ending="completed" if is_good else "failed")),
        idle_trigger(world, deadline=world.clock.now().timestamp() + (100 if is_good else -1)),
    ):
        run_in_virtual_time(world.clock, lambda trigger=trigger: main(trigger))  # type: ignore[misc] # a default binds the loop's value


@pytest.mark.parametrize("after", [0.0, 1.0, 55.5])
def test_a_cancellation_is_never_swallowed(world: World, after: float) -> None:
    """A cancelled trigger raises ``CancelledError``, sends no event, and leaves nothing behind."""
    world.emulator.change_cluster(actions=("GROWING",))
    snapshot_id = world.emulator.add_snapshot("orders-1", status="BUILDING", takes=600)

    async def main(trigger: Any) -> None:
        task = asyncio.create_task(event_of(trigger))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for trigger in (snapshot_trigger(world, snapshot_id), idle_trigger(world)):
        run_in_virtual_time(world.clock, lambda trigger=trigger: main(trigger))  # type: ignore[misc] # as above


def test_a_failure_of_our_own_is_an_event_too() -> None:
    """Whatever breaks inside a trigger, the task is told in words of ours and may retry."""
    service = Service(lambda _number: "no list of snapshots")

    async def main(_loop: VirtualTimeLoop) -> Any:
        kind = type("OnService", (SnapshotTrigger,), {"hook_class": service.hook_class})
        key = service.key()
        names = {"snapshot_id": "id-1", "snapshot_name": "orders-1"}
        return await event_of(kind(css_conn_id=key.conn_id, cluster_id=key.cluster_id, timeout=60.0, **names))

    event = service.run(main)
    assert event["outcome"] == "failed"
    assert event["error"]["kind"] == "CssReplyError"
    assert event["error"]["curable"]
    assert event["error"]["message"].startswith("The trigger failed")


def test_no_secret_is_serialized_or_sent() -> None:
    """Neither the arguments of a trigger nor any event holds a key or a token, also when the answer echoes them."""
    from tests.world import new_world

    with new_world(access_key="planted-access", secret_key=SECRETS[0], security_token=SECRETS[1]) as world:
        said = []
        echo = f"signed with {SECRETS[0]} and {SECRETS[1]}"
        for status, code in ((500, "CSS.0005"), (401, "APIGW.0301"), (403, "APIGW.0302"), (200, "CSS.9999")):
            world.emulator.faults.clear()
            world.emulator.faults.answer(status, code, message=echo, call="list_snapshots", times=None)
            world.emulator.faults.answer(status, code, message=echo, call="get_cluster", times=None)
            for trigger in (snapshot_trigger(world, "id-1"), idle_trigger(world)):
                said.append(json.dumps(trigger.serialize()))
                event = run_in_virtual_time(world.clock, lambda trigger=trigger: event_of(trigger))  # type: ignore[misc] # as above
                assert event["outcome"] == "failed"
                said.append(json.dumps(event))
    assert len(said) == 16
    assert not [text for text in said for secret in SECRETS if secret in text]
