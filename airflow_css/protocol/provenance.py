"""
The mark at the end of a description: who made a snapshot, for which request, in which life.

Theory of operation. CSS stores no owner, so the description carries one. A mark reads

    [af1 <deployment> <dag> <task> <run> <request> <life>]

with fingerprints that build on each other: ``dag`` includes the deployment, ``task`` the DAG and the map index, ``run``
all of these. So a reader of the list can tell this task instance's snapshots from its task's, its DAG's, its
deployment's, this package's and strangers'. The life tells apart what was made before and after a clear. A held
snapshot's mark ends in ``hold``. That of a damaged state, kept before it is overwritten, ends in ``hurt``: it is no
backup to go back to, and everybody who looks for one must see that in the list. None is both.

A mark of another version is recognised but never understood: what carries it is neither adopted nor deleted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_css.protocol.fingerprint import short_hash

__all__ = ["Mark", "RunIdentity", "has_unknown_mark", "make_mark", "read_mark", "write_mark"]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ANY_MARK = re.compile(r"\[af(\d+) [^\]]*\]\s*$")
_MARK = re.compile(
    r"\[af1 (?P<deployment>[0-9a-f]{6}) (?P<dag>[0-9a-f]{8}) (?P<task>[0-9a-f]{8}) (?P<run>[0-9a-f]{8}) "
    r"(?P<request>[0-9a-f]{8}) (?P<life>[0-9a-z]{1,12})(?P<flag> hold| hurt)?\]\s*$"
)


@dataclass(frozen=True)
class RunIdentity:
    """
    One task instance of one run, in one of its lives.

    :param deployment: Name of the Airflow deployment; empty when unknown.
    :param dag_id: The DAG.
    :param task_id: The task.
    :param run_id: The run.
    :param map_index: Index of a mapped task, -1 when it is not mapped.
    :param life: 0 until the task instance is cleared after an end; then a larger number after each clear.
    """

    deployment: str
    dag_id: str
    task_id: str
    run_id: str
    map_index: int = -1
    life: int = 0

    @property
    def instance(self) -> tuple[str, str, str, int, str]:
        """What stays the same on every try and in every life."""
        return (self.deployment, self.dag_id, self.task_id, self.map_index, self.run_id)

    def __str__(self) -> str:
        mapped = f" {self.map_index}" if self.map_index >= 0 else ""
        return f"{self.deployment}/{self.dag_id}/{self.task_id} {self.run_id}{mapped}"


@dataclass(frozen=True)
class Mark:
    """
    What a mark says.

    :param deployment: Fingerprint of the deployment, 6 characters.
    :param dag: Fingerprint of deployment and DAG, 8 characters, as the next ones.
    :param task: Fingerprint of these, the task and the map index.
    :param run: Fingerprint of these and the run.
    :param request: Fingerprint of the index list as it was sent.
    :param life: In which life the snapshot was made.
    :param hold: Whether retention must leave it alone.
    :param damaged: Whether it holds a damaged state; never together with ``hold``.
    """

    deployment: str
    dag: str
    task: str
    run: str
    request: str
    life: int = 0
    hold: bool = False
    damaged: bool = False

    def is_same_instance(self, other: Mark | None) -> bool:
        """
        Return whether both were made by the same task instance, in whatever life.

        :param other: The mark to compare with; ``None`` is never the same.
        """
        return other is not None and self.instance == other.instance

    @property
    def instance(self) -> tuple[str, str, str, str]:
        """What all marks of one task instance have in common."""
        return (self.deployment, self.dag, self.task, self.run)


def make_mark(identity: RunIdentity, indices: str | None, *, hold: bool = False, damaged: bool = False) -> Mark:
    """
    Return the mark of a task instance's snapshot.

    :param identity: The task instance.
    :param indices: The index list as it is sent; ``None`` for all.
    :param hold: Whether retention must leave it alone.
    :param damaged: Whether it holds a damaged state.
    """
    dag = (identity.deployment, identity.dag_id)
    task = (*dag, identity.task_id, identity.map_index)
    return Mark(
        deployment=short_hash(identity.deployment, length=6),
        dag=short_hash(*dag),
        task=short_hash(*task),
        run=short_hash(*task, identity.run_id),
        request=short_hash(indices or ""),
        life=identity.life,
        hold=hold,
        damaged=damaged,
    )


def write_mark(mark: Mark) -> str:
    """
    Return the mark as it stands in a description.

    :param mark: What it shall say.
    """
    flag = " hurt" if mark.damaged else " hold" if mark.hold else ""
    life = _to_base36(mark.life)
    return f"[af1 {mark.deployment} {mark.dag} {mark.task} {mark.run} {mark.request} {life}{flag}]"


def read_mark(description: str) -> Mark | None:
    """
    Return the mark of a description, or ``None`` when it has none that can be understood.

    :param description: As CSS lists it.
    """
    found = _MARK.search(description)
    if found is None:
        return None
    fields = found.groupdict()
    return Mark(
        deployment=fields["deployment"],
        dag=fields["dag"],
        task=fields["task"],
        run=fields["run"],
        request=fields["request"],
        life=int(fields["life"], 36),
        hold=fields["flag"] == " hold",
        damaged=fields["flag"] == " hurt",
    )


def has_unknown_mark(description: str) -> bool:
    """
    Return whether a description ends in a mark of a version that this code does not understand.

    :param description: As CSS lists it.
    """
    return _ANY_MARK.search(description) is not None and read_mark(description) is None


def _to_base36(number: int) -> str:
    # One character for the first 36 lives keeps the longest mark within the room that a description has for it.
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text
