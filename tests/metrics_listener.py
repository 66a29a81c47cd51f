"""What Airflow sends to StatsD, read from a real socket on this machine."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import pytest

from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

__all__ = ["Listener", "Sent", "hearing_metrics", "listening"]

_LINE = re.compile(r"airflow\.(?P<name>[^:,]+)(?:,(?P<tags>[^:]*))?:(?P<value>[^|]+)\|(?P<kind>\w+)")


class Sent(NamedTuple):
    """One metric: its name, ``c``, ``ms`` or ``g``, its value, and its tags."""

    name: str
    kind: str
    value: float
    tags: dict[str, str]


class Listener:
    """
    A socket that StatsD's clients may send to.

    :param heard: The socket, which never blocks.
    """

    def __init__(self, heard: socket.socket) -> None:
        self._heard = heard

    @property
    def variables(self) -> dict[str, str]:
        """What tells an Airflow to send here, with tags in the names."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self._heard.getsockname()[1]),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
            # Airflow 2 warns of its older way, which later versions have not.
            "AIRFLOW__METRICS__METRICS_USE_PATTERN_MATCH": "True",
        }

    def ours(self) -> list[Sent]:
        """Return what was sent since the last time, of this package."""
        lines = []
        while True:
            try:
                lines += self._heard.recv(65536).decode().splitlines()
            except BlockingIOError:
                break
        found = (_LINE.fullmatch(line) for line in lines)
        sent = [_sent(match) for match in found if match]
        return [metric for metric in sent if metric.name.startswith("css.")]


def _sent(match: re.Match[str]) -> Sent:
    tags = dict(pair.split("=", 1) for pair in (match["tags"] or "").split(",") if pair)
    return Sent(match["name"], match["kind"], float(match["value"]), tags)


@contextmanager
def listening() -> Iterator[Listener]:
    """Yield a socket that listens."""
    with socket.socket(type=socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(0.0)
        yield Listener(heard)


@contextmanager
def hearing_metrics() -> Iterator[Listener]:
    """Yield a socket to which this very process sends Airflow's metrics meanwhile, through Airflow's own client."""
    pytest.importorskip("statsd", reason="Airflow sends metrics only where its extra statsd is installed")
    with listening() as listener:
        os.environ.update(listener.variables)
        with _sending_3() if AIRFLOW_V_3_0_PLUS else _sending_2():
            yield listener


@contextmanager
def _sending_3() -> Iterator[None]:
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

    logger = get_stats_factory()()
    stats.initialize(factory=lambda: logger, export_legacy_names=False)
    try:
        yield
    finally:
        logger.statsd.close()
        os.environ["AIRFLOW__METRICS__STATSD_ON"] = "False"
        stats.initialize(factory=get_stats_factory(), export_legacy_names=False)


@contextmanager
def _sending_2() -> Iterator[None]:
    # By name: the newer Airflow, on which types are checked, has neither.
    stats: Any = import_module("airflow.stats").Stats
    logger = import_module("airflow.metrics.statsd_logger").get_statsd_logger(stats)
    before, stats.instance = stats.instance, logger
    try:
        yield
    finally:
        logger.statsd.close()
        stats.instance = before
