"""Keys that are refused in the middle of a wait: read again once, never used more than twice."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.protocol.errors import CssAuthError
from tests.running import TaskRun, run_task
from tests.task_log import reading_the_log
from tests.world import World

GATEWAY_SAYS = "Incorrect IAM authentication information: verify aksk signature fail"


def _refused(world: World) -> int:
    return sum(seen.status == 401 for seen in world.emulator.requests)


def _refuse(world: World, *, call: str | None = None, times: int | None = None, skip: int = 0) -> None:
    world.emulator.faults.answer(401, "APIGW.0301", message=GATEWAY_SAYS, call=call, times=times, skip=skip)


def test_other_keys_of_the_connection_are_used_from_there_on(world: World) -> None:
    """When the connection has other keys by the time of the refusal, the wait goes on with them."""
    # The emulator takes a permanent key with or without a token, so the token makes the keys other ones.
    world.clock.at(20, lambda: world.connect(security_token="renewed"))
    _refuse(world, call="list_snapshots", times=1, skip=12)
    with reading_the_log() as log:
        assert world.run().state == "success"
    assert _refused(world) == 1
    assert log.having("the connection has other ones now, which are used from here on", "info")


@pytest.mark.parametrize("call", ["list_snapshots", "get_cluster", "get_snapshot_policy", None])
def test_the_same_keys_are_used_twice_at_most(world: World, call: str | None) -> None:
    """When the connection still has the refused keys the task fails at once, after two refused requests at most."""
    if call == "get_cluster":
        world.emulator.add_snapshot("strangers", status="BUILDING")
    _refuse(world, call=call)
    outcome = world.run(retries=1)
    assert _refused(world) <= 2
    if call == "get_snapshot_policy":
        # Nobody needs the policy to go on.
        assert outcome.state == "success"
        return
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssAuthError)
    assert "Check the access key and the secret key" in str(outcome.error)


@pytest.mark.parametrize("skip", range(1, 8))
def test_from_whatever_call_on_the_keys_are_refused_two_requests_are_the_most(world: World, skip: int) -> None:
    """Wherever in the task the keys stop working, no more than two requests are sent with them."""
    _refuse(world, skip=skip)
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert 1 <= _refused(world) <= 2


@pytest.mark.parametrize("skip", range(1, 8))
def test_the_same_holds_behind_a_stranger(world: World, skip: int) -> None:
    """Also while the turn is awaited no more than two requests are sent with refused keys."""
    world.emulator.add_snapshot("strangers", status="BUILDING")
    _refuse(world, skip=skip)
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert 1 <= _refused(world) <= 2


def test_keys_that_change_before_the_creation_lead_to_a_look_first(world: World) -> None:
    """A creation that was refused and is sent again with other keys is preceded by a look."""
    _refuse(world, call="create_snapshot", times=1)
    operator = world.operator()
    assert operator.hook.settings.credentials.security_token is None
    world.connect(security_token="renewed")
    assert run_task(operator).state == "success"
    calls = [seen.call for seen in world.emulator.requests][:3]
    assert calls == ["create_snapshot", "list_snapshots", "create_snapshot"]


def test_a_missing_permission_is_not_cured_by_reading_the_connection_again(world: World) -> None:
    """A 403 speaks of permissions, not of keys: the task fails at once, whatever the connection says by then."""
    world.clock.at(20, lambda: world.connect(security_token="renewed"))
    world.emulator.faults.answer(403, "CSS.0010", call="list_snapshots", skip=10)
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert "Give the keys the permission" in str(outcome.error)


def test_a_connection_that_is_gone_meanwhile_is_told_as_such(world: World) -> None:
    """When the connection cannot be read again the task fails at once with the connection's mistake."""
    world.clock.at(20, lambda: world.connect(project_id=None))
    _refuse(world, call="list_snapshots", times=1, skip=12)
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert "has no project" in str(outcome.error)


def test_a_retry_with_mended_keys_adopts(world: World) -> None:
    """After a failure for refused keys, a cleared task with good keys finds the snapshot."""
    _refuse(world, call="list_snapshots", times=1)
    first = world.run()
    assert first.state == "failed"
    second = world.run(TaskRun(try_number=2, max_tries=1))
    assert second.state == "success"
    assert second.xcom["backup_id"] == first.xcom["backup_id"]
