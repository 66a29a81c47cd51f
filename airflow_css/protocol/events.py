"""
What a trigger tells a task: plain JSON, checked on arrival.

An event passes through a database and may come from another version of this package. Success is the expected word,
never the absence of a failure. Errors travel as facts and arrive as the same class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from airflow_css.protocol import errors
from airflow_css.protocol.errors import (
    CssApiError,
    CssError,
    CssReplyError,
    CssSnapshotError,
    CssTransportError,
    CssUsageError,
    CssWaitTimeoutError,
    ErrorReply,
)
from airflow_css.protocol.models import Snapshot, SnapshotStatus

__all__ = [
    "ENDED",
    "FAILED",
    "IDLE",
    "MET",
    "RETRY_FINDS_IT",
    "read_error",
    "read_event",
    "read_snapshot",
    "unreadable",
    "write_error",
]

ENDED = "ended"
"""The snapshot ended well."""
IDLE = "idle"
"""The cluster's turn has come."""
MET = "met"
"""What was waited for has come; what was found is in the event."""
FAILED = "failed"
"""An error ended the wait; it is in the event."""

RETRY_FINDS_IT = "If the package was upgraded, restart the triggerer; the retry finds the snapshot"
"""What to do about an event that cannot be understood."""


def unreadable(cause: Exception) -> CssReplyError:
    """
    Return the error of an event that does not bring what this version of the package sent along.

    :param cause: What is amiss.
    """
    return CssReplyError(f"The trigger's event cannot be read ({type(cause).__name__}: {cause}). {RETRY_FINDS_IT}")


def write_error(error: CssError) -> dict[str, Any]:
    """
    Return the facts of an error as plain JSON.

    :param error: Any of the tree.
    """
    facts: dict[str, Any] = {"kind": type(error).__name__, "message": str(error.args[0]), "curable": error.curable}
    if isinstance(error, CssApiError):
        facts |= {"reply": asdict(error.reply), "remedy": error.remedy}
    elif isinstance(error, CssReplyError):
        facts |= {"reply": asdict(error.reply) if error.reply else None}
    elif isinstance(error, CssTransportError):
        facts |= {"request_may_have_arrived": error.request_may_have_arrived}
    elif isinstance(error, CssUsageError):
        facts |= {name: _plain(getattr(error, name)) for name in ("what", "value", "rule", "legal")}
    elif isinstance(error, CssSnapshotError):
        facts |= {"snapshot": error.snapshot.as_json() if error.snapshot else None}
    if isinstance(error, CssWaitTimeoutError):
        facts |= {"last_seen": error.last_seen}
    return facts


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else str(value)


def read_error(facts: Mapping[str, Any]) -> CssError:
    """
    Return the error that the facts tell of.

    :param facts: As ``write_error`` wrote them. A kind that is not known arrives as ``CssReplyError``.
    :raises CssReplyError: if they are not that.
    """
    kind = getattr(errors, str(facts.get("kind")), CssReplyError)
    message = str(facts.get("message"))
    if not (isinstance(kind, type) and issubclass(kind, CssError)):
        return CssReplyError(message)
    try:
        error = _build(kind, message, facts)
    except (AttributeError, TypeError, ValueError, OverflowError) as cause:
        raise CssReplyError(
            f"The trigger sent an error that cannot be read ({cause}): {message}. {RETRY_FINDS_IT}"
        ) from cause
    error.curable = bool(facts.get("curable"))
    if isinstance(error, CssWaitTimeoutError) and facts.get("last_seen"):
        error.last_seen = str(facts["last_seen"])
    return error


def _build(kind: type[CssError], message: str, facts: Mapping[str, Any]) -> CssError:
    reply = facts.get("reply")
    if issubclass(kind, CssApiError):
        return kind(_reply(reply or {}), str(facts.get("remedy") or ""))
    if issubclass(kind, CssReplyError):
        return kind(message, _reply(reply) if reply else None)
    if issubclass(kind, CssTransportError):
        return kind(message, request_may_have_arrived=bool(facts.get("request_may_have_arrived", True)))
    if issubclass(kind, CssUsageError):
        return kind(facts.get("what", ""), facts.get("value", ""), facts.get("rule", message), facts.get("legal", ""))
    if issubclass(kind, CssSnapshotError):
        snapshot = facts.get("snapshot")
        return kind(message, read_snapshot(snapshot) if snapshot else None)
    return kind(message)


def _reply(facts: Mapping[str, Any]) -> ErrorReply:
    pause = facts.get("retry_after")
    return ErrorReply(
        status=int(facts.get("status") or 0),
        code=str(facts.get("code") or ""),
        message=str(facts.get("message") or ""),
        request_id=str(facts.get("request_id") or ""),
        call=str(facts.get("call") or ""),
        retry_after=None if pause is None else float(pause),
    )


def read_snapshot(facts: Any) -> Snapshot:
    """
    Return the snapshot that ``Snapshot.as_json`` described.

    :param facts: What it gave.
    :raises CssReplyError: if they are not that.
    """
    try:
        word = str(facts["status"])
        return Snapshot(
            id=str(facts["id"]),
            name=str(facts["name"]),
            status=SnapshotStatus(word),
            status_word=word,
            indices=tuple(str(name) for name in facts.get("indices") or ()),
            total_shards=_number(facts.get("total_shards")),
            failed_shards=_number(facts.get("failed_shards")),
            bucket=str(facts.get("bucket") or ""),
            started_at=_moment(facts.get("started_at")),
            ended_at=_moment(facts.get("ended_at")),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as cause:
        raise CssReplyError(
            f"The trigger sent a snapshot that cannot be read ({type(cause).__name__}: {cause}). {RETRY_FINDS_IT}"
        ) from cause


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def read_event(event: Any, *, good: str) -> Mapping[str, Any]:
    """
    Return the event, which says that the wait ended well.

    :param event: What Airflow hands to the resumed task.
    :param good: The word that means success here: ``ENDED``, ``IDLE`` or ``MET``.
    :raises CssError: the error that ended the wait.
    :raises CssReplyError: if the event is not what this version of the package sends.
    """
    outcome = event.get("outcome") if isinstance(event, Mapping) else None
    if outcome == FAILED and isinstance(event.get("error"), Mapping):
        raise read_error(event["error"])
    if outcome != good:
        raise CssReplyError(f"The trigger sent an event that cannot be read (outcome {outcome!r}). {RETRY_FINDS_IT}")
    return dict(event)
