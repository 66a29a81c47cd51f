"""The hub: one look for all, at the earliest wish, and nobody's trouble is another's."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssError, CssServerError, CssTransportError, ErrorReply
from airflow_css.triggers.looking import Kind
from airflow_css.triggers.poll_hub import Answer, hub_of_this_loop
from tests.triggers.looks import Service, failing, threads_of_looks
from tests.virtual_time import VirtualTimeLoop

DAY = 86_400.0


async def _looks(service: Service, *delays: float, number: int = 0, begin: float = 0.0) -> list[tuple[float, Answer]]:
    """Wait in the group once for each delay; return when each answer came, and what it was."""
    seen = []
    loop = asyncio.get_running_loop()
    await asyncio.sleep(begin)
    with hub_of_this_loop().join(service.key(number)) as waiter:
        for delay in delays:
            answer = await waiter.next(delay, at_most=DAY)
            assert answer is not None
            seen.append((round(loop.time(), 3), answer))
    return seen


def test_many_who_wait_cost_one_look() -> None:
    """A thousand who wait for the same thing get the answers of the same looks."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        return await asyncio.gather(*(_looks(service, 0, 10, 10) for _ in range(1_000)))

    seen = service.run(main)
    assert service.times == [0, 10, 20]
    assert {tuple(answer.value for _, answer in one) for one in seen} == {(1, 2, 3)}


def test_two_kinds_and_two_clusters_are_looked_at_apart() -> None:
    """Only the same kind of look at the same cluster through the same connection is shared."""
    service = Service()

    async def one(key: Any) -> None:
        with hub_of_this_loop().join(key) as waiter:
            await waiter.next(0, at_most=DAY)

    async def main(_loop: VirtualTimeLoop) -> None:
        service.connect(conn_id="css_other")
        keys = [service.key(), service.key(1), service.key(kind=Kind.CLUSTER), service.key(conn_id="css_other")]
        await asyncio.gather(*(one(key) for key in keys * 3))

    service.run(main)
    assert len(service.looked_at) == 4


def test_the_earliest_wish_rules() -> None:
    """Whoever wants the next look first gets it then, and all others with it."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        return await asyncio.gather(*(_looks(service, 0, delay) for delay in (30, 10, 50)))

    seen = service.run(main)
    assert service.times == [0, 10]
    assert [one[-1][0] for one in seen] == [10, 10, 10]


def test_a_newcomer_causes_a_look_at_once() -> None:
    """Who joins late need not wait for the others' next look; and the others learn from it, too."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        return await asyncio.gather(_looks(service, 0, 60), _looks(service, 0, begin=5))

    seen = service.run(main)
    assert service.times == [0, 5]
    assert [at for at, _ in seen[0]] == [0, 5]
    assert [at for at, _ in seen[1]] == [5]


def test_a_newcomer_takes_an_answer_that_is_fresh() -> None:
    """Within two seconds of a look there is no other one: a newcomer gets that answer, and the next like everybody."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        return await asyncio.gather(_looks(service, 0, 60), _looks(service, 0, 30, begin=1.9))

    seen = service.run(main)
    assert service.times == [0, 31.9]
    assert [(at, answer.number) for at, answer in seen[1]] == [(1.9, 1), (31.9, 2)]


def test_nobody_polls_faster_than_every_two_seconds() -> None:
    """An impatient waiter does not make the group look more often than every two seconds."""
    service = Service()
    service.run(lambda _loop: _looks(service, *[0.0] * 5))
    assert service.times == [0, 2, 4, 6, 8]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 40), st.lists(st.floats(0, 40), min_size=1, max_size=5)), max_size=8))
def test_every_wish_is_kept_and_no_gap_is_too_short(waiters: list[tuple[float, list[float]]]) -> None:
    """Whatever is wished for and whenever somebody joins: looks are two seconds apart, and no wish waits longer."""
    service = Service()

    async def one(begin: float, delays: list[float]) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(begin)
        with hub_of_this_loop().join(service.key()) as waiter:
            for delay in delays:
                asked = loop.time()
                assert await waiter.next(delay, at_most=DAY) is not None
                assert loop.time() <= asked + max(delay, 2) + 0.001

    async def main(_loop: VirtualTimeLoop) -> None:
        # A group that ended forgets its last look, so somebody stays for the whole time.
        with hub_of_this_loop().join(service.key()):
            await asyncio.gather(*(one(*waiter) for waiter in waiters))

    service.run(main)
    assert all(at - before >= 1.999 for before, at in zip(service.times, service.times[1:], strict=False))


@pytest.mark.parametrize("error", [CssServerError(ErrorReply(500)), ZeroDivisionError("odd"), CssTransportError("no")])
def test_an_error_is_an_answer_to_all(error: Exception) -> None:
    """What goes wrong in a look reaches every waiter as an error of ours, and the next look goes on."""
    service = Service(failing(error, first=1, last=1))

    async def main(_loop: VirtualTimeLoop) -> Any:
        return await asyncio.gather(*(_looks(service, 0, 5) for _ in range(3)))

    for one in service.run(main):
        with pytest.raises(type(error) if isinstance(error, CssError) else CssTransportError):
            one[0][1].read()
        assert one[1][1].read() == 2


def test_an_error_that_many_read_does_not_grow() -> None:
    """A thousand who raise the same error add nothing to each other's traceback."""
    answer = Answer(1, error=CssTransportError("no answer"))
    for _ in range(1_000):
        with pytest.raises(CssTransportError):
            answer.read()
    assert answer.error is not None
    trace, depth = answer.error.__traceback__, 0
    while trace is not None:
        trace, depth = trace.tb_next, depth + 1
    assert depth <= 3


