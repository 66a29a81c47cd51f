"""Looks through one connection: which keys they use, and how rarely a refused key is sent."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from uuid import uuid4

import pytest

from airflow_css.client.css import CssClient
from airflow_css.protocol.errors import CssAuthError, CssTransportError, ErrorReply
from airflow_css.triggers.looking import SignedIn
from airflow_css.triggers.poll_hub import Answer, hub_of_this_loop
from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS
from tests.triggers.looks import CONN_ID, Service
from tests.triggers.waiting import snapshot_trigger, wait_for_all
from tests.virtual_time import VirtualTimeLoop
from tests.world import new_world

DAY = 86_400.0


def _new_key() -> str:
    # The process remembers refused keys, so each test has its own.
    return f"key-{uuid4()}"


async def _look(service: Service, number: int = 0, delay: float = 0) -> Answer:
    with hub_of_this_loop().join(service.key(number)) as waiter:
        answer = await waiter.next(delay, at_most=DAY)
        assert answer is not None
        return answer


def test_a_refused_key_is_sent_at_most_twice_by_a_process() -> None:
    """Fifty clusters whose key is refused send it twice in all, at once and later: five refusals would lock it."""
    service = Service(good_key="another")
    key = _new_key()

    async def main(_loop: VirtualTimeLoop) -> None:
        service.connect(key)
        for _ in range(3):
            answers = await asyncio.gather(*(_look(service, number) for number in range(50)))
            assert all(isinstance(answer.error, CssAuthError) for answer in answers)
            await asyncio.sleep(30)

    service.run(main)
    assert 1 <= len(service.refused) <= 2


def test_a_refused_key_does_not_lock_the_emulator() -> None:
    """Fifty clusters over HTTP with a wrong secret: the gateway sees at most two requests and locks nothing."""
    with new_world(secret_key=f"secret-{uuid4()}", clusters=[f"cluster-{number}" for number in range(50)]) as world:
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json().replace(
            world.emulator.secret_key, f"wrong-{uuid4()}"
        )
        clusters = [cluster.id for cluster in world.client.list_clusters()]
        triggers = [snapshot_trigger(world, "id-1", cluster_id=cluster_id) for cluster_id in clusters]
        arrivals = wait_for_all(world, triggers)
        assert len(clusters) == 50
        assert {arrived.status for arrived in arrivals} == {"CssAuthError"}
        assert not any(arrived.error is None or arrived.error.curable for arrived in arrivals)
        assert 1 <= world.emulator.count("list_snapshots") <= 2
        # Nothing is locked: the right keys still work.
        assert world.client.list_snapshots(clusters[0]) == ()


def test_keys_that_changed_are_used_at_once() -> None:
    """Keys that are refused because they were changed meanwhile are read anew, by all who wait, within the look."""
    old, new = _new_key(), _new_key()
    service = Service(good_key=old)

    async def main(_loop: VirtualTimeLoop) -> Any:
        service.connect(old)
        waiting = [asyncio.create_task(_look_twice(service, number)) for number in range(50)]
        await asyncio.sleep(10)
        service.connect(new)
        service.good_key = new
        return await asyncio.gather(*waiting)

    assert all(answer.error is None for answers in service.run(main) for answer in answers)
    assert len(service.refused) <= 2


async def _look_twice(service: Service, number: int) -> list[Answer]:
    with hub_of_this_loop().join(service.key(number)) as waiter:
        answers = [await waiter.next(delay, at_most=DAY) for delay in (0, 30)]
        return [answer for answer in answers if answer is not None]


def test_keys_that_changed_to_bad_ones_are_sent_at_most_twice_as_well() -> None:
    """When old and new keys are both refused, each of them is sent at most twice."""
    old, new = _new_key(), _new_key()
    service = Service(good_key=old)

    async def main(_loop: VirtualTimeLoop) -> Any:
        service.connect(old)
        waiting = [asyncio.create_task(_look_twice(service, number)) for number in range(50)]
        await asyncio.sleep(10)
        service.connect(new)
        service.good_key = "neither"
        answers = await asyncio.gather(*waiting)
        again = await asyncio.gather(*(_look(service, number) for number in range(50)))
        return [*(pair[1] for pair in answers), *again]

    assert all(isinstance(answer.error, CssAuthError) for answer in service.run(main))
    assert max(service.refused.count(key) for key in (old, new)) <= 2


def test_keys_that_changed_are_used_within_five_minutes_although_the_old_ones_work() -> None:
    """A change of the connection is picked up while tasks wait, before anything was refused."""
    old, new = _new_key(), _new_key()
    service = Service()
    used: list[tuple[float, str]] = []

    async def main(loop: VirtualTimeLoop) -> None:
        service.connect(old)
        look = service.look

        def remember(cluster_id: str, access_key: str) -> Any:
            used.append((loop.time(), access_key))
            return look(cluster_id, access_key)

        service.look = remember  # type: ignore[method-assign] # to see the key of each look
        with hub_of_this_loop().join(service.key()) as waiter:
            for number in range(40):
                if number == 1:
                    service.connect(new)
                await waiter.next(10, at_most=DAY)

    service.run(main)
    changed = min(at for at, key in used if key == new)
    assert 290 <= changed <= 320
    assert {key for at, key in used if at > changed} == {new}


def test_a_missing_permission_is_no_refused_key() -> None:
    """A 403 does not keep the key from other clusters, which it may well be allowed to read."""

    def answer(number: int) -> int:
        if number == 1:
            raise CssAuthError(ErrorReply(403, "APIGW.0302"))
        return number

    service = Service(answer)

    async def main(_loop: VirtualTimeLoop) -> Any:
        service.connect(_new_key())
        return [await _look(service, number) for number in range(3)]

    first, *others = service.run(main)
    assert isinstance(first.error, CssAuthError)
    assert [one.value for one in others] == [2, 3]


def test_a_connection_that_cannot_be_read_at_first_is_no_answer_yet() -> None:
    """Airflow cannot tell a missing connection from one it cannot read just now: the next look may find it."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        variable = f"AIRFLOW_CONN_{CONN_ID.upper()}"
        connection = os.environ.pop(variable)
        with hub_of_this_loop().join(service.key()) as waiter:
            gone = await waiter.next(0, at_most=DAY)
            os.environ[variable] = connection
            back = await waiter.next(5, at_most=DAY)
        return gone, back

    gone, back = service.run(main)
    assert isinstance(gone.error, CssTransportError)
    assert "Admin, Connections" in str(gone.error)
    assert back.error is None


