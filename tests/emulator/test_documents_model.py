"""Documents against a model: whatever is written, kept and restored, the content is what plain dictionaries say."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.clock import TurnableClock
from tests.emulator.callers import Caller

Existing = Literal["keep", "fail"]
Content = dict[str, tuple[int, dict[str, int]]]

NAMES = ("a", "b", "a-old")
SEVERAL = st.dictionaries(st.sampled_from("123"), st.integers(0, 9), min_size=1, max_size=3)


@dataclass
class Model:
    """What the cluster should hold: shards and documents by index; and what each snapshot keeps."""

    content: Content = field(default_factory=dict)
    kept: list[Content] = field(default_factory=list)

    def write(self, name: str, documents: dict[str, int]) -> None:
        """Add or overwrite documents."""
        self.content.setdefault(name, (1, {}))[1].update(documents)

    def make(self, name: str, shards: int) -> None:
        """Begin an index anew."""
        self.content[name] = (shards, {})

    def drop(self, name: str) -> None:
        """Remove an index."""
        self.content.pop(name, None)

    def restore(self, number: int, existing: Existing, *, overwrite: bool, suffix: str) -> None:
        """Bring back what a snapshot keeps: all of it or nothing."""
        brought = {name + suffix: entry for name, entry in deepcopy(self.kept[number % len(self.kept)]).items()}
        there = set(brought) & set(self.content)
        if overwrite and any(brought[name][0] != self.content[name][0] for name in there):
            return
        if not overwrite and there and existing == "fail":
            return
        self.content = {**brought, **self.content} if not overwrite else {**self.content, **brought}


@dataclass
class Both:
    """The emulator and the model, always told the same."""

    existing: Existing
    model: Model = field(default_factory=Model)
    caller: Caller = field(init=False)
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with an empty cluster."""
        emulator = CssEmulator(clock=TurnableClock(frozen=True), indices={}, existing_index=self.existing)
        self.caller = Caller(emulator)

    def write(self, name: str, documents: dict[str, int]) -> None:
        """Write to one index."""
        self.model.write(name, documents)
        self.caller.emulator.index(name).write({key: {"n": n} for key, n in documents.items()})

    def make(self, name: str, shards: int) -> None:
        """Replace one index by an empty one."""
        self.drop(name)
        self.model.make(name, shards)
        self.caller.emulator.index(name).create(shards)

    def drop(self, name: str) -> None:
        """Remove one index if it is there."""
        self.model.drop(name)
        if (index := self.caller.emulator.index(name)).exists:
            index.drop()

    def snapshot(self, name: str, documents: dict[str, int]) -> None:
        """Begin a snapshot, write while it is being made, and let it end."""
        self.model.kept.append(deepcopy(self.model.content))
        self.ids.append(self.caller.created(f"snapshot-{len(self.ids)}").id)
        self.write(name, documents)
        self.caller.advance(2)

    def restore(self, number: int, overwrite: bool, suffix: str) -> None:  # noqa: FBT001 - drawn
        """Restore one of the snapshots so far, if there is any."""
        if not self.ids:
            return
        renaming = {"rename_pattern": "(.+)", "rename_replacement": f"$1{suffix}"} if suffix else {}
        snapshot_id = self.ids[number % len(self.ids)]
        assert self.caller.restore(snapshot_id, replace_exist_indices=overwrite, **renaming).status == 201
        self.caller.advance(2)
        self.model.restore(number, self.existing, overwrite=overwrite, suffix=suffix)

    def holds(self) -> Content:
        """Return what the emulator holds, in the words of the model."""
        emulator = self.caller.emulator
        return {
            name: (shards, {key: document["n"] for key, document in emulator.index(name).documents().items()})
            for name, shards in emulator.indices().items()
        }


NAME = st.sampled_from(NAMES)
STEPS = st.one_of(
    st.builds(lambda *given: lambda both: both.write(*given), NAME, SEVERAL),
    st.builds(lambda *given: lambda both: both.make(*given), NAME, st.integers(1, 2)),
    st.builds(lambda *given: lambda both: both.drop(*given), NAME),
    st.builds(lambda *given: lambda both: both.snapshot(*given), NAME, SEVERAL),
    st.builds(
        lambda *given: lambda both: both.restore(*given),
        st.integers(0, 9),
        st.booleans(),
        st.sampled_from(["", "-old"]),
    ),
)


@given(steps=st.lists(STEPS, max_size=12), existing=st.sampled_from(["keep", "fail"]))
def test_the_content_is_what_a_simple_model_says(steps: list[Callable[[Both], None]], existing: Existing) -> None:
    """After each of any sequence of writes, snapshots and restores, shards and documents are those of the model."""
    both = Both(existing)
    for step in steps:
        step(both)
        assert both.holds() == both.model.content
