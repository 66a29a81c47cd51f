"""
What a checkpoint decides: from the states of its tasks to what is done, and to what is said.

Theory of operation. Airflow does not tell whether a task has changed anything, so states alone decide. Something to
undo there is when a task of the work failed or could not run, and one of them had begun: it succeeded or failed. Users'
own teardown tasks are no work. While a task of the work has not ended, nothing is restored: it may still write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from airflow_css.protocol.errors import CssUsageError

__all__ = [
    "APPROVE",
    "LEAVE",
    "MODES",
    "Checkpoint",
    "Step",
    "TaskState",
    "Word",
    "Work",
    "check_consent",
    "check_mode",
    "check_names",
    "decide",
    "has_template",
    "judge",
    "step_of_restore",
    "step_of_safety",
    "still_at_work",
]

MODES = ("rollback", "report", "confirm")
OVERWRITE = "overwrite"
APPROVE = "Roll back"
LEAVE = "Leave it as it is"

SUCCESS, FAILED, UPSTREAM_FAILED, SKIPPED = "success", "failed", "upstream_failed", "skipped"
_ENDS = (SUCCESS, FAILED, UPSTREAM_FAILED, SKIPPED, "removed")
_BAD = (FAILED, UPSTREAM_FAILED)
MOST_TASKS_TOLD = 5

# Whatever may select more than the one index of that name, or another one.
_TEMPLATE = ("{{", "{%")
_NOT_BY_NAME = ("*", "?", "[", "<", ",")


@dataclass(frozen=True)
class Work:
    """
    The tasks that a checkpoint protects.

    :param plain: Those that run once, in their order.
    :param mapped: Those of which there may be many, one for each map index.
    """

    plain: tuple[str, ...]
    mapped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """
    One checkpoint, as each of its own tasks knows it.

    :param group_id: The task group.
    :param mode: ``rollback``, ``report`` or ``confirm``.
    :param in_place: Whether indices are overwritten.
    :param work: What is protected.
    :param has_safety: Whether the damaged state is backed up before it is overwritten.
    """

    group_id: str
    mode: str
    in_place: bool
    work: Work
    has_safety: bool = False

    def task(self, label: str) -> str:
        """
        Return the id of one of the checkpoint's own tasks.

        :param label: ``snapshot``, ``confirm``, ``safety``, ``restore``, ``verdict``, ``seal`` or ``prune``.
        """
        return f"{self.group_id}.{label}"


@dataclass(frozen=True)
class TaskState:
    """
    How one task instance stands.

    :param task_id: The task.
    :param state: Airflow's word; empty when it has none.
    :param map_index: Index of a mapped task, -1 when not mapped.
    """

    task_id: str
    state: str
    map_index: int = -1

    @property
    def label(self) -> str:
        """The task instance, for people."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


class Word(StrEnum):
    """What one of the checkpoint's own tasks does."""

    GO = "go"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True)
class Step:
    """
    What one of the checkpoint's own tasks does, and why.

    :param word: What.
    :param reason: Why, as sentences.
    """

    word: Word
    reason: str


def check_mode(mode: str) -> str:
    """
    Return the mode, which is one.

    :param mode: What the user gave.
    :raises CssUsageError: if it is another word.
    """
    if mode in MODES:
        return mode
    raise CssUsageError("mode", mode, f"it is one of {', '.join(MODES)}", "rollback")


def check_consent(*, in_place: bool, consent: str | None) -> None:
    """
    Return if indices may be treated as asked for.

    :param in_place: Whether they are overwritten.
    :param consent: What the user agreed to.
    :raises CssUsageError: if nobody agreed to that, or to something else.
    """
    if in_place and consent != OVERWRITE:
        rule = (
            "in place the indices are overwritten, and what others wrote since the snapshot is lost; agree to that "
            "with consent='overwrite', or leave in_place out to have the old state beside, under new names"
        )
        raise CssUsageError("consent", consent, rule, OVERWRITE)
    if not in_place and consent is not None:
        rule = "it goes with in_place=True only; beside, under new names, nothing is overwritten"
        raise CssUsageError("consent", consent, rule, "in_place=True, consent='overwrite'")


def has_template(text: str) -> bool:
    """
    Return whether a text says what it means only when the task runs.

    :param text: The text.
    """
    return any(sign in text for sign in _TEMPLATE)


def check_names(indices: str | Sequence[str] | None, *, is_rendered: bool) -> None:
    """
    Return if indices are given by name, as overwriting them needs.

    :param indices: A list, or a text with commas.
    :param is_rendered: Whether templates are rendered; before, what comes of them is not judged.
    :raises CssUsageError: if they are not: it would be overwritten what nobody named.
    """
    for item in _items(indices):
        if not is_rendered and has_template(item):
            continue
        if not item or item[0] in "-+" or item == "_all" or any(sign in item for sign in _NOT_BY_NAME):
            raise _not_by_name(indices)


def _items(indices: str | Sequence[str] | None) -> list[str]:
    if indices is None:
        raise _not_by_name(indices)
    items = indices.split(",") if isinstance(indices, str) else indices
    if not isinstance(items, list | tuple) or not items or not all(isinstance(item, str) for item in items):
        raise _not_by_name(indices)
    return [item.strip() for item in items]