def test_a_connection_that_cannot_be_read_later_goes_on_with_its_keys() -> None:
    """While the known keys work, a connection that is gone, for a moment or for good, ends no wait."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        variable = f"AIRFLOW_CONN_{CONN_ID.upper()}"
        with hub_of_this_loop().join(service.key()) as waiter:
            answers = [await waiter.next(0, at_most=DAY)]
            del os.environ[variable]
            answers += [await waiter.next(60, at_most=DAY) for _ in range(30)]
        return answers

    assert all(answer.error is None for answer in service.run(main))


def test_keys_that_are_refused_after_the_connection_went_are_told() -> None:
    """Without a connection to read new keys from, the refusal is the answer."""
    old = _new_key()
    service = Service(good_key=old)

    async def main(_loop: VirtualTimeLoop) -> Any:
        service.connect(old)
        with hub_of_this_loop().join(service.key()) as waiter:
            await waiter.next(0, at_most=DAY)
            del os.environ[f"AIRFLOW_CONN_{CONN_ID.upper()}"]
            service.good_key = "another"
            return await waiter.next(5, at_most=DAY)

    assert isinstance(service.run(main).error, CssAuthError)
    assert service.refused == [old]


@pytest.mark.parametrize(
    "connection", ['{"password": "planted-secret"', '{"extra": "planted-secret"}', "planted-secret"]
)
def test_a_connection_that_cannot_be_parsed_tells_no_secret(connection: str) -> None:
    """Whatever Airflow says about a connection that is broken, nothing of its text reaches an event."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Answer:
        os.environ[f"AIRFLOW_CONN_{CONN_ID.upper()}"] = connection
        return await _look(service)

    answer = service.run(main)
    assert answer.error is not None
    assert "planted-secret" not in str(answer.error)


def test_one_client_serves_all_clusters_of_a_connection() -> None:
    """Fifty clusters share the client with its open connections; else each would hold one per thread."""
    with new_world() as world:
        seen: set[CssClient] = set()
        signed_in = SignedIn("css_default", world.hook_class)
        for _ in range(50):
            signed_in.look(seen.add)
    assert len(seen) == 1


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="Airflow 2 reads connections from its database")
def test_the_connection_is_read_through_the_supervisor_of_the_triggerer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look's thread asks the triggerer's process for the connection, whose answer passes through the event loop."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ConnectionResult

    service = Service()
    asked: list[str] = []

    class Supervisor:
        """Answers from the loop, as the triggerer's does, to whoever asks from a thread."""

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self.loop = loop

        def send(self, msg: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(self.asend(msg), self.loop).result(10)

        async def asend(self, msg: Any) -> Any:
            asked.append(type(msg).__name__)
            extra = '{"region": "eu-west-101", "project_id": "6204a5bd270343b5885144cf9c8c158d"}'
            facts = {"conn_id": CONN_ID, "conn_type": "huaweicloud_css", "login": "from-afar", "password": "secret"}
            return ConnectionResult.model_validate(
                {**facts, "extra": extra, "host": None, "schema": None, "port": None}
            )

    async def main(loop: VirtualTimeLoop) -> Answer:
        del os.environ[f"AIRFLOW_CONN_{CONN_ID.upper()}"]
        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", Supervisor(loop), raising=False)
        return await _look(service)

    answer = service.run(main)
    assert answer.error is None, answer.error
    assert "GetConnection" in asked
