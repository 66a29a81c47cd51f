"""The task of a checkpoint that deletes old snapshots of it, once the work succeeded."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_css.checkpoints.plan import SKIPPED, Checkpoint, Word
from airflow_css.operators.retention import PruneSnapshotsOperator

__all__ = ["CheckpointPrune"]


class CheckpointPrune(PruneSnapshotsOperator):
    """
    Deletes old snapshots of the checkpoint by its rules; skips when the work failed.

    :param checkpoint: The checkpoint.
    """

    def __init__(self, *, checkpoint: Checkpoint, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint

    def execute(self, context: Any) -> dict[str, Any]:
        """
        Return the plan, after everything that goes is gone.

        :param context: Airflow's context.
        :raises AirflowSkipException: if the work did not succeed, or Airflow skipped the verdict.
        """
        from airflow_css.checkpoints.judging import read_verdict
        from airflow_css.checkpoints.states import read_ends

        # It does not wait for the verdict: Airflow clears all between a snapshot and its teardown with what is cleared,
        # and a verdict that is cleared alone would restore once more.
        step = read_verdict(context, self.checkpoint)
        if step.word is not Word.GO:
            raise AirflowSkipException(f"{step.reason} Every snapshot stays.")
        if read_ends(context, self.checkpoint, "verdict").get("verdict") == SKIPPED:
            raise AirflowSkipException("The verdict was skipped: every snapshot stays.")
        return super().execute(context)