def test_nothing_is_left_when_the_last_waiter_leaves() -> None:
    """A hub without waiters has no group and no task, and a later waiter begins anew."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> None:
        for _ in range(3):
            before = asyncio.all_tasks()
            await _looks(service, 0, 3)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == before
            await asyncio.sleep(100)

    service.run(main)
    assert service.times == [0, 3, 103, 106, 206, 209]


def test_a_loop_that_ended_leaves_no_thread() -> None:
    """The threads of a hub end with its loop, also when looks had to queue."""
    service = Service()
    before = set(threads_of_looks())

    async def main(_loop: VirtualTimeLoop) -> int:
        await asyncio.gather(*(_looks(service, 0, number=number) for number in range(20)))
        return len(set(threads_of_looks()) - before)

    assert service.run(main) > 0
    gc.collect()
    until = time.monotonic() + 5
    while set(threads_of_looks()) - before and time.monotonic() < until:
        time.sleep(0.01)
    assert not set(threads_of_looks()) - before


def test_a_cancelled_waiter_disturbs_nobody() -> None:
    """Cancelled before, during and after a look: the others get every answer, and nothing is left over."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        leaving = [asyncio.create_task(_looks(service, 0, *[5.0] * 50)) for _ in range(4)]
        staying = asyncio.create_task(_looks(service, 0, 20, 20))
        await asyncio.sleep(0)
        for number, task in enumerate(leaving):
            task.cancel()
            await asyncio.sleep(number * 3.7)
        results = await asyncio.gather(*leaving, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        return await staying

    assert len(service.run(main)) == 3


def test_a_cancellation_that_meets_an_answer_is_not_lost() -> None:
    """A waiter that is cancelled in the very moment of its answer ends; otherwise it would wait for ever."""
    service = Service()

    async def main(_loop: VirtualTimeLoop) -> Any:
        task: asyncio.Task[Any]

        async def wait() -> None:
            with hub_of_this_loop().join(service.key()) as waiter:
                give = waiter.give

                def give_and_cancel(answer: Answer) -> None:
                    give(answer)
                    task.cancel()

                waiter.give = give_and_cancel  # type: ignore[method-assign] # to meet the moment exactly
                while True:
                    await waiter.next(1, at_most=DAY)

        task = asyncio.create_task(wait())
        await asyncio.wait({task}, timeout=100)
        return task.cancelled()

    assert service.run(main)
    assert len(service.looked_at) == 1


def _hanging(loop: VirtualTimeLoop, release: threading.Event, *numbers: int) -> Any:
    def answer(number: int) -> int:
        if number in numbers:
            loop.hang(release)
        return number

    return answer


def test_a_look_that_hangs_is_no_answer_and_is_not_begun_twice() -> None:
    """After 15 seconds it counts as no answer; while it hangs no other is begun; when it ends its answer counts."""
    service = Service()

    async def main(loop: VirtualTimeLoop) -> Any:
        release = threading.Event()
        service.answer = _hanging(loop, release, 1)
        loop.call_later(40, loop.let_go, release)
        with hub_of_this_loop().join(service.key()) as waiter:
            seen = []
            for _ in range(4):
                answer = await waiter.next(0, at_most=DAY)
                assert answer is not None
                seen.append((round(loop.time()), answer.value, type(answer.error).__name__))
            return seen

    assert service.run(main) == [
        (15, None, "CssTransportError"),
        (32, None, "CssTransportError"),
        (40, 1, "NoneType"),
        (42, 2, "NoneType"),
    ]
    assert service.times == [0, 42]


def test_looks_that_hang_do_not_stop_other_clusters() -> None:
    """Two clusters whose looks hang take both places of the connection; after 15 seconds others are looked at."""
    service = Service()

    async def main(loop: VirtualTimeLoop) -> Any:
        release = threading.Event()
        service.answer = _hanging(loop, release, 1, 2)
        hanging = [asyncio.create_task(_looks(service, 0, 0, number=number)) for number in (1, 2)]
        await asyncio.sleep(1)
        others = await asyncio.gather(*(_looks(service, 0, number=number) for number in range(3, 13)))
        loop.let_go(release)
        await asyncio.gather(*hanging)
        return others

    for one in service.run(main):
        assert one[0][0] == 15
        assert one[0][1].error is None


def test_a_deadline_is_met_whatever_the_hub_does() -> None:
    """A waiter whose time is up goes, to a tenth of a second, while a look hangs, queues, fails or is far away."""
    service = Service()

    async def one(number: int, at_most: float, delay: float) -> float:
        loop = asyncio.get_running_loop()
        with hub_of_this_loop().join(service.key(number)) as waiter:
            if delay:
                await waiter.next(0, at_most=DAY)
            began = loop.time()
            assert await waiter.next(delay, at_most=at_most) is None
            return abs(loop.time() - began - at_most)

    async def main(loop: VirtualTimeLoop) -> Any:
        release = threading.Event()
        service.answer = _hanging(loop, release, 3, 4)
        far = [asyncio.create_task(one(number, 33.3, 500)) for number in (1, 2)]
        await asyncio.sleep(5)
        late = await asyncio.gather(*(one(number, at_most, 0) for number in (3, 4, 5) for at_most in (0.0, 0.5, 7.7)))
        loop.let_go(release)
        return [*late, *(await asyncio.gather(*far))]

    assert max(service.run(main)) <= 0.1


def test_at_most_two_looks_at_once_go_through_a_connection() -> None:
    """However many clusters there are, a connection sees two looks at once, and another connection two of its own."""
    service = Service(lambda _number: time.sleep(0.003))

    async def main(_loop: VirtualTimeLoop) -> None:
        await asyncio.gather(*(_looks(service, 0, 5, 5, number=number) for number in range(30)))

    service.run(main)
    assert len(service.looked_at) == 90
    assert service.most_at_once == 2
