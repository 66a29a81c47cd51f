"""The creation of a checkpoint's snapshot, which refuses a part of the work to run again after a rollback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_css.checkpoints.plan import SUCCESS, Checkpoint
from airflow_css.checkpoints.states import read_work
from airflow_css.operators.create_task import CreateTask
from airflow_css.operators.creation import Creation
from airflow_css.protocol.errors import CssStateError, ErrorReply
from airflow_css.protocol.models import Snapshot

__all__ = ["CheckpointCreation"]

NEVER_RESTORED = ("", "none")


class CheckpointCreation(Creation):
    """
    One stay of a checkpoint's snapshot task in a worker.

    :param operator: The task.
    :param context: Airflow's context.
    :param checkpoint: The checkpoint.
    """

    def __init__(self, operator: CreateTask, context: Any, checkpoint: Checkpoint) -> None:
        super().__init__(operator, context)
        self._checkpoint = checkpoint

    def check_earlier(self, earlier: Sequence[Snapshot]) -> None:
        """
        Return unless the work was rolled back and only a part of it is to run again.

        :param earlier: What the task made before it was cleared.
        :raises CssStateError: if it is so.
        """
        restored = next((s for s in earlier if s.restore_status not in NEVER_RESTORED), None)
        if restored is None or not self._checkpoint.in_place or self._checkpoint.mode == "report":
            return
        done = [task.label for task in read_work(self._context, self._checkpoint.work) if task.state == SUCCESS]
        if done:
            message = (
                f"This group was rolled back: the snapshot {restored.name} ({restored.id}) was restored since it was "
                f"made. What {done[0]} did is gone although it is green, so a part of the work would run on the old "
                "state."
            )
            raise CssStateError(ErrorReply(0, message=message), f"Clear the whole group {self._checkpoint.group_id}.")
