"""The restore of a checkpoint, which has no parameters of its own to advise."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow_css.checkpoints.plan import Checkpoint
from airflow_css.operators.restoration import Restoration
from airflow_css.operators.restore_plan import RestoreTask

__all__ = ["CheckpointRestoration"]


class CheckpointRestoration(Restoration):
    """
    One stay of a checkpoint's restore task in a worker.

    :param operator: The task.
    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    """

    ways_to_be_sure: ClassVar[str] = "By default the names are new in each run; those that you give should be, too"

    def __init__(self, operator: RestoreTask, context: Any, checkpoint: Checkpoint) -> None:
        super().__init__(operator, context)
        self._checkpoint = checkpoint

    def way_out(self) -> str:
        """Return where the ways out are said: the verdict knows all snapshots."""
        return f"The log of {self._checkpoint.task('verdict')} says what to do"
