"""
``python -m tests.benchmarks [NAME ...]``: measure, and print the ratios beside their bounds.

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


def main(names: list[str]) -> None:
    """
    Measure and print. A bound that is not kept is shown, not raised: a noisy machine is no defect.

    :param names: What to measure; none for everything.
    """
    rows = [row for name in names or MEASUREMENTS for row in MEASUREMENTS[name]()]
    print(report(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
