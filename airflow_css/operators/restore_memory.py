"""
What is remembered of a restore that was sent: within a try, and where Airflow can, from one try to the next.

A snapshot carries a mark; a restore carries nothing. Airflow 3.3 keeps small values for a task instance over its tries,
so the intent is written before the call. Earlier versions keep nothing: there a later try knows only that one came
before it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from airflow_css.protocol.restoring import nobody_can_tell
from airflow_css.version_compat import AIRFLOW_V_3_3_PLUS

__all__ = ["RestoreMemory", "SentRestore"]

_KEY = "airflow_css_restore"


@dataclass(frozen=True)
class SentRestore:
    """
    A restore that was sent, or is about to be.

    :param life: In which life of the task instance.
    :param snapshot_id: The snapshot.
    :param order: Fingerprint of what was asked for.
    :param word_before: Its restore word before the call.
    :param sent_at: When, in seconds since 1970.
    :param is_accepted: Whether CSS answered with 201.
    :param is_repeated: Whether it is a repetition already.
    """

    life: int
    snapshot_id: str
    order: str
    word_before: str
    sent_at: float
    is_accepted: bool = False
    is_repeated: bool = False

    @property
    def moment(self) -> datetime:
        """When it was sent."""
        return datetime.fromtimestamp(self.sent_at, UTC)


class RestoreMemory:
    """
    Remembers the restore of one life of a task instance.

    :param context: Airflow's context.
    :param life: The life. What an earlier one left is not of this one: a cleared task restores anew.
    """

    def __init__(self, context: Any, life: int) -> None:
        self._store = context.get("task_state_store") if AIRFLOW_V_3_3_PLUS else None
        self._life = life
        self._known: SentRestore | None = None

    @property
    def is_lasting(self) -> bool:
        """Whether the next try will know."""
        return self._store is not None

    def recall(self) -> SentRestore | None:
        """
        Return the restore that was sent in this life, as far as is known.

        :raises CssStateError: if the note of an earlier try cannot be read.
        """
        if self._known is None and self._store is not None:
            found = _read(self._store.get(_KEY))
            self._known = found if found and found.life == self._life else None
        return self._known

    def put_back(self, sent: SentRestore | None) -> None:
        """
        Remember what was known before a call that CSS refused.

        :param sent: The restore; ``None`` when none was.
        """
        if sent is None:
            self.forget()
        else:
            self.keep(sent)

    def keep(self, sent: SentRestore) -> None:
        """
        Remember a restore.

        :param sent: The restore.
        """
        self._known = sent
        if self._store is not None:
            self._store.set(_KEY, asdict(sent))

    def accepted(self, now: datetime) -> SentRestore:
        """
        Remember that CSS accepted the restore, and return it.

        :param now: When.
        """
        if self._known is None:
            raise AssertionError("what is accepted was sent")
        self.keep(replace(self._known, is_accepted=True, sent_at=now.timestamp()))
        return self._known

    def forget(self) -> None:
        """Forget it: CSS refused it, or it failed and is over."""
        self._known = None
        if self._store is not None:
            self._store.delete(_KEY)


def _read(value: Any) -> SentRestore | None:
    """Return a note; what a later version may have added is passed over, what is missing makes it unreadable."""
    if not value:
        return None
    try:
        return SentRestore(**{name: value[name] for name in SentRestore.__dataclass_fields__ if name in value})
    except (TypeError, KeyError) as cause:
        raise nobody_can_tell(
            f"What an earlier try noted of its restore cannot be read ({cause}); it may have been written by another "
            "version of this package."
        ) from cause
