"""
When is it done? One table and a few rules, read by every part that waits.

Theory of operation. A look brings the list of snapshots. ``judge_created`` turns what it shows of ours into a verdict.
``Absence`` decides when not being listed means gone. ``next_delay`` says when to look again. ``Forgiveness`` counts
looks that brought no answer. None of them reads a clock: the moment comes with each question.
"""

from __future__ import annotations

import fnmatch
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from airflow_css.protocol.errors import (
    CssBusyError,
    CssReplyError,
    CssServerError,
    CssStateError,
    CssThrottledError,
    CssTransportError,
    ErrorReply,
)
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotStatus

__all__ = [
    "FORGIVEN_ERRORS",
    "Absence",
    "Expectations",
    "Forgiveness",
    "Judgement",
    "Verdict",
    "expected_duration",
    "judge_created",
    "newest_good",
    "next_delay",
    "pointless_to_wait",
    "why_unavailable",
]

FIRST_DELAY_SECONDS = 2.0
# With the jitter on top: at most a tenth of the age, and at most 60 seconds.
LONGEST_DELAY_SECONDS = 50.0
SHARE_OF_AGE = 1 / 12
JITTER = 0.2

FORGIVEN_IN_A_ROW = 10
FORGIVEN_SECONDS = 900.0

FORGIVEN_ERRORS = (CssTransportError, CssThrottledError, CssServerError, CssBusyError, CssReplyError)
"""A look that ends in one of these brought no answer; the next one may."""

GONE_BETWEEN_LOOKS = timedelta(seconds=10)
GONE_AFTER_CREATION = timedelta(seconds=30)


class Verdict(Enum):
    """What a look means for a wait."""

    WAIT = "wait"
    GOOD = "good"
    FAILED = "failed"


VERDICTS: dict[SnapshotStatus, Verdict | None] = {
    SnapshotStatus.BUILDING: Verdict.WAIT,
    SnapshotStatus.COMPLETED: Verdict.GOOD,
    SnapshotStatus.PART_FAILED: None,
    SnapshotStatus.FAILED: Verdict.FAILED,
    SnapshotStatus.UNKNOWN: Verdict.WAIT,
}
"""``None``: the user's ``allow_partial`` decides."""


@dataclass(frozen=True)
class Expectations:
    """
    What a snapshot must be to count as good.

    :param indices: The index list as it was sent; ``None`` for all.
    :param allow_partial: Accept a snapshot in which shards failed. Default no.
    :param fail_if_empty: Refuse one without shards, or in which a requested name or pattern has no index. Default yes.
    """

    indices: str | None = None
    allow_partial: bool = False
    fail_if_empty: bool = True


@dataclass(frozen=True)
class Judgement:
    """
    A verdict and its reason.

    :param verdict: What to do.
    :param reason: Why, as one clause; empty when there is nothing to say.
    :param curable: Whether making another snapshot may end better without anybody changing anything.
    """

    verdict: Verdict
    reason: str = ""
    curable: bool = True


def judge_created(snapshot: Snapshot, expected: Expectations) -> Judgement:
    """
    Return what the state of a snapshot means for the one who asked for it.

    :param snapshot: As listed.
    :param expected: What counts as good.
    """
    verdict = VERDICTS[snapshot.status]
    if verdict is Verdict.WAIT:
        return Judgement(Verdict.WAIT)
    if verdict is Verdict.FAILED:
        return Judgement(Verdict.FAILED, f"CSS reports {snapshot.status_word}")
    partial = verdict is None or bool(snapshot.failed_shards)
    if partial and not expected.allow_partial:
        shards = f"{_count(snapshot.failed_shards)} of {_count(snapshot.total_shards)} shards failed"
        return Judgement(Verdict.FAILED, f"it is partial ({snapshot.status_word}: {shards})")
    missing = _emptiness(snapshot, expected.indices) if expected.fail_if_empty else ""
    if missing:
        return Judgement(Verdict.FAILED, missing, curable=False)
    return Judgement(Verdict.GOOD)


def _count(number: int | None) -> str:
    return "an unknown number" if number is None else str(number)


def _emptiness(snapshot: Snapshot, indices: str | None) -> str:
    total, failed = snapshot.total_shards, snapshot.failed_shards or 0
    if total and failed >= total:
        return f"every one of its {total} shards failed, so nothing was backed up"
    if total == 0:
        asked = f" (asked for: {indices})" if indices else ""
        return f"it is empty: it has no shards, so nothing was backed up{asked}"
    unmatched = _unmatched(indices, snapshot.indices)
    if unmatched:
        return f"no index in it matches {', '.join(unmatched)}; it has {', '.join(snapshot.indices)}"
    return ""


def _unmatched(indices: str | None, listed: Sequence[str]) -> list[str]:
    # An absent list proves nothing, and an exclusion asks for nothing.
    if not indices or not listed:
        return []
    wanted = [item for item in indices.split(",") if not item.startswith("-") and item not in {"*", "_all"}]
    return [item for item in wanted if item not in listed and not any(_matches(name, item) for name in listed)]


