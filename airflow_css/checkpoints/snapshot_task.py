"""The tasks of a checkpoint that make snapshots: of the state before the work, and of the damaged one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_css.checkpoints.plan import Checkpoint, Word, check_names, step_of_safety
from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow_css.protocol.errors import CssUsageError

if TYPE_CHECKING:
    from airflow_css.operators.creation import Creation

__all__ = ["CheckpointSafety", "CheckpointSnapshot"]


class CheckpointSnapshot(CreateSnapshotOperator):
    """
    Makes the snapshot to go back to.

    After a rollback it refuses a part of the work to run again: the effects of the tasks that stay green are gone.

    :param checkpoint: The checkpoint.
    :param overwritten: In place: the indices that a rollback overwrites, by name; ``None`` beside. (templated)
    """

    template_fields: Sequence[str] = (*CreateSnapshotOperator.template_fields, "overwritten")

    def __init__(self, *, checkpoint: Checkpoint, overwritten: str | Sequence[str] | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        self.overwritten = overwritten

    def execute(self, context: Any) -> str:
        """
        Return the backup id, after the snapshot ended well.

        :param context: Airflow's context.
        """
        if self.checkpoint.in_place:
            from airflow_css.tasks.night import raise_for_airflow

            try:
                check_names(self.overwritten, is_rendered=True)
            except CssUsageError as error:
                raise_for_airflow(error)
        return super().execute(context)

    def _create(self, context: Any) -> Creation:
        from airflow_css.checkpoints.creation import CheckpointCreation

        self._creation = CheckpointCreation(self, context, self.checkpoint)
        return self._creation


class CheckpointSafety(CreateSnapshotOperator):
    """
    Backs up the damaged state before it is overwritten; skips when nothing is.

    :param checkpoint: The checkpoint.
    """

    keeps_damage = True

    def __init__(self, *, checkpoint: Checkpoint, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint

    def execute(self, context: Any) -> str:
        """
        Return the backup id, after the snapshot ended well.

        :param context: Airflow's context.
        :raises AirflowSkipException: if nothing is to be overwritten.
        """
        from airflow_css.checkpoints.at_rest import read_answer, read_work_at_rest

        step = step_of_safety(read_work_at_rest(context, self.checkpoint), read_answer(context, self.checkpoint))
        if step.word is not Word.GO:
            raise AirflowSkipException(step.reason)
        return super().execute(context)
