"""
What the documentation says of every case of the table: states, calls and documents. It knows nothing of our code.

It is written from the page *What a checkpoint promises, and what not* and from *Clear a run* in the how-to page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

__all__ = ["CASES", "CONTROL", "MODES", "Case", "Clear", "Seen", "expect"]

FAILS = ("nothing", "snapshot", "first", "middle", "last", "beside", "lenient", "restore")
MODES = ("in_place", "beside", "report")

BEFORE: Mapping[str, tuple[str, ...]] = {
    "first": (),
    "middle": ("first",),
    "last": ("middle",),
    "beside": (),
    "writer": (),
    "writer_late": ("writer",),
}
INSTANCES = {"middle": ("middle[0]", "middle[1]")}
OWN = ("snapshot", "restore", "verdict", "seal", "after")
BAD = ("failed", "upstream_failed")


@dataclass(frozen=True)
class Clear:
    """
    What a user clears.

    :param what: ``whole`` is the group; ``part`` what failed, with all after it; ``alone`` that without what is after
        it; ``restore`` that task.
    :param fails_again: Whether what failed fails again; otherwise all works now.
    """

    what: str
    fails_again: bool = False

    def chosen(self, step: str) -> str:
        """Return the task that is chosen, where ``step`` of the work failed."""
        own = {"whole": "snapshot", "restore": "restore"}
        return own.get(self.what) or step.partition("[")[0]

    @property
    def has_downstream(self) -> bool:
        """Whether what comes after it is cleared too."""
        return self.what in ("whole", "part")


ALONE, PART, WHOLE, RESTORE = map(Clear, ("alone", "part", "whole", "restore"))
AGAIN = Clear("whole", fails_again=True)


@dataclass(frozen=True)
class Case:
    """
    One case of the table.

    :param fails: What fails at first.
    :param mode: How the work is undone.
    :param retry: What a retry does: ``helps`` or is in ``vain``; empty for no retries.
    :param clears: What is cleared, one after the other, each when the run has ended.
    """

    fails: str
    mode: str
    retry: str = ""
    clears: tuple[Clear, ...] = ()

    @property
    def name(self) -> str:
        """Its name."""
        words = (clear.what + ("_again" if clear.fails_again else "") for clear in self.clears)
        return "-".join(filter(None, (self.fails, self.mode, self.retry, *words)))

    @property
    def step(self) -> str:
        """The step of the work that fails; empty for none."""
        steps = {"lenient": "middle[1]", "middle": "middle[1]", "restore": "last", "nothing": "", "snapshot": ""}
        return steps.get(self.fails, self.fails)

    @property
    def looked_at(self) -> str:
        """The step of the work that a user clears where only a part is."""
        return self.step or {"nothing": "middle", "snapshot": "first"}[self.fails]


def _cases() -> Iterable[Case]:
    for fails, mode in product(FAILS, MODES):
        if fails not in ("nothing", "lenient"):
            yield Case(fails, mode, "helps")
        yield Case(fails, mode, "vain", (PART,))
        ends = (AGAIN, WHOLE) if mode == "in_place" and fails not in ("nothing", "snapshot", "restore") else (WHOLE,)
        yield Case(fails, mode, clears=(RESTORE if fails == "restore" else ALONE, *ends))


CASES = tuple(_cases())
# Wired wrongly on purpose: its restore does not wait for the writer.
CONTROL = Case("beside", "hasty")


@dataclass(frozen=True)
class Seen:
    """
    How a run and its cluster stand.

    :param run: State of the run.
    :param states: Those of its tasks.
    :param creations: How often CSS was asked for a snapshot.
    :param restores: How often for a restore.
    :param documents: What is in the index, by the step that wrote it.
    :param copies: The old states beside, each by its documents.
    """

    run: str
    states: dict[str, str]
    creations: int
    restores: int
    documents: list[str]
    copies: list[list[str]]


@dataclass(frozen=True)
class Play:
    """
    What happens between the start, or a clear, and the next end.

    :param step: The step of the work that fails; empty for none.
    :param has_snapshot: Whether there is a snapshot in the end.
    :param is_restored: Whether a restore ends well.
    :param creations: How often CSS is asked for a snapshot.
    :param restores: How often for a restore, where there is something to undo.
    """

    step: str
    has_snapshot: bool = True
    is_restored: bool = True
    creations: int = 1
    restores: int = 1


NOT_BEGUN = Seen("", {}, 0, 0, ["old"], [])


def expect(case: Case) -> list[Seen]:
    """
    Return how the run stands at its end, and at each end after a clear.

    :param case: The case.
    """
    ends = [_first_end(case)]
    for clear in case.clears:
        ends.append(_next_end(case, clear, ends[-1]))
    return ends


def _first_end(case: Case) -> Seen:
    helps, tries = case.retry == "helps", 2 if case.retry else 1
    return _run(
        case,
        NOT_BEGUN,
        (*BEFORE, *OWN),
        Play(
            step="" if helps and case.fails != "restore" else case.step,
            has_snapshot=case.fails != "snapshot" or helps,
            is_restored=case.fails != "restore" or helps,
            creations=tries if case.fails == "snapshot" else 1,
            restores=tries if case.fails == "restore" else 1,
        ),
    )


def _next_end(case: Case, clear: Clear, before: Seen) -> Seen:
    refused = clear.what in ("part", "alone") and case.mode == "in_place" and before.restores > 0
    # A snapshot that failed is made anew; a good one is used again.
    creations = int(case.fails == "snapshot" and before.states["snapshot"] == "failed")
    step = case.step if clear.fails_again else ""
    return _run(case, before, _cleared(case, clear), Play(step, has_snapshot=not refused, creations=creations))


def _cleared(case: Case, clear: Clear) -> tuple[str, ...]:
    """Return what is cleared: with a task of the work also snapshot, restore and seal."""
    if clear.what == "restore":
        return ("restore", "seal")
    if clear.what == "whole":
        return (*BEFORE, *OWN)
    chosen = [clear.chosen(case.looked_at)]
    if not clear.has_downstream:
        return (*chosen, "snapshot", "restore", "seal")
    for label, earlier in BEFORE.items():
        if not set(chosen).isdisjoint(earlier):
            chosen.append(label)
    return (*chosen, *OWN)


def _run(case: Case, before: Seen, cleared: tuple[str, ...], play: Play) -> Seen:
    states, documents = dict(before.states), set(before.documents)
    if "snapshot" in cleared:
        states["snapshot"] = "success" if play.has_snapshot else "failed"
    for label in BEFORE:
        if label in cleared:
            documents |= _play(case, label, play, states)
    work = [state for name, state in states.items() if name.partition("[")[0] in BEFORE]
    undo = play.has_snapshot and case.mode != "report" and _is_half_done(work)
    if "restore" in cleared:
        done = ("success" if play.is_restored else "failed") if undo else "skipped"
        states["restore"] = done if play.has_snapshot else "upstream_failed"
    is_back = undo and play.is_restored
    _end(states, cleared, work)
    return Seen(
        run="failed" if states["after"] in BAD or states["seal"] in BAD else "success",
        states=states,
        creations=before.creations + (play.creations if "snapshot" in cleared else 0),
        restores=before.restores + (play.restores if undo else 0),
        documents=["old"] if is_back and case.mode == "in_place" else sorted(documents),
        copies=before.copies + ([["old"]] if is_back and case.mode == "beside" else []),
    )


def _is_half_done(work: Iterable[str]) -> bool:
    """Return whether a task of the work failed or could not run, and one had begun."""
    states = set(work)
    return not states.isdisjoint(BAD) and not states.isdisjoint(("failed", "success"))


def _play(case: Case, label: str, play: Play, states: dict[str, str]) -> set[str]:
    """Set the states of a task of the work, and return what it wrote."""
    earlier = [state for name, state in states.items() if name.partition("[")[0] in BEFORE[label]]
    waits_for_nobody = label == "last" and case.fails == "lenient"
    runs = play.has_snapshot and (waits_for_nobody or all(state == "success" for state in earlier))
    known = [name for name in INSTANCES.get(label, ()) if name in states]
    names = INSTANCES.get(label, (label,)) if runs else known or (label,)
    if runs:
        states.pop(label, None)
    for name in names:
        states[name] = ("failed" if name == play.step else "success") if runs else "upstream_failed"
    return set(names) if runs else set()


def _end(states: dict[str, str], cleared: tuple[str, ...], work: list[str]) -> None:
    """Set the states of what comes after the restore."""
    red = any(state in BAD for state in (*work, states["snapshot"], states["restore"]))
    if "verdict" in cleared:
        states["verdict"] = "failed" if red else "success"
        states["after"] = "upstream_failed" if red else "success"
    if "seal" in cleared:
        states["seal"] = "upstream_failed" if states["snapshot"] == "failed" else "success"
