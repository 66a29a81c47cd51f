"""
Is there a good backup that is new enough? The question, its filters, and the answer as a condition.

A snapshot is as old as its start, since it holds the state of that moment. Good is what ``Snapshot.is_good`` says. One
in another bucket than the cluster's does not count: the cluster reads only its own. Nor does one that starts in the
future: a date that cannot be right proves no age.

Assumed: after a change of the bucket the cluster reads the new one only. The documentation contradicts itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_css.protocol.conditions import Condition
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.provenance import Mark
from airflow_css.protocol.waiting import newest_good

__all__ = ["KINDS", "SCOPES", "SnapshotFresh", "age_of", "check_word", "is_ahead"]

SCOPES = ("package", "deployment", "dag")
KINDS = ("manual", "automatic")
# Two clocks never agree to the second.
CLOCKS_DIFFER = timedelta(minutes=5)


def check_word(what: str, word: Any, legal: Sequence[str]) -> str | None:
    """
    Return the word, which is one of the legal ones, or ``None``.

    :param what: Name of the parameter.
    :param word: What the user gave.
    :param legal: The words.
    :raises CssUsageError: if it is another one.
    """
    if word is None or word in legal:
        return None if word is None else str(word)
    raise CssUsageError(what, word, f"it is None or one of {', '.join(legal)}", legal[0])


@dataclass
class SnapshotFresh(Condition):
    """
    Met when the newest good snapshot among those asked for is new enough.

    :param max_age: How old it may be, in seconds.
    :param name_prefix: What its name begins with; empty for any.
    :param scope: ``package``, ``deployment`` or ``dag``: whose mark it carries; ``None`` for any snapshot.
    :param owner: Fingerprint of the deployment or of the DAG, as marks have it; empty when the scope needs none.
    :param made_by: ``manual`` or ``automatic``; ``None`` for both.
    :param bucket: The bucket that the cluster reads now; empty when unknown, then that of the newest one listed.
    """

    kind = "snapshot_fresh"

    max_age: float
    name_prefix: str = ""
    scope: str | None = None
    owner: str = ""
    made_by: str | None = None
    bucket: str = ""
    _found: Snapshot | None = field(default=None, repr=False)
    _was_read: bool = field(default=False, repr=False)
    _is_ahead: bool = field(default=False, repr=False)

    def see(self, seen: Sequence[Snapshot], now: datetime) -> Mapping[str, Any] | None:
        """
        Return the facts of the newest good snapshot when it is new enough.

        :param seen: The snapshots of the cluster.
        :param now: When they were read.
        """
        self._was_read = True
        reachable = self.reachable(seen)
        self._found = newest_good(s for s in reachable if not is_ahead(s, now)) or newest_good(reachable)
        self._is_ahead = self._found is not None and is_ahead(self._found, now)
        age = age_of(self._found, now)
        if self._found is None or age is None or self._is_ahead or age > self.max_age:
            return None
        return {**self._found.as_json(), "age_seconds": round(age, 3)}

    def state(self) -> str:
        """Return what the last look showed."""
        if not self._was_read:
            return "the list was not read yet"
        if self._found is None:
            return "there is no good snapshot of that kind"
        fault = "starts in the future" if self._is_ahead else "is too old"
        return f"the newest good snapshot is {self._found.name} ({self._found.id}), which {fault}"

    def asked_for(self, seen: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
        """
        Return those that the filters let through, good or not; one of a damaged state is no backup and never meant.

        :param seen: The snapshots of the cluster.
        """
        return tuple(
            s
            for s in seen
            if not s.is_damaged
            and s.name.startswith(self.name_prefix)
            and (self.made_by is None or s.is_automatic is (self.made_by == "automatic"))
            and self._is_in_scope(s.mark)
        )

    def _is_in_scope(self, mark: Mark | None) -> bool:
        if self.scope is None:
            return True
        if mark is None:
            return False
        return self.scope == "package" or self.owner == (mark.dag if self.scope == "dag" else mark.deployment)

    def reachable(self, seen: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
        """
        Return those of them that the cluster can read, as far as the list tells.

        :param seen: The snapshots of the cluster.
        """
        bucket = self.bucket_of(seen)
        return tuple(s for s in self.asked_for(seen) if s.bucket in {"", bucket} or not bucket)

    def bucket_of(self, seen: Sequence[Snapshot]) -> str:
        """
        Return the bucket that the cluster reads now, or an empty text.

        :param seen: The snapshots of the cluster.
        """
        newest = max(seen, key=lambda s: s.began_at.timestamp() if s.began_at else 0.0, default=None)
        return self.bucket or (newest.bucket if newest else "")

    def described(self) -> str:
        """Return the filters, for people; empty when there are none."""
        owners = {"package": "made by this package", "deployment": "of this deployment", "dag": "of this DAG"}
        parts = [owners[self.scope]] if self.scope else []
        parts += [self.made_by] if self.made_by else []
        parts += [f"with a name that begins with {self.name_prefix!r}"] if self.name_prefix else []
        return ", ".join(parts)


def age_of(snapshot: Snapshot | None, now: datetime) -> float | None:
    """
    Return how old a snapshot is, in seconds; ``None`` when there is none, or CSS gives it no date.

    :param snapshot: The snapshot.
    :param now: The moment.
    """
    if snapshot is None or snapshot.began_at is None:
        return None
    return max(0.0, (now - snapshot.began_at) / timedelta(seconds=1))


def is_ahead(snapshot: Snapshot, now: datetime) -> bool:
    """
    Return whether a snapshot starts further in the future than two clocks may differ.

    :param snapshot: The snapshot.
    :param now: The moment.
    """
    return snapshot.began_at is not None and snapshot.began_at - now > CLOCKS_DIFFER