def _matches(name: str, pattern: str) -> bool:
    # Only the asterisk is special to CSS; a bracket is an ordinary character.
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def expected_duration(snapshots: Iterable[Snapshot], request: str | None) -> float | None:
    """
    Return how long a snapshot usually takes, in seconds: the median of the last five good ones with the same request.

    :param snapshots: The list of the cluster.
    :param request: Fingerprint of the request, from the mark; ``None`` when there is none.
    :returns: ``None`` when fewer than two are known.
    """
    alike = [s for s in snapshots if s.is_good and s.mark is not None and s.mark.request == request]
    finished = sorted((s for s in alike if s.ended_at and s.duration_seconds is not None), key=_ended_at, reverse=True)
    durations = [s.duration_seconds for s in finished[:5] if s.duration_seconds is not None]
    return statistics.median(durations) if len(durations) >= 2 else None


def _ended_at(snapshot: Snapshot) -> float:
    return snapshot.ended_at.timestamp() if snapshot.ended_at else 0.0


def newest_good(snapshots: Iterable[Snapshot]) -> Snapshot | None:
    """
    Return the newest snapshot that can be relied on, or ``None``. One of a damaged state never can.

    :param snapshots: The list of the cluster.
    """
    good = [s for s in snapshots if s.is_good_backup]
    return max(good, key=lambda s: s.began_at.timestamp() if s.began_at else 0.0, default=None)


def next_delay(age: float, *, expected: float | None, chance: float, at_least: float | None = None) -> float:
    """
    Return how long to wait before the next look, in seconds.

    2 seconds at first, then a tenth of the age, aimed at the expected end where one is known, at most 60, with a jitter
    of a fifth, so that the lag of a detection stays a small share of the duration.

    :param age: How old the snapshot is, in seconds.
    :param expected: How long it usually takes, in seconds; ``None`` when unknown.
    :param chance: A random number from 0 to 1, for the jitter.
    :param at_least: A lower bound in seconds, set by the user.
    """
    delay = min(max(FIRST_DELAY_SECONDS, age * SHARE_OF_AGE), LONGEST_DELAY_SECONDS)
    if expected is not None and age < expected:
        # Never sleep past the usual end by more than the first delay, and let the last stretch be one sleep.
        delay = min(delay, max(FIRST_DELAY_SECONDS, expected - age))
    jittered = delay * (1 - JITTER + 2 * JITTER * chance)
    return max(jittered, at_least or 0.0)


@dataclass
class Absence:
    """
    Decides when a snapshot that is not listed is gone.

    Two good lists without it, at least 10 seconds apart, the second at least 30 seconds after the creation.

    :param created_at: When CSS accepted the creation; ``None`` when it was found in a list.
    :param first_missed_at: When it was missed first in a row.
    """

    created_at: datetime | None = None
    first_missed_at: datetime | None = None

    def is_gone(self, *, listed: bool, now: datetime) -> bool:
        """
        Take note of a good list and return whether the snapshot is gone.

        :param listed: Whether the list had it.
        :param now: When the list was read.
        """
        if listed:
            self.first_missed_at = None
            return False
        if self.first_missed_at is None:
            self.first_missed_at = now
            return False
        settled = self.created_at is None or now - self.created_at >= GONE_AFTER_CREATION
        return settled and now - self.first_missed_at >= GONE_BETWEEN_LOOKS


@dataclass
class Forgiveness:
    """
    Decides how many looks without an answer a wait survives: 10 in a row, or 15 minutes.

    :param in_a_row: How many there were since the last answer.
    :param since: When the first of them was.
    """

    in_a_row: int = 0
    since: datetime | None = None

    def reset(self) -> None:
        """Take note of an answer."""
        self.in_a_row = 0
        self.since = None

    def allows(self, now: datetime) -> bool:
        """
        Take note of a look without an answer and return whether to go on.

        :param now: When it was.
        """
        self.in_a_row += 1
        self.since = self.since or now
        too_long = (now - self.since).total_seconds() > FORGIVEN_SECONDS
        return self.in_a_row <= FORGIVEN_IN_A_ROW and not too_long


def pointless_to_wait(cluster: Cluster) -> CssStateError | None:
    """
    Return why waiting for a cluster's turn is pointless, or ``None`` when it is not.

    :param cluster: As it was read.
    """
    down = why_unavailable(cluster)
    if down is not None:
        return down
    if cluster.is_snapshot_function_on is False:
        return CssStateError(
            ErrorReply(0, message=f"The snapshot function of cluster {cluster.label} is off."),
            "Turn it on in the console (Cluster Snapshots), then clear the task.",
        )
    return None


def why_unavailable(cluster: Cluster) -> CssStateError | None:
    """
    Return the error of a cluster that is down, or ``None`` when it is not.

    :param cluster: As it was read.
    """
    if not cluster.is_unavailable:
        return None
    why = f" ({cluster.failed_reason})" if cluster.failed_reason else ""
    return CssStateError(
        ErrorReply(0, message=f"The cluster {cluster.label} is unavailable, status {cluster.status}{why}."),
        "Repair the cluster in the console, then clear the task.",
    )
