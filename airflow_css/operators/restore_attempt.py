"""
One try after another to have a restore running: found, sent, or recognised as over, and never sent twice by mistake.

Theory of operation. Before each call the list says whether the snapshot is good and whether it is being restored. After
an answer that leaves the fate of a call open the list decides; where it cannot, because the word at the snapshot is the
same as before the call, the restore is sent once more only if that makes nothing worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from airflow_css.hooks.css import CssHook
from airflow_css.operators.restore_choice import choose_snapshot
from airflow_css.operators.restore_memory import RestoreMemory, SentRestore
from airflow_css.operators.restore_plan import RestorePlan
from airflow_css.protocol.errors import (
    CssBusyError,
    CssError,
    CssReplyError,
    CssServerError,
    CssTransportError,
    ErrorReply,
)
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.preview import Renamed, preview_names
from airflow_css.protocol.restoring import AGREE_AFTER, AGREE_APART, RESTORED, RESTORING, is_restoring, nobody_can_tell
from airflow_css.triggers.log import Log

__all__ = ["BegunRestore", "RestoreAttempt", "SnapshotInUseError"]


@dataclass(frozen=True)
class BegunRestore:
    """
    A restore that runs, or is over.

    :param sent: When it was sent, and what the word was before.
    :param snapshot: The snapshot.
    :param names: What it brings, name by name; ``None`` when that cannot be foreseen.
    :param is_joined: Whether an earlier try had sent it.
    :param was_seen: Whether it was seen running already.
    """

    sent: SentRestore
    snapshot: Snapshot
    names: tuple[Renamed, ...] | None
    is_joined: bool = False
    was_seen: bool = False


class SnapshotInUseError(CssBusyError):
    """
    The snapshot is being restored by another.

    ``snapshot_id`` names it: whoever waits for its turn waits until it has been at rest for a while, so that the other
    can see how its restore ended.
    """

    snapshot_id: str = ""


class RestoreAttempt:
    """
    Finds or begins the restore, once for each call.

    :param hook: Brings client and clock.
    :param plan: The restore.
    :param memory: What is known of earlier calls.
    :param log: Where it is told.
    """

    def __init__(self, hook: CssHook, plan: RestorePlan, memory: RestoreMemory, log: Log) -> None:
        self._hook = hook
        self._plan = plan
        self._memory = memory
        self._log = log

    def __call__(self) -> BegunRestore:
        """
        Return the restore, running or over.

        :raises CssBusyError: if another operation is in the way.
        :raises CssStateError: if the snapshot cannot be restored, or nothing tells whether it was already.
        :raises CssNotFoundError: if there is no such snapshot.
        """
        listed = self._list()
        earlier = self._memory.recall()
        if earlier is not None and earlier.order != self._plan.order:
            raise nobody_can_tell(
                f"An earlier try of this task restored the snapshot {earlier.snapshot_id} with other values: a "
                "template renders differently on each try. Let it give the same on all tries."
            )
        snapshot = choose_snapshot(
            self._plan, listed, self._hook.clock.now(), known_id=earlier.snapshot_id if earlier else None
        )
        names = preview_names(snapshot.indices, self._plan.indices, self._plan.renaming)
        found = self._recognise(earlier, snapshot) if earlier else self._suspect(snapshot)
        if found is not None:
            return replace(found, names=names)
        if snapshot.restore_status == RESTORING:
            raise self._in_use(snapshot)
        if snapshot.is_damaged:
            self._log.warning(
                "The snapshot %s holds a damaged state, which a checkpoint kept before it overwrote it; it is restored "
                "because it was asked for.",
                snapshot.label,
            )
        return self._send(snapshot, names, is_repeated=earlier is not None)

    def _list(self) -> Sequence[Snapshot]:
        return self._hook.get_conn().list_snapshots(self._plan.cluster_id)

    def _send(self, snapshot: Snapshot, names: tuple[Renamed, ...] | None, *, is_repeated: bool) -> BegunRestore:
        plan, now = self._plan, self._hook.clock.now().timestamp()
        before = self._memory.recall()
        sent = SentRestore(plan.life, snapshot.id, plan.order, snapshot.restore_status, now, is_repeated=is_repeated)
        self._memory.keep(sent)
        try:
            self._hook.get_conn().restore_snapshot(
                plan.cluster_id,
                snapshot.id,
                target_cluster_id=plan.target_cluster_id,
                indices=plan.indices,
                rename_pattern=plan.rename_pattern,
                rename_replacement=plan.rename_replacement,
                replace_existing=plan.replaces,
            )
        except CssError as error:
            if not _is_fate_open(error):
                self._memory.put_back(before)
                raise
            return self._settle(sent, snapshot, names, error)
        return BegunRestore(self._memory.accepted(self._hook.clock.now()), snapshot, names)

    def _settle(
        self, sent: SentRestore, snapshot: Snapshot, names: tuple[Renamed, ...] | None, error: CssError
    ) -> BegunRestore:
        """Decide a call whose answer was lost: by looking, and by one more call where that is harmless."""
        self._log.warning("Whether the restore was begun is not known (%s); looking.", error)
        found = self._recognise(sent, snapshot, is_fresh=True)
        if found is not None:
            return replace(found, names=names, is_joined=False)
        if sent.is_repeated:
            # It was harmless once; whoever retries the task decides again.
            raise error
        return self._send(snapshot, names, is_repeated=True)

    def _recognise(self, sent: SentRestore, snapshot: Snapshot, *, is_fresh: bool = False) -> BegunRestore | None:
        """Return the restore that was sent; ``None`` when it is to be sent once more."""
        if sent.is_accepted:
            # What becomes of it shows; the watch has the rules for that.
            return BegunRestore(sent, snapshot, None, is_joined=True)
        seen, is_at_it = self._look_for_a_sign(sent, trusts_target=is_fresh)
        if seen.restore_status == RESTORING and not is_at_it:
            raise self._in_use(seen)
        if is_at_it:
            return self._joined(sent, seen)
        # A changed word right after the call is ours; later it may be anybody's.
        if is_fresh and seen.restore_status != sent.word_before:
            return self._joined(sent, seen)
        if seen.restore_status != RESTORED:
            # The latest restore of it did not end well, so nothing is sent twice that has worked.
            return None
        self._refuse_unless_harmless(seen, is_repeated=sent.is_repeated)
        return None

    def _joined(self, sent: SentRestore, seen: Snapshot) -> BegunRestore:
        accepted = replace(sent, is_accepted=True)
        self._memory.keep(accepted)
        return BegunRestore(accepted, seen, None, is_joined=True, was_seen=seen.restore_status == RESTORING)

    def _look_for_a_sign(self, sent: SentRestore, *, trusts_target: bool) -> tuple[Snapshot, bool]:
        """
        Return the snapshot once its word has changed, or has not for so long that it will not, and whether it is ours.

        It is when it is being restored and the target is at it. Right after the call, when the target was idle before,
        the target alone tells.
        """
        since = self._hook.clock.now()
        while True:
            seen = choose_snapshot(self._plan, self._list(), self._hook.clock.now(), known_id=sent.snapshot_id)
            is_at_it = self._is_target_at_it()
            now = self._hook.clock.now()
            waited = now - since >= AGREE_APART and now - sent.moment >= AGREE_AFTER
            if is_at_it and (seen.restore_status == RESTORING or trusts_target):
                return seen, True
            if seen.restore_status != sent.word_before or waited:
                return seen, False
            self._hook.clock.sleep(AGREE_APART / timedelta(seconds=1))

    def _suspect(self, snapshot: Snapshot) -> BegunRestore | None:
        """Return what an earlier try may have begun, where Airflow keeps no memory of it."""
        plan = self._plan
        if self._memory.is_lasting or plan.number_in_life == 1:
            return None
        sent = SentRestore(plan.life, snapshot.id, plan.order, "", self._hook.clock.now().timestamp())
        if self._is_target_at_it():
            # Its word may lag behind the target for a while.
            known = replace(sent, word_before=snapshot.restore_status)
            snapshot, is_at_it = self._look_for_a_sign(known, trusts_target=False)
            if is_at_it:
                self._log.warning("A restore of %s is running; it is taken for that of an earlier try.", snapshot.name)
                return self._joined(sent, snapshot)
        if snapshot.restore_status == RESTORED:
            self._refuse_unless_harmless(snapshot, is_repeated=plan.number_in_life > 2)
        return None

    def _is_target_at_it(self) -> bool:
        return is_restoring(self._hook.get_conn().get_cluster(self._plan.target_cluster_id))

    @staticmethod
    def _in_use(snapshot: Snapshot) -> SnapshotInUseError:
        message = f"The snapshot {snapshot.name} ({snapshot.id}) is being restored by another."
        error = SnapshotInUseError(
            ErrorReply(0, message=message), "It ends by itself; the operator waits for its turn.", curable=True
        )
        error.snapshot_id = snapshot.id
        return error

    def _refuse_unless_harmless(self, snapshot: Snapshot, *, is_repeated: bool) -> None:
        if self._plan.may_be_repeated and not is_repeated:
            self._log.warning(
                "The snapshot %s (%s) was restored at some time, and nothing tells whether by an earlier call of this "
                "task. The restore is sent once more; that changes nothing for the worse.",
                snapshot.name,
                snapshot.id,
            )
            return
        raise nobody_can_tell(
            f"Nothing tells whether an earlier call of this task has restored {snapshot.name} ({snapshot.id}): it was "
            "restored at some time."
        )


def _is_fate_open(error: CssError) -> bool:
    if isinstance(error, CssTransportError):
        return error.request_may_have_arrived
    return isinstance(error, CssServerError | CssReplyError)
