"""One list of snapshots, filtered and put into plain JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from airflow_css.protocol.errors import CssError
from airflow_css.protocol.models import Snapshot
from airflow_css.protocol.selection import NameFilter, Ownership, SnapshotFilter
from airflow_css.tasks.fields import CssTask, cluster_of, folded_prefix, given
from airflow_css.tasks.looks import with_other_keys
from airflow_css.tasks.night import raise_for_airflow, run_for_people, tell_the_night_reader
from airflow_css.tasks.rendered import check_flag, check_number, check_rendered
from airflow_css.tasks.run_context import identify

__all__ = ["ListTask", "Listing"]


class ListTask(CssTask, Protocol):
    """A list operator, seen from its parts; the meaning of each attribute stands there."""

    status: Any
    only_good: bool
    name_prefix: Any
    name_regex: Any
    older_than: Any
    newer_than: Any
    kind: Any
    scope: Any
    task_ids: Any


class Listing:
    """
    One list.

    :param operator: The operator.
    :param context: Airflow's context.
    """

    def __init__(self, operator: ListTask, context: Any) -> None:
        self._operator = operator
        self._context = context
        self._cluster_id = ""

    def fetch(self) -> list[dict[str, Any]]:
        """Return the snapshots that fit, newest first."""
        try:
            return self._fetch()
        except CssError as error:
            tell_the_night_reader(
                self._operator.log,
                self._operator.hook if self._cluster_id else None,
                cluster_id=self._cluster_id,
                snapshot="none: this task only lists",
                run=run_for_people(self._context, self._operator.hook if self._cluster_id else None),
                error=error,
            )
            raise_for_airflow(error)

    def _fetch(self) -> list[dict[str, Any]]:
        operator = self._operator
        check_rendered("css_conn_id", operator.css_conn_id)
        only_good = check_flag("only_good", operator.only_good)
        wanted = self._filter()
        wanted.check()
        hook, cluster_id = operator.hook, cluster_of(operator)
        self._cluster_id = cluster_id
        listed = with_other_keys(hook, lambda: hook.get_conn().list_snapshots(cluster_id))
        now = hook.clock.now()
        found = [s for s in listed if wanted.matches(s, now) and (s.is_good_backup or not only_good)]
        operator.log.info("%d of %d snapshots of cluster %s fit.", len(found), len(listed), cluster_id)
        return [_facts(snapshot, cluster_id) for snapshot in sorted(found, key=_began, reverse=True)]

    def _filter(self) -> SnapshotFilter:
        operator = self._operator
        return SnapshotFilter(
            statuses=_words(operator.status),
            name=NameFilter(folded_prefix(operator), given(operator, "name_regex")),
            older_than=_age("older_than", operator.older_than),
            newer_than=_age("newer_than", operator.newer_than),
            kind=operator.kind,
            owner=self._owner(),
        )

    def _owner(self) -> Ownership | None:
        operator = self._operator
        if operator.scope is None and not operator.task_ids:
            return None
        identity = identify(self._context, operator.hook.deployment)
        # Tasks without a scope are refused together with it, in the filter's own words.
        return Ownership(
            identity.deployment,
            identity.dag_id,
            "package" if operator.scope is None else operator.scope,
            operator.task_ids,
        )


def _words(status: Any) -> Any:
    if status is None:
        return ()
    if isinstance(status, str):
        return tuple(word.strip().upper() for word in status.split(","))
    if isinstance(status, list | tuple):
        return tuple(word.strip().upper() if isinstance(word, str) else word for word in status)
    return status


def _age(what: str, value: Any) -> str | timedelta | None:
    if isinstance(value, int | float):
        return timedelta(seconds=check_number(what, value, at_least=1))
    age: str | timedelta | None = value
    return age


def _facts(snapshot: Snapshot, cluster_id: str) -> dict[str, Any]:
    return {
        **snapshot.as_json(),
        "description": snapshot.description,
        "is_good": snapshot.is_good_backup,
        "is_damaged": snapshot.is_damaged,
        "is_automatic": snapshot.is_automatic,
        "restore_status": snapshot.restore_status,
        "cluster_id": cluster_id,
        "created_at": snapshot.created_at.isoformat() if snapshot.created_at else None,
    }


def _began(snapshot: Snapshot) -> float:
    return snapshot.began_at.timestamp() if snapshot.began_at else 0.0
