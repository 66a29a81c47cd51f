"""The tasks of a restore drill, besides those of the user's check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, BaseOperator

from airflow_css.checkpoints.plan import Work
from airflow_css.hooks.css import CssHook
from airflow_css.operators.snapshot import RestoreSnapshotOperator

__all__ = ["Drill", "DrillBegin", "DrillChecked", "DrillCleanUp", "DrillReport", "DrillRestore", "DrillVerdict"]

NAMES = "names"
WHY = "why"
TRY = "try"
LATER = 2


@dataclass(frozen=True)
class Drill:
    """
    One drill, as its own tasks know it.

    :param begin: Id of the task that begins it.
    :param restore: Id of the task that restores.
    """

    begin: str
    restore: str


class DrillBegin(BaseOperator):
    """Notes when the drill begins, and what the restored names begin with: new in each run, and after each clear."""

    hook_class: ClassVar[type[CssHook]] = CssHook

    def execute(self, context: Any) -> dict[str, str]:
        """
        Return ``began_at`` and ``prefix``.

        :param context: Airflow's context.
        """
        from airflow_css.protocol.fingerprint import short_hash
        from airflow_css.tasks.run_context import identify

        identity = identify(context, "")
        began_at = self.hook_class.clock.now().isoformat()
        # Run ids are equal in every Airflow, and another one's indices must not be taken for those of this run.
        prefix = f"drill-{short_hash(*identity.instance, identity.life, began_at)}-"
        return {"began_at": began_at, "prefix": prefix}


class DrillRestore(RestoreSnapshotOperator):
    """
    Restores under the drill's names, and leaves behind what the report needs, also when it fails.

    :param drill_begin: Id of the task that begins the drill.
    :param has_clean_up: Whether somebody removes what is restored.
    """

    def __init__(self, *, drill_begin: str, has_clean_up: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drill_begin = drill_begin
        self.has_clean_up = has_clean_up

    def execute(self, context: Any) -> dict[str, Any]:
        """
        Return what was restored, after the restore ended well.

        :param context: Airflow's context.
        """
        # Airflow forgets at each try what the one before pushed.
        context["ti"].xcom_push(key=TRY, value=context["ti"].try_number)
        return self._told(context, lambda: self._begin(context))

    def resume_at_turn(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Go on when the cluster's turn has come.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._told(context, lambda: super(DrillRestore, self).resume_at_turn(context, event))

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """
        Return what was restored when the restore has ended.

        :param context: Airflow's context.
        :param event: What the trigger sent.
        """
        return self._told(context, lambda: super(DrillRestore, self).execute_complete(context, event))

    def _begin(self, context: Any) -> dict[str, Any]:
        from airflow_css.protocol.errors import CssError, CssUsageError
        from airflow_css.tasks.fields import cluster_of
        from airflow_css.tasks.night import raise_for_airflow

        try:
            # A template may render to the source cluster, which nobody could know when the DAG was parsed.
            if not self.has_clean_up and self.target_cluster_id in ("same", cluster_of(self)):
                rule = "it is the cluster of the backup, where what a drill restores must be removed; give clean_up"
                raise CssUsageError("target_cluster_id", self.target_cluster_id, rule, "another cluster's id")
        except CssError as error:
            raise_for_airflow(error)
        return super().execute(context)

    def _told(self, context: Any, step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        from airflow_css.checkpoints.drill_facts import names_of

        try:
            result = step()
        except Exception as error:  # whatever it is goes on; the report, another task, wants its words
            context["ti"].xcom_push(key=WHY, value=str(error))
            raise
        prefix = context["ti"].xcom_pull(task_ids=self.drill_begin)["prefix"]
        context["ti"].xcom_push(key=NAMES, value=names_of(result.get("indices"), prefix))
        return result


class DrillChecked(BaseOperator):
    """Notes when the check had ended, well or badly."""

    hook_class: ClassVar[type[CssHook]] = CssHook

    def execute(self, context: Any) -> str:  # noqa: ARG002 - Airflow calls it so
        """
        Return the moment.

        :param context: Airflow's context.
        """
        return self.hook_class.clock.now().isoformat()


class DrillCleanUp(BaseOperator):
    """
    Has the user's function remove what was restored, whatever became of the check.

    :param drill: The drill.
    :param clean_up: The function; it is given the restored names.
    """

    def __init__(self, *, drill: Drill, clean_up: Callable[[list[str]], object], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drill = drill
        self.clean_up = clean_up

    def execute(self, context: Any) -> list[str]:
        """
        Return the names that the function was given.

        :param context: Airflow's context.
        :raises AirflowSkipException: if nothing was restored.
        """
        from airflow_css.checkpoints.drill_facts import names_of

        ti = context["ti"]
        is_known = ti.xcom_pull(task_ids=self.drill.restore, key="snapshot_id")
        if not is_known and int(ti.xcom_pull(task_ids=self.drill.restore, key=TRY) or 0) < LATER:
            raise AirflowSkipException("No restore was begun, so there is nothing to remove.")
        # Also after a restore that failed: CSS may have restored a part, or go on with it.
        prefix = ti.xcom_pull(task_ids=self.drill.begin)["prefix"]
        names = names_of(ti.xcom_pull(task_ids=self.drill.restore, key="indices"), prefix)
        self.log.info("To be removed: %s.", ", ".join(names))
        self.clean_up(names)
        return names


class DrillReport(BaseOperator):
    """
    Gives the report. It succeeds whatever it has to report, so that the tasks after it can keep it.

    :param drill: The drill.
    :param checked: Id of the task that notes when the check had ended.
    :param clean_up: Id of the task that cleans up; empty for none.
    """

    hook_class: ClassVar[type[CssHook]] = CssHook

    def __init__(self, *, drill: Drill, checked: str, clean_up: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drill = drill
        # They are known only when the group is closed.
        self.checks = Work(())
        self.last: tuple[str, ...] = ()
        self.checked = checked
        self.clean_up = clean_up

    def execute(self, context: Any) -> dict[str, Any]:
        """
        Return the report.

        :param context: Airflow's context.
        """
        from airflow_css.checkpoints.drill_facts import read_facts
        from airflow_css.checkpoints.drill_report import make_report

        report = make_report(read_facts(context, self))
        self.log.info("%s: %s", report["outcome"], report["reason"])
        return report


class DrillVerdict(BaseOperator):
    """
    Turns the run red unless the drill passed.

    :param report: Id of the task that gives the report.
    """

    ui_color = "#f7d7d7"

    def __init__(self, *, report: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report = report

    def execute(self, context: Any) -> str:
        """
        Return a sentence when the drill passed.

        :param context: Airflow's context.
        :raises AirflowFailException: if it did not, or nobody knows.
        """
        report = context["ti"].xcom_pull(task_ids=self.report)
        if not report:
            raise AirflowFailException(f"There is no report; see the log of {self.report}.")
        if report["outcome"] != "passed":
            raise AirflowFailException(f"{report['outcome']}: {report['reason']}")
        return str(report["reason"])
