"""One creation from start to end: plan, take the turn, make or adopt, wait, and tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_css.operators.announce import announce
from airflow_css.operators.ending import wait_in_worker
from airflow_css.operators.night import raise_for_airflow, tell_the_night_reader
from airflow_css.operators.plan import CreationPlan, make_plan
from airflow_css.operators.run_context import identify
from airflow_css.operators.turn import TurnInWorker
from airflow_css.protocol.errors import CssError
from airflow_css.protocol.models import Snapshot, SnapshotStatus

if TYPE_CHECKING:
    from airflow_css.client.ensure import EnsuredSnapshot
    from airflow_css.operators.snapshot import CreateSnapshotOperator

__all__ = ["Creation"]


class Creation:
    """
    One try of a create task.

    :param operator: The operator, with its templates rendered.
    :param context: Airflow's context.
    """

    def __init__(self, operator: CreateSnapshotOperator, context: Any) -> None:
        self._operator = operator
        self._context = context
        self._plan: CreationPlan | None = None
        self._made: EnsuredSnapshot | None = None

    def run(self) -> str:
        """
        Return the backup id.

        :raises AirflowFailException: for everything that no retry can cure.
        :raises CssError: for everything that a retry may cure.
        """
        try:
            return self._run()
        except CssError as error:
            plan = self._plan
            tell_the_night_reader(
                self._operator.log,
                self._operator.hook if plan else None,
                cluster_id=plan.cluster_id if plan else "",
                snapshot=f"{self._made.name} ({self._made.id})" if self._made else "none that this try knows of",
                run=plan.run if plan else str(identify(self._context, "")),
                error=error,
            )
            raise_for_airflow(error)

    def _run(self) -> str:
        operator = self._operator
        self._plan = plan = make_plan(operator, self._context)
        self._made = made = TurnInWorker(operator.hook, plan, operator.log).take()
        # Before any wait: whatever happens to this process, downstream tasks and people can see what was made.
        self._push(backup_id=made.id, snapshot_name=made.name, cluster_id=plan.cluster_id)
        announce(operator.log, operator.hook, plan, made)
        if operator.wait_for_completion:
            snapshot = wait_in_worker(operator.hook, plan, made, operator.log)
        else:
            snapshot = made.adopted or Snapshot(
                made.id, made.name, SnapshotStatus.BUILDING, SnapshotStatus.BUILDING.value, started_at=made.made_at
            )
        self._push(snapshot=snapshot.as_json())
        return made.id

    def tell_killed(self) -> None:
        """Log that the snapshot is left alone: CSS forbids deleting one that is being made."""
        if self._made is not None:
            self._operator.log.warning(
                "Killed. The snapshot %s (%s) is left alone; the next try adopts it.", self._made.name, self._made.id
            )

    def _push(self, **values: Any) -> None:
        for key, value in values.items():
            self._context["ti"].xcom_push(key=key, value=value)
