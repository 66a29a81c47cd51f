"""The tasks of a checkpoint that turn a run red: the verdict, and the seal for when the verdict cannot speak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from airflow_css.checkpoints.plan import SKIPPED, Checkpoint, Step, Word

__all__ = ["CheckpointSeal", "CheckpointVerdict"]


class CheckpointVerdict(BaseOperator):
    """
    Fails when the work failed, and says what failed and what was rolled back; what comes after the group waits for it.

    :param checkpoint: The checkpoint.
    :param css_conn_id: The Airflow connection, for the line that says where everything stands. Default
        ``css_default``. (templated)
    """

    template_fields: Sequence[str] = ("css_conn_id",)
    ui_color = "#f7d7d7"

    def __init__(self, *, checkpoint: Checkpoint, css_conn_id: str = "css_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        self.css_conn_id = css_conn_id

    def execute(self, context: Any) -> str | None:
        """
        Return a sentence when all is well.

        :param context: Airflow's context.
        :raises AirflowFailException: if the work, the snapshot or the restore failed.
        :raises AirflowSkipException: if nothing was to be done.
        """
        from airflow_css.checkpoints.judging import read_verdict, tell_verdict

        step = read_verdict(context, self.checkpoint)
        if step.word is Word.FAIL:
            tell_verdict(context, self.checkpoint, step, css_conn_id=self.css_conn_id, log=self.log)
        if step.word is Word.SKIP:
            raise AirflowSkipException(step.reason)
        return step.reason


class CheckpointSeal(CheckpointVerdict):
    """
    Fails in the verdict's place when that was skipped although the work failed; otherwise does nothing.

    Airflow skips what is no teardown when a user marks a run as failed, and the run would end green after a rollback.

    :param checkpoint: The checkpoint.
    :param css_conn_id: The Airflow connection, for the line that says where everything stands. Default
        ``css_default``. (templated)
    """

    def execute(self, context: Any) -> None:
        """
        Return unless the verdict was skipped and would have failed.

        :param context: Airflow's context.
        :raises AirflowFailException: if it would have.
        """
        from airflow_css.checkpoints.judging import read_verdict, tell_verdict
        from airflow_css.checkpoints.states import read_ends

        if read_ends(context, self.checkpoint, "verdict").get("verdict") != SKIPPED:
            return
        step: Step = read_verdict(context, self.checkpoint)
        if step.word is Word.FAIL:
            tell_verdict(context, self.checkpoint, step, css_conn_id=self.css_conn_id, log=self.log)
