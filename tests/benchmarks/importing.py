"""What a DAG file pays for importing the operator, beside what Airflow and the official SDK cost."""

from __future__ import annotations

import statistics
import subprocess
import sys

from tests.benchmarks.measuring import Row

__all__ = ["measure"]

# What every DAG file has loaded already when it comes to our import.
_BASE = "import time, sys; from airflow.providers.common.compat.sdk import DAG, BaseOperator, BaseHook, conf, task; "
_TIMED = _BASE + "t = time.perf_counter(); {what}; print((time.perf_counter() - t) * 1000, 'requests' in sys.modules)"
_OURS = _TIMED.format(what="import airflow_css.operators.snapshot")
_REQUESTS = _TIMED.format(what="import requests")
_SDK = _TIMED.format(what="import huaweicloudsdkcss.v1")


def _once(program: str) -> tuple[float, bool]:
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    return float(answer[-2]), answer[-1] == "True"


def measure(rounds: int = 7) -> list[Row]:
    """Return milliseconds of importing our operator, next to ``requests`` and the official SDK."""
    seen: dict[str, list[float]] = {"ours": [], "requests": [], "sdk": []}
    for _ in range(rounds):
        for name, program in (("ours", _OURS), ("requests", _REQUESTS), ("sdk", _SDK)):
            milliseconds, has_requests = _once(program)
            if name == "ours" and has_requests:
                raise ValueError("importing the operator loaded requests")
            seen[name].append(milliseconds)
    ours, plain, sdk = (statistics.median(seen[name]) for name in ("ours", "requests", "sdk"))
    return [
        Row("importing the operator, on top of Airflow / the official SDK", ours, sdk, "ms", ours, 10.0),
        Row("the same / requests alone", ours, plain, "ms", ours / plain),
    ]
