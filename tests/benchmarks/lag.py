"""From CSS's end of a snapshot to the trigger's event, and the calls it takes, over polling at fixed intervals."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence

from airflow_css.protocol.models import SnapshotStatus
from tests.benchmarks.measuring import Row
from tests.triggers.waiting import make_snapshot, snapshot_trigger, wait_for
from tests.world import World, new_world

__all__ = ["lags_of_trigger", "measure"]

DURATIONS = {"2 s": 2.0, "30 s": 30.0, "5 min": 300.0, "1 h": 3_600.0}
FIXED_SECONDS = (15, 30, 60)
SAMPLES = 9

Lag = tuple[float, int]
"""Seconds of lag, and the number of calls."""


def lags_of_trigger(takes: float, samples: int = SAMPLES) -> list[Lag]:
    """
    Return the lags of our trigger.

    :param takes: How long the snapshots take, in seconds; each a little more or less.
    :param samples: How many.
    """
    lags = []
    for duration in _around(takes, samples):
        with new_world() as world:
            snapshot_id = make_snapshot(world, takes=duration)
            arrived = wait_for(world, snapshot_trigger(world, snapshot_id))
            lags.append((arrived.at - duration, world.emulator.count("list_snapshots")))
    return lags


def _lags_of_fixed(takes: float, every: float, samples: int = SAMPLES) -> list[Lag]:
    lags = []
    for duration in _around(takes, samples):
        with new_world() as world:
            make_snapshot(world, takes=duration)
            lags.append((_poll(world, every) - duration, world.emulator.count("list_snapshots")))
    return lags


def _poll(world: World, every: float) -> float:
    began = world.clock.now()
    while True:
        (snapshot,) = world.client.list_snapshots(world.emulator.cluster_id)
        if snapshot.status is not SnapshotStatus.BUILDING:
            return (world.clock.now() - began).total_seconds()
        world.clock.sleep(every)


def _around(takes: float, samples: int) -> Iterator[float]:
    # Whole durations would flatter whole intervals.
    chances = random.Random(takes)  # noqa: S311 - the same cases in every run, not a secret
    for _ in range(samples):
        yield takes * chances.uniform(0.9, 1.1)


def measure() -> list[Row]:
    """Return the worst lag for each duration, with the calls in the text, next to each fixed interval."""
    rows = []
    for text, takes in DURATIONS.items():
        ours = lags_of_trigger(takes)
        for every in FIXED_SECONDS:
            fixed = _lags_of_fixed(takes, every)
            what = f"lag after {text}, {_calls(ours)} calls / polling every {every} s, {_calls(fixed)} calls"
            rows.append(Row(what, _worst(ours), _worst(fixed), "s", _worst(ours), takes / 10 + 3))
    return rows


def _worst(lags: Sequence[Lag]) -> float:
    return max(lag for lag, _ in lags)


def _calls(lags: Sequence[Lag]) -> float:
    return statistics.median(calls for _, calls in lags)
