"""
Which snapshots are meant: whose they are, and what they are called.

Theory of operation. CSS stores no owner, so the mark tells (see ``provenance``). What has no mark is foreign, and is
only meant when a name narrows it down. What has a mark of an unknown version is never meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from airflow_css.protocol.durations import read_span
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import Mark, RunIdentity, has_unknown_mark, make_mark

__all__ = ["NameFilter", "Ownership", "Scope", "Selection", "SnapshotFilter", "check_texts"]

HIGHEST_MAP_INDEX = 4095
"""A mark shows no map index, so each one is tried. Airflow allows 1,024 unless it is told otherwise."""

_STATUS_WORDS = tuple(status.value for status in SnapshotStatus if status is not SnapshotStatus.UNKNOWN)
_KINDS = ("manual", "automatic")


class Scope(StrEnum):
    """How far a retention reaches, from narrow to wide."""

    TASK = "task"
    DAG = "dag"
    DEPLOYMENT = "deployment"
    PACKAGE = "package"


def check_texts(what: str, values: object, example: str) -> None:
    """
    Check a list of texts.

    :param what: The parameter, for the message.
    :param values: A list or tuple of texts; a single text would be read letter by letter.
    :param example: A legal item, for the message.
    :raises CssUsageError: if it is a single text, or an item is no text or an empty one.
    """
    items = values if isinstance(values, (list, tuple, set, frozenset)) else [None]
    if not all(isinstance(item, str) and item for item in items):
        raise CssUsageError(what, values, "it is a list of texts, none of them empty", [example])


def _check_text(what: str, value: object, example: str) -> None:
    if value is not None and not (isinstance(value, str) and value):
        raise CssUsageError(what, value, "it is a text with at least one character, or None", example)


@dataclass(frozen=True)
class NameFilter:
    """
    Narrows snapshots down by name.

    :param prefix: What the name begins with; ``None`` for anything.
    :param regex: A regular expression that matches the whole name; ``None`` for anything.
    """

    prefix: str | None = None
    regex: str | None = None

    def check(self) -> None:
        """
        Check both.

        :raises CssUsageError: if one is empty, no text, or no regular expression.
        """
        _check_text("name_prefix", self.prefix, "orders-")
        _check_text("name_regex", self.regex, r"orders-\d+")
        try:
            re.compile(self.regex or "")
        except re.error as error:
            raise CssUsageError(
                "name_regex", self.regex, f"it is a regular expression: {error}", r"orders-\d+"
            ) from error

    def why_not(self, name: str) -> str:
        """
        Return why a name is not meant, as one clause; empty when it is.

        :param name: The name of a snapshot.
        """
        if not name.startswith(self.prefix or ""):
            return f"its name does not begin with {self.prefix}"
        if self.regex is not None and not re.fullmatch(self.regex, name):
            return f"its name does not match {self.regex}"
        return ""


@dataclass(frozen=True)
class Ownership:
    """
    Whose snapshots are meant.

    :param deployment: Name of the Airflow deployment; empty when unknown.
    :param dag_id: The DAG.
    :param scope: ``task``: only of the tasks in ``task_ids``; ``dag``: of the DAG; ``deployment``: of any DAG of the
        deployment; ``package``: of anybody who uses this package. Default ``dag``.
    :param task_ids: The tasks that *made* the snapshots, for scope ``task`` only; every map index of them, up to 4095.
    """

    deployment: str
    dag_id: str
    scope: str = Scope.DAG
    task_ids: Sequence[str] = ()

    def check(self) -> None:
        """
        Check scope and tasks.

        :raises CssUsageError: if the scope is unknown, or tasks are missing or given in vain.
        """
        if self.scope not in set(Scope):
            raise CssUsageError("scope", self.scope, f"it is one of {', '.join(Scope)}", str(Scope.DAG))
        check_texts("task_ids", self.task_ids, "backup")
        if self.scope == Scope.TASK and not self.task_ids:
            rule = "the scope 'task' needs to know which tasks made the snapshots"
            raise CssUsageError("task_ids", self.task_ids, rule, ["backup"])
        if self.scope != Scope.TASK and self.task_ids:
            raise CssUsageError(
                "scope", self.scope, "task_ids can only be given with the scope 'task'", str(Scope.TASK)
            )

    def why_not(self, mark: Mark) -> str:
        """
        Return why a marked snapshot is not meant, as one clause; empty when it is.

        :param mark: Its mark.
        """
        if self.scope == Scope.PACKAGE:
            return ""
        if mark.deployment != self._own.deployment:
            return "made by another Airflow deployment"
        if self.scope == Scope.DEPLOYMENT:
            return ""
        if mark.dag != self._own.dag:
            return "made by another DAG"
        return "made by another task" if self.scope == Scope.TASK and mark.task not in self._tasks else ""

    @cached_property
    def _own(self) -> Mark:
        return make_mark(RunIdentity(self.deployment, self.dag_id, "", ""), None)

    @cached_property
    def _tasks(self) -> frozenset[str]:
        return frozenset(
            make_mark(RunIdentity(self.deployment, self.dag_id, task_id, "", map_index), None).task
            for task_id in self.task_ids
            for map_index in range(-1, HIGHEST_MAP_INDEX + 1)
        )


@dataclass(frozen=True)
class Selection:
    """
    Which snapshots a retention may judge.

    :param owner: Whose.
    :param include_foreign: Also those without a mark of this package, such as hand-made ones. Needs a name. Default no.
    :param name: What they are called; narrows our own as well.
    """

    owner: Ownership
    include_foreign: bool = False
    name: NameFilter = NameFilter()

    def check(self) -> None:
        """
        Check all of it.

        :raises CssUsageError: if a part is illegal, or foreign ones are included without a name.
        """
        self.owner.check()
        self.name.check()
        if self.include_foreign and self.name == NameFilter():
            rule = "snapshots that this package did not make are only meant together with name_prefix or name_regex"
            raise CssUsageError("include_foreign", self.include_foreign, rule, False)  # noqa: FBT003 - the legal value

    def why_not(self, snapshot: Snapshot) -> str:
        """
        Return why a snapshot is out of scope, as one clause; empty when it is in scope.

        :param snapshot: As listed.
        """
        if snapshot.mark is not None:
            return self.owner.why_not(snapshot.mark) or self.name.why_not(snapshot.name)
        if has_unknown_mark(snapshot.description):
            return "mark of an unknown version"
        if not self.include_foreign:
            return "not made by this package"
        return self.name.why_not(snapshot.name)


@dataclass(frozen=True)
class SnapshotFilter:
    """
    Which snapshots a list shows. Whatever is not given does not narrow it.

    :param statuses: Words of CSS for the state: ``BUILDING``, ``COMPLETED``, ``FAILED``, ``PART_FAILED``.
    :param name: What they are called.
    :param older_than: They began longer ago than this: a ``timedelta`` or a text such as ``14d``.
    :param newer_than: They began less long ago than this, or lie in the future.
    :param kind: ``manual`` or ``automatic``.
    :param owner: Whose; leaves out what has no mark of this package.
    """

    statuses: Sequence[str] = ()
    name: NameFilter = NameFilter()
    older_than: str | timedelta | None = None
    newer_than: str | timedelta | None = None
    kind: str | None = None
    owner: Ownership | None = None

    def check(self) -> None:
        """
        Check all of it.

        :raises CssUsageError: if a part is illegal.
        """
        check_texts("statuses", self.statuses, "COMPLETED")
        if unknown := [word for word in self.statuses if word not in _STATUS_WORDS]:
            raise CssUsageError("status", unknown[0], f"it is one of {', '.join(_STATUS_WORDS)}", "COMPLETED")
        if self.kind is not None and self.kind not in _KINDS:
            raise CssUsageError("kind", self.kind, f"it is one of {', '.join(_KINDS)}, or None", "manual")
        self.name.check()
        for what, value in (("older_than", self.older_than), ("newer_than", self.newer_than)):
            if value is not None:
                read_span(what, value)
        if self.owner is not None:
            self.owner.check()

    def matches(self, snapshot: Snapshot, now: datetime) -> bool:
        """
        Return whether a snapshot is shown. One of unknown age is not when an age is asked for.

        :param snapshot: As listed.
        :param now: From when ages are measured; aware.
        """
        return (
            (not self.statuses or snapshot.status in self.statuses)
            and (self.kind is None or (self.kind == "automatic") == snapshot.is_automatic)
            and not self.name.why_not(snapshot.name)
            and self._has_owner(snapshot)
            and self._has_age(snapshot.began_at, now)
        )

    def _has_owner(self, snapshot: Snapshot) -> bool:
        return self.owner is None or (snapshot.mark is not None and not self.owner.why_not(snapshot.mark))

    def _has_age(self, began: datetime | None, now: datetime) -> bool:
        if self.older_than is None and self.newer_than is None:
            return True
        if began is None:
            return False
        if self.older_than is not None and began >= read_span("older_than", self.older_than).before(now, UTC):
            return False
        return self.newer_than is None or began > read_span("newer_than", self.newer_than).before(now, UTC)
