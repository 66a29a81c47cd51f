"""The task of a checkpoint that rolls back, when there is something to undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_css.checkpoints.plan import Checkpoint, Word, check_names, step_of_restore
from airflow_css.operators.snapshot import RestoreSnapshotOperator
from airflow_css.protocol.errors import CssUsageError

if TYPE_CHECKING:
    from airflow_css.operators.restoration import Restoration

__all__ = ["CheckpointRestore", "ReplacementFromRun"]


class ReplacementFromRun:
    """
    What restored indices are called beside the present ones: the same on every try, new in each run and life.

    It is an object with a fixed text, because Airflow 2.11 writes a plain function's address into the serialized DAG,
    which would then differ at every parse.
    """

    def __call__(self, context: Any, jinja_env: Any) -> str:  # noqa: ARG002 - Airflow gives it by this name
        """
        Return the replacement, for example ``rolled-back-3f9c2a1b-$1``.

        :param context: Airflow's context.
        :param jinja_env: What renders templates; there is none here.
        """
        from airflow_css.protocol.fingerprint import short_hash
        from airflow_css.tasks.run_context import identify

        identity = identify(context, "")
        # Run ids are equal in every Airflow, so the snapshot tells two on one cluster apart.
        snapshot_id = context["ti"].xcom_pull(task_ids=context["task"].checkpoint.task("snapshot"), key="backup_id")
        return f"rolled-back-{short_hash(*identity.instance, identity.life, snapshot_id)}-$1"

    def __repr__(self) -> str:
        """Return what Airflow shows before the name is known."""
        return "rolled-back-(derived from the run)-$1"


class CheckpointRestore(RestoreSnapshotOperator):
    """
    Restores the checkpoint's snapshot when the work failed; skips, and says why, when there is nothing to undo.

    :param checkpoint: The checkpoint.
    """

    def __init__(self, *, checkpoint: Checkpoint, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint

    def execute(self, context: Any) -> dict[str, Any]:
        """
        Return what was restored, after the restore ended well.

        :param context: Airflow's context.
        :raises AirflowSkipException: if nothing is restored.
        """
        self._go_or_say_why_not(context)
        self._refuse_more_than_names()
        return self._tell(context, super().execute(context))

    def resume_at_turn(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Go on when the cluster's turn has come.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._tell(context, super().resume_at_turn(context, event))

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Return what was restored when the restore has ended.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._tell(context, super().execute_complete(context, event))

    def _restore(self, context: Any) -> Restoration:
        from airflow_css.checkpoints.restoration import CheckpointRestoration

        self._restoration = CheckpointRestoration(self, context, self.checkpoint)
        return self._restoration

    def _go_or_say_why_not(self, context: Any) -> None:
        from airflow_css.checkpoints.at_rest import read_answer, read_work_at_rest
        from airflow_css.checkpoints.states import TOLD, read_ends
        from airflow_css.protocol.errors import CssStateError, ErrorReply
        from airflow_css.tasks.night import raise_for_airflow

        checkpoint = self.checkpoint
        work = read_work_at_rest(context, checkpoint)
        safety = read_ends(context, checkpoint, "safety").get("safety", "") if checkpoint.has_safety else ""
        step = step_of_restore(checkpoint, work, read_answer(context, checkpoint), safety)
        if step.word is Word.GO:
            self.log.warning("%s Rolling back.", step.reason)
            return
        context["ti"].xcom_push(key=TOLD, value=step.reason)
        if step.word is Word.FAIL:
            raise_for_airflow(CssStateError(ErrorReply(0, message=step.reason)))
        raise AirflowSkipException(step.reason)

    def _refuse_more_than_names(self) -> None:
        """Judge the names again: they may be rendered otherwise by now, and the snapshot may hold more."""
        if self.checkpoint.in_place:
            from airflow_css.tasks.night import raise_for_airflow

            try:
                check_names(self.indices, is_rendered=True)
            except CssUsageError as error:
                raise_for_airflow(error)

    def _tell(self, context: Any, result: dict[str, Any]) -> dict[str, Any]:
        from airflow_css.checkpoints.states import TOLD, read_indices, read_kept
        from airflow_css.checkpoints.told import say_what_is_back, say_what_stays, say_where_the_damage_is

        said = say_what_is_back(result, in_place=self.checkpoint.in_place)
        if self.checkpoint.has_safety:
            before, after = (read_indices(context, self.checkpoint, label) for label in ("snapshot", "safety"))
            kept = read_kept(context, self.checkpoint)
            parts = (said, say_what_stays(before, after), say_where_the_damage_is(kept))
            said = " ".join(part for part in parts if part)
        self.log.warning("%s", said)
        context["ti"].xcom_push(key=TOLD, value=said)
        return result
