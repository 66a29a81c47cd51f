"""``python -m tests.benchmarks``: measure, print the ratios, and fail when a bound is not kept."""

from __future__ import annotations

import sys

from tests.benchmarks import calling, importing, signing
from tests.benchmarks.measuring import report


def main() -> int:
    """Measure everything and return 0 when every bound is kept."""
    rows = [*importing.measure(), *signing.measure(), *calling.measure()]
    print(report(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
