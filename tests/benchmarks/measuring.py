"""How things are measured here: interleaved, in rounds, judged by medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Row", "interleaved", "report"]


@dataclass(frozen=True)
class Row:
    """
    One comparison.

    :param what: What was measured, over what.
    :param ours: Our median, in the unit.
    :param other: The alternative's median, in the unit.
    :param unit: The unit, for example ``us``.
    :param value: What the bound is about: a ratio or a difference.
    :param bound: The largest value allowed; ``None`` when the row only informs.
    """

    what: str
    ours: float
    other: float
    unit: str
    value: float
    bound: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.bound is None or self.value <= self.bound


def interleaved(
    subjects: Mapping[str, Callable[[], object]], *, rounds: int, calls: int, warm_up: int = 1
) -> dict[str, float]:
    """
    Return each subject's median seconds per call.

    The subjects take turns within each round, so that a slow moment of the machine meets all of them alike.

    :param subjects: What to call, by name.
    :param rounds: How many rounds to measure.
    :param calls: How many calls of each subject make one measurement.
    :param warm_up: How many rounds to throw away first.
    """
    seen: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(warm_up + rounds):
        for name, call in subjects.items():
            began = time.perf_counter()
            for _ in range(calls):
                call()
            if number >= warm_up:
                seen[name].append((time.perf_counter() - began) / calls)
    return {name: statistics.median(times) for name, times in seen.items()}


def report(rows: list[Row]) -> str:
    """
    Return the rows as a table in Markdown.

    :param rows: The comparisons.
    """
    lines = ["| what | ours | other | value | bound | kept |", "|---|---|---|---|---|---|"]
    for row in rows:
        bound = "" if row.bound is None else f"<= {row.bound:g}"
        kept = "" if row.bound is None else ("yes" if row.holds else "NO")
        ours, other = (f"{seconds:.1f} {row.unit}" for seconds in (row.ours, row.other))
        lines.append(f"| {row.what} | {ours} | {other} | {row.value:.2f} | {bound} | {kept} |")
    return "\n".join(lines)