def _not_by_name(indices: object) -> CssUsageError:
    rule = "in place, each index is given by its name, and none by a pattern: only what you name is overwritten"
    return CssUsageError("indices", indices, rule, ["orders", "customers"])


def still_at_work(work: Iterable[TaskState]) -> tuple[TaskState, ...]:
    """
    Return the tasks of the work that have not ended: they may still write.

    :param work: The work.
    """
    return tuple(task for task in work if task.state not in _ENDS)


def decide(work: Sequence[TaskState]) -> Step:
    """
    Return whether there is something to undo: ``GO``, or ``SKIP`` with the reason.

    :param work: The work.
    """
    if not any(task.state in _BAD for task in work):
        return Step(Word.SKIP, "No task of the work failed.")
    if not any(task.state in (FAILED, SUCCESS) for task in work):
        return Step(Word.SKIP, "No task of the work had begun, so there is nothing to undo.")
    return Step(Word.GO, _what_failed(work))


def step_of_safety(work: Sequence[TaskState], asked: tuple[str, str] | None) -> Step:
    """
    Return whether the damaged state is backed up.

    :param work: The work.
    :param asked: State of the task that asked a human, and the answer; ``None`` where none is asked.
    """
    step = decide(work)
    return step if step.word is not Word.GO or asked is None else _step_after(step, *asked)


def step_of_restore(
    checkpoint: Checkpoint, work: Sequence[TaskState], asked: tuple[str, str] | None, safety: str
) -> Step:
    """
    Return whether the snapshot is restored.

    :param checkpoint: The checkpoint.
    :param work: The work.
    :param asked: State of the task that asked a human, and the answer; ``None`` where none is asked.
    :param safety: State of the task that backs up the damaged state; empty where there is none.
    """
    step = step_of_safety(work, asked)
    if step.word is not Word.GO:
        return step
    if checkpoint.mode == "report":
        return Step(Word.SKIP, f"{step.reason} Nothing was rolled back: the mode is 'report'.")
    if checkpoint.has_safety and safety != SUCCESS:
        reason = (
            f"The damaged state could not be backed up ({checkpoint.task('safety')} is {safety or 'without a state'}), "
            "so nothing was restored over it. Clear that task with Downstream to try both again."
        )
        return Step(Word.FAIL, reason)
    return step


def _step_after(step: Step, state: str, answer: str) -> Step:
    if state == SUCCESS and answer == APPROVE:
        return step
    how = f"the answer was {answer!r}" if state == SUCCESS and answer else "nobody agreed to it"
    return Step(Word.SKIP, f"{step.reason} Nothing was rolled back: {how}.")


def judge(
    checkpoint: Checkpoint, work: Sequence[TaskState], ends: Mapping[str, str], told: str, ways_out: str = ""
) -> Step:
    """
    Return how the run goes on: ``GO`` when all is well, ``SKIP`` when nothing was done, else ``FAIL`` with the verdict.

    :param checkpoint: The checkpoint.
    :param work: The work.
    :param ends: States of the checkpoint's own tasks, by their labels.
    :param told: What the restore task said it did; empty when it said nothing.
    :param ways_out: Which snapshots hold both states, and how to get at them by hand; said when the restore failed.
    """
    snapshot, restore = ends.get("snapshot", ""), ends.get("restore", "")
    is_broken = any(task.state in _BAD for task in work)
    if is_broken or snapshot in _BAD or restore in _BAD:
        failed = _what_failed(work, snapshot=snapshot)
        # A restore that was skipped says in its own log, too, what failed.
        done = _what_was_done(checkpoint, restore, told.removeprefix(failed).strip(), ways_out)
        return Step(Word.FAIL, f"{failed} {done}".strip())
    if not any(task.state == SUCCESS for task in work):
        return Step(Word.SKIP, "No task of the work ran.")
    return Step(Word.GO, "The work succeeded.")


def _what_failed(work: Sequence[TaskState], *, snapshot: str = SUCCESS) -> str:
    failed = [task.label for task in work if task.state == FAILED]
    kept_back = sum(task.state == UPSTREAM_FAILED for task in work)
    if failed:
        more = f" and {len(failed) - MOST_TASKS_TOLD} more" if len(failed) > MOST_TASKS_TOLD else ""
        after = f"; {_counted(kept_back)} not run because of that" if kept_back else ""
        return f"Failed: {', '.join(failed[:MOST_TASKS_TOLD])}{more}{after}."
    if snapshot in _BAD:
        return "The snapshot was not made, so no work was begun." if snapshot == FAILED else "The work was not begun."
    return f"{_counted(kept_back).capitalize()} not run." if kept_back else ""


def _counted(number: int) -> str:
    return "1 task could" if number == 1 else f"{number} tasks could"


def _what_was_done(checkpoint: Checkpoint, restore: str, told: str, ways_out: str) -> str:
    if restore == FAILED:
        task = checkpoint.task("restore")
        # What was told is why it was not even begun, and how to begin it.
        why = told or f"the log of {task} says why. When the cause is gone, clear {task} alone to try it again."
        shards = (
            "CSS cannot restore over an index whose number of shards was changed; then only new names help."
            if checkpoint.in_place
            else ""
        )
        return " ".join(part for part in (f"The rollback failed: {why}", shards, ways_out) if part)
    if restore == UPSTREAM_FAILED:
        return "Nothing was rolled back: there is nothing to go back to."
    return told or "Nothing was rolled back."
