"""
``python -m tests.benchmarks [NAME ...]``: measure, print the ratios, and fail when a bound is not kept.

Names choose what is measured, for example ``waiting lag``; default everything.
"""

from __future__ import annotations

import sys

from tests.benchmarks import calling, importing, lag, signing, waiting
from tests.benchmarks.measuring import report

MEASUREMENTS = {
    "importing": importing.measure,
    "signing": signing.measure,
    "calling": calling.measure,
    "lag": lag.measure,
    "waiting": waiting.measure,
}


def main(names: list[str]) -> int:
    """
    Measure and return 0 when every bound is kept.

    :param names: What to measure; none for everything.
    """
    rows = [row for name in names or MEASUREMENTS for row in MEASUREMENTS[name]()]
    print(report(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
