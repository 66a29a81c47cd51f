"""Thousands of waits in one loop, over as many idle triggers: memory, processor time and lag of the loop."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import Row

__all__ = ["measure"]

WAITS = 5_000
CLUSTERS = 50
IDLE_SECONDS = (5, 15)
WAITING_SECONDS = (30, 30)
"""How long to warm up, and to measure. Waits look often at first; the steady state is what thousands of them cost."""


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.busy_server"], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield f"http://127.0.0.1:{int(line)}"
    finally:
        process.kill()
        process.wait()


def _connection(url: str) -> str:
    extra = {"region": "eu-west-101", "project_id": "6204a5bd270343b5885144cf9c8c158d"}
    return json.dumps({"conn_type": "huaweicloud_css", "login": "ak", "password": "sk", "host": url, "extra": extra})


def _in_process(kind: str, url: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW_CONN_CSS_DEFAULT": _connection(url)}
        program = [sys.executable, "-m", "tests.benchmarks.waiting", kind]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure() -> list[Row]:
    """Return what the waits cost beyond idle triggers, measured in the same run."""
    with _server() as url:
        idle, waits = _in_process("idle", url), _in_process("waits", url)
    what = f"{WAITS:,} waits on {CLUSTERS} clusters / as many idle triggers"
    cpu, memory = waits["cpu"] - idle["cpu"], waits["rss"] - idle["rss"]
    return [
        Row(f"{what}: memory", waits["rss"], idle["rss"], "MB", memory, 60.0),
        Row("the same: share of a core", waits["cpu"], idle["cpu"], "%", cpu, 12.0),
        Row("the same, while they begin: share of a core", waits["cpu_at_first"], idle["cpu_at_first"], "%", 0.0),
        Row("the same: loop lag, p99", waits["lag"], idle["lag"], "ms", waits["lag"], 50.0),
        Row("the same: looks a second", waits["looks"], 0.0, "", waits["looks"]),
    ]


def _idle_triggers() -> Iterator[Any]:
    from airflow.triggers.base import BaseTrigger, TriggerEvent

    class IdleTrigger(BaseTrigger):
        def serialize(self) -> tuple[str, dict[str, Any]]:
            return "tests.benchmarks.waiting.IdleTrigger", {}

        async def run(self) -> AsyncIterator[TriggerEvent]:
            await asyncio.sleep(86_400)
            yield TriggerEvent({})  # type: ignore[no-untyped-call] # Airflow 3.3 leaves it without annotations

    return (IdleTrigger() for _ in range(WAITS))  # type: ignore[no-untyped-call] # as above


def _waiting_triggers() -> Iterator[Any]:
    from airflow_css.triggers.css import ClusterIdleTrigger, SnapshotTrigger
    from tests.benchmarks.busy_server import SNAPSHOT_ID

    vectors = Path(__file__).parents[1] / "vectors" / "triggers"
    # What a task carries through a deferral is part of what a wait costs.
    carry = (vectors / "snapshot_0_1_0.json").read_text()
    now = time.time()
    for number in range(WAITS):
        usual = {
            "css_conn_id": "css_default",
            "cluster_id": f"00000000-0000-0000-0000-{number % CLUSTERS:012}",
            "carry": json.loads(carry)["kwargs"]["carry"],
        }
        if number < WAITS // 2:
            yield SnapshotTrigger(**usual, snapshot_id=SNAPSHOT_ID, snapshot_name="orders", timeout=90_000.0)
        else:
            yield ClusterIdleTrigger(**usual, name=f"task {number}", asked_at=now + number, deadline=now + 21_600)


async def _run(trigger: Any) -> None:
    async for event in trigger.run():
        raise RuntimeError(f"nothing was to happen: {event}")


async def _lags(seconds: float) -> list[float]:
    lags, until = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        await asyncio.sleep(0.02)
        lags.append(time.perf_counter() - began - 0.02)
    return lags


async def _cost(seconds: float) -> tuple[float, list[float]]:
    before = time.process_time()
    lags = await _lags(seconds)
    return (time.process_time() - before) / seconds * 100, lags


async def _measure(triggers: Iterator[Any], warm_up: float, seconds: float) -> dict[str, float]:
    running = [asyncio.create_task(_run(trigger)) for trigger in triggers]
    cpu_at_first, _ = await _cost(warm_up)
    looks = _looks()
    cpu, lags = await _cost(seconds)
    looks = _looks() - looks
    for task in running:
        if task.done():
            task.result()
        task.cancel()
    lag = statistics.quantiles(lags, n=100)[98] * 1e3
    return {
        "cpu_at_first": cpu_at_first,
        "cpu": cpu,
        "rss": _resident_megabytes(),
        "lag": lag,
        "looks": looks / seconds,
    }


def _resident_megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def _looks() -> int:
    """Return how many looks there were so far."""
    from airflow_css.triggers.poll_hub import hub_of_this_loop

    groups = hub_of_this_loop()._groups.values()  # noqa: SLF001 - counting calls would slow down what is measured
    return sum(group.last.number for group in groups if group.last is not None)


def main(kind: str) -> None:
    """
    Measure in this process, and print the result as JSON.

    :param kind: ``idle`` or ``waits``.
    """
    if kind == "idle":
        result = asyncio.run(_measure(_idle_triggers(), *IDLE_SECONDS))
    else:
        result = asyncio.run(_measure(_waiting_triggers(), *WAITING_SECONDS))
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
