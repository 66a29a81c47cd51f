"""What must not be deleted: snapshots that somebody holds, and those that the cluster's own policy looks after."""

from __future__ import annotations

from airflow_css.protocol.errors import CssBusyError, CssStateError, ErrorReply
from airflow_css.protocol.models import Snapshot, SnapshotPolicy, SnapshotStatus
from airflow_css.protocol.provenance import has_unknown_mark

__all__ = ["refuse_at_work", "refuse_held", "refuse_policys"]

CALL = "delete_snapshot"


def refuse_at_work(snapshot: Snapshot) -> None:
    """
    Return for a snapshot that nothing works on.

    Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01.

    :param snapshot: As listed.
    :raises CssBusyError: if it is being made or restored.
    :raises CssStateError: if it is in a state that this version does not know.
    """
    if snapshot.status is SnapshotStatus.UNKNOWN:
        raise _refusal(
            f"The snapshot {snapshot.label} is in a state that this version does not know ({snapshot.status_word}).",
            "Upgrade this package, or delete the snapshot in the console.",
        )
    if snapshot.work:
        message = f"The snapshot {snapshot.label} is being {snapshot.work}, so it cannot be deleted now."
        way_out = "Give the task a turn_timeout, so that it waits."
        raise CssBusyError(ErrorReply(0, message=message, call=CALL), way_out, curable=True)


def refuse_held(snapshot: Snapshot) -> None:
    """
    Return for a snapshot that nobody holds.

    :param snapshot: As listed.
    :raises CssStateError: if its mark says ``hold``, or is of a version that this code does not understand.
    """
    if snapshot.mark is not None and snapshot.mark.hold:
        raise _refusal(
            f"The snapshot {snapshot.label} was made with hold=True, so that no task deletes it.",
            "If it may go, delete it in the console, or with CssHook().delete_snapshot.",
        )
    if has_unknown_mark(snapshot.description):
        raise _refusal(
            f"The snapshot {snapshot.label} bears a mark of another version of this package, which may mean that "
            "somebody holds it.",
            "Upgrade this package, or delete the snapshot in the console.",
        )


def refuse_policys(snapshot: Snapshot, policy: SnapshotPolicy, *, allow_automatic: bool) -> None:
    """
    Return for an automatic snapshot that may be deleted by hand.

    Source: CSS user guide, "Backing Up and Restoring the Data of an Elasticsearch Cluster", 2025-12-01: not while
    automatic creation is on.

    :param snapshot: As listed; it is automatic.
    :param policy: The cluster's policy.
    :param allow_automatic: Whether the user wants automatic ones deleted.
    :raises CssStateError: if it must not.
    """
    if policy.enabled:
        raise _refusal(
            f"The snapshot {snapshot.label} is automatic, and CSS forbids deleting it while automatic creation is on.",
            f"The policy itself removes what it made beyond the newest {policy.keep or 'few'}; lower that number, or "
            "turn automatic creation off in the console (Cluster Snapshots) and set allow_automatic=True.",
        )
    if not allow_automatic:
        raise _refusal(
            f"The snapshot {snapshot.label} is automatic: the cluster's policy made it.",
            "Set allow_automatic=True if it may go.",
        )


def _refusal(message: str, remedy: str) -> CssStateError:
    return CssStateError(ErrorReply(0, message=message, call=CALL), remedy)
