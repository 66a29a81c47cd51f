"""The page about testing DAGs: its tests are run as a user runs them, and its tables are those of the emulator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_css.emulator import CssEmulator, documents
from airflow_css.emulator.clock import TurnableClock
from airflow_css.emulator.documents import EmulatedIndex
from airflow_css.emulator.exchange import Request
from tests.docs.environment import make_folder, type_commands
from tests.docs.markdown import page
from tests.emulator.callers import Caller

HOW_TO = page("docs/how-to/test-your-dags.md")
BEFORE, AFTER = {"1": {"cents": 5}}, {"1": {"cents": -1}}


@pytest.mark.heavy
def test_the_shown_tests_pass(tmp_path: Path) -> None:
    """Saved and run as the page says, both pass."""
    folder = make_folder(tmp_path)
    for block in HOW_TO.blocks("python"):
        if name := re.fullmatch(r"Save this as `(\S+)`:", block.lead):
            (folder / name[1]).write_text(block.text)
    done = type_commands(folder, "source .venv/bin/activate\n" + HOW_TO.blocks("shell")[0].text)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def _changed(index: EmulatedIndex) -> None:
    index.write(AFTER)


def _made_anew(index: EmulatedIndex) -> None:
    index.drop()
    index.create(5)
    index.write(AFTER)


SINCE = {
    "changed, or emptied": _changed,
    "deleted": EmulatedIndex.drop,
    "made": _changed,
    "made anew with another number of shards": _made_anew,
}


@pytest.mark.parametrize(("since", "plain", "replaced"), HOW_TO.table("since the snapshot, the index was"))
def test_a_row_says_what_comes_back(since: str, plain: str, replaced: str) -> None:
    """What the table says of an index is what a restore makes of it, without and with overwriting."""
    for said, overwrite in ((plain, False), (replaced, True)):
        caller = Caller(CssEmulator(indices={"orders": 3}, clock=TurnableClock(frozen=True)))
        index = caller.emulator.index("new" if since == "made" else "orders")
        if index.exists:
            index.write(BEFORE)
        backup_id = caller.emulator.add_snapshot("old-one")
        SINCE[since](index)
        caller.restore(backup_id, replace_exist_indices=overwrite)
        caller.advance(2)
        assert index.documents() == (BEFORE if said == "as in the snapshot" else AFTER)
        assert caller.emulator.restores()[0].status == ("failed" if "fails" in said else "success")


@pytest.mark.parametrize(("call", "body", "what"), HOW_TO.table("call"))
def test_a_call_is_there(call: str, body: str, what: str) -> None:
    """Each row is answered well by an emulator that has the index and the document."""
    emulator = CssEmulator(indices={"orders": 3})
    emulator.index("orders").write(BEFORE)
    method, path = call.strip("`").split()
    for place, value in {"{id}": emulator.cluster_id, "{index}": "orders", "{key}": "1"}.items():
        path = path.replace(place, value)
    reply = emulator.handle(Request(method, path, body=body.strip("`").encode()))
    assert (reply.status, bool(what)) == (200, True)


def test_the_bounds_are_those_of_the_emulator() -> None:
    """The page names the numbers that are enforced."""
    said = HOW_TO.text
    assert f"{documents.MOST_DOCUMENTS:,} documents of {documents.LARGEST_DOCUMENT_BYTES // 1024} KiB each" in said
    assert f"in {documents.MOST_INDICES:,} indices" in said
