"""The task of a checkpoint that asks a human before anything is overwritten. Loaded on Airflow 3.1 and later only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from airflow_css.checkpoints.plan import APPROVE, LEAVE, Checkpoint, Word, decide
from airflow_css.version_compat import AIRFLOW_V_3_1_PLUS

if TYPE_CHECKING or not AIRFLOW_V_3_1_PLUS:
    HITLOperator = BaseOperator
else:
    from airflow.providers.standard.operators.hitl import HITLOperator

__all__ = ["CheckpointConfirm"]

SUBJECT = "The work of {group} failed. Roll back?"
BODY = """{failed}

Rolling back restores the snapshot {name} ({id}) {how}."""
IN_PLACE = """over the indices that it holds. **Everything that anybody has written to them since then is lost**, \
also by others than this run"""
BESIDE = "under new names. The indices that were worked on stay as they are"


class CheckpointConfirm(HITLOperator):
    """
    Asks whether to roll back when the work failed; skips when there is nothing to undo.

    :param checkpoint: The checkpoint.
    :param response_timeout: How long an answer is waited for; then nothing is rolled back. ``None`` for ever.
    """

    def __init__(self, *, checkpoint: Checkpoint, response_timeout: timedelta | None, **kwargs: Any) -> None:
        asking: dict[str, Any] = {
            "subject": SUBJECT.format(group=checkpoint.group_id),
            "options": [APPROVE, LEAVE],
            "multiple": False,
            "defaults": [LEAVE] if response_timeout else None,
            "response_timeout": response_timeout,
        }
        super().__init__(**asking, **kwargs)
        self.checkpoint = checkpoint

    def execute(self, context: Any) -> Any:
        """
        Wait for the answer.

        :param context: Airflow's context.
        :raises AirflowSkipException: if there is nothing to ask.
        """
        from airflow_css.checkpoints.at_rest import read_work_at_rest

        step = decide(read_work_at_rest(context, self.checkpoint))
        if step.word is not Word.GO:
            raise AirflowSkipException(step.reason)
        pull, snapshot = context["ti"].xcom_pull, self.checkpoint.task("snapshot")
        self.body = BODY.format(
            failed=step.reason,
            name=pull(task_ids=snapshot, key="snapshot_name"),
            id=pull(task_ids=snapshot, key="backup_id"),
            how=IN_PLACE if self.checkpoint.in_place else BESIDE,
        )
        return super().execute(context)
