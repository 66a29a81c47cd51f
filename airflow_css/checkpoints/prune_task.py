"""The task of a checkpoint that deletes old snapshots of it, once the work succeeded."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_css.checkpoints.plan import SUCCESS, Checkpoint
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
        :raises AirflowSkipException: if the verdict is not that the work succeeded.
        """
        from airflow_css.checkpoints.states import read_ends

        verdict = read_ends(context, self.checkpoint, "verdict").get("verdict")
        if verdict != SUCCESS:
            raise AirflowSkipException(f"The verdict is {verdict or 'not there'}: every snapshot stays.")
        return super().execute(context)
