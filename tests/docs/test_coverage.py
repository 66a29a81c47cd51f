"""The page that says how sure everything is: it speaks of the calls, fields, words and codes that the code knows."""

from __future__ import annotations

import inspect
import re

import pytest

from airflow_css.doctor.assumptions import ASSUMPTIONS
from airflow_css.emulator.calls import EMULATED, NOT_EMULATED
from airflow_css.emulator.iam import IAM_CALLS
from airflow_css.emulator.identity_faults import IDENTITY_CALLS
from airflow_css.emulator.metadata import METADATA_CALLS
from airflow_css.emulator.rules import OpenRules
from airflow_css.protocol import parsing, wire
from airflow_css.protocol.models import SnapshotStatus
from tests.docs.code_table import code_rows, status_rows
from tests.docs.markdown import page

COVERAGE = page("docs/coverage.md")
CODES = COVERAGE.table("code")
STATUSES = COVERAGE.table("HTTP")
SURENESS = ("verified", "seen", "documented", "assumed", "follows")
TABLES = {
    "calls": ("call", "## Calls"),
    "what is sent": ("call", "### What is sent"),
    "a snapshot's fields": ("field", "### What is read of a snapshot"),
    "a cluster's fields": ("field", "### What is read of a cluster"),
    "the policy's fields": ("field", "### What is read of the policy"),
    "a snapshot's words": ("word", ""),
    "behaviour": ("statement", "## Behaviour"),
    "the probe": ("looked at", "## What the probe looks at"),
    "signing": ("statement", "## Signing"),
    "calls for keys": ("call", "## Where keys come from"),
    "fields of keys": ("field", "## Where keys come from"),
    "behaviour about keys": ("statement", "## Where keys come from"),
    "shapes of errors": ("shape", ""),
    "codes": ("code", ""),
    "the emulator's calls": ("call", "## The emulator"),
    "the emulator's behaviour": ("behaviour", ""),
}


def _words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _row(key: str, cells: tuple[str, ...]) -> str:
    return " | ".join((key, *cells))


@pytest.mark.parametrize("name", TABLES)
def test_every_line_says_how_sure_it_is(name: str) -> None:
    """The last cell of each line begins with one of the words that the page explains."""
    first, below = TABLES[name]
    rows = COVERAGE.table(first, below=below)
    assert [row for row in rows if not row[-1].startswith(SURENESS)] == []


def test_the_codes_are_those_of_the_code() -> None:
    """Each error code has one line, in the order of the code's table, with what the code does about it."""
    shown = [_row(row[0].strip("`"), (row[2], *row[3:7])) for row in CODES]
    assert shown == [_row(code, cells) for code, cells in code_rows().items()]


def test_the_statuses_are_those_of_the_code() -> None:
    """Each HTTP status that is understood without a code has one line."""
    assert [_row(row[0], tuple(row[1:])) for row in STATUSES] == [_row(*item) for item in status_rows().items()]


@pytest.mark.parametrize("row", CODES, ids=lambda row: row[0].strip("`"))
def test_the_source_of_a_code_is_explained(row: list[str]) -> None:
    """A short name in brackets stands in the list of sources."""
    known = {source[0] for source in COVERAGE.table("short name")}
    named = [name.strip() for part in re.findall(r"\(([^)]+)\)", row[-1]) for name in part.split(",")]
    assert set(named) <= known
    assert re.fullmatch(r"\d{3}( or \d{3})?", row[1])


def test_the_calls_are_those_of_the_client() -> None:
    """Each call has one line with its method, its path and the status that means success."""
    shown = [(row[0].strip("`"), row[1].strip("`"), row[2]) for row in COVERAGE.table("call", below="## Calls")]
    assert shown == [(call.name, f"{call.method} {call.template}", str(call.ok)) for call in wire.CALLS]


@pytest.mark.parametrize(
    ("below", "parsers"),
    [
        ("### What is read of a snapshot", (parsing.parse_created, parsing.parse_snapshot)),
        ("### What is read of a cluster", (parsing.parse_cluster,)),
        ("### What is read of the policy", (parsing.parse_policy,)),
    ],
)
def test_the_fields_are_those_that_are_read(below: str, parsers: tuple[object, ...]) -> None:
    """A table of fields names exactly the keys that the code looks up."""
    source = "".join(inspect.getsource(parser) for parser in parsers)  # type: ignore[arg-type]  # all are functions
    looked_up = re.findall(r'(?:text|number|flag|epoch_ms|zoneless|part|fields\.get|_with_id)\("(\w+)"', source)
    shown = {
        part for row in COVERAGE.table("field", below=below) for name in _words(row[0]) for part in name.split(".")
    }
    assert shown == set(looked_up)


def test_the_words_of_a_snapshot_are_all_there() -> None:
    """Each state that the code knows has one line."""
    shown = [word for row in COVERAGE.table("word") for word in _words(row[0])]
    assert set(shown) == {status.value for status in SnapshotStatus} - {SnapshotStatus.UNKNOWN.value}


def test_the_page_counts_the_emulated_calls() -> None:
    """The further calls are all on the page, and what is refused with 501 is none of them."""
    rows = COVERAGE.table("call", below="## The emulator")
    shown = [(row[0].strip("`"), row[1].strip("`"), row[2]) for row in rows]
    more = EMULATED[len(wire.CALLS) :]
    assert EMULATED[: len(wire.CALLS)] == wire.CALLS
    assert shown == [(call.name, f"{call.method} {call.template}", str(call.ok)) for call in more]
    assert "and six more" in COVERAGE.text
    assert len(more) == 6
    assert not {call.name for call in NOT_EMULATED} & {call.name for call in EMULATED}


def test_the_calls_for_keys_are_those_of_the_emulator() -> None:
    """Each call that can be struck has one line, with the request that the emulator knows it by."""
    rows = COVERAGE.table("call", below="## Where keys come from")
    assert [row[0].strip("`") for row in rows] == list(IDENTITY_CALLS)
    requests = {"get_pod_credentials": "POST"}
    requests |= {name: " ".join(key) for key, name in (IAM_CALLS | METADATA_CALLS).items()}
    assert [_words(row[1])[0] for row in rows] == [requests[name] for name in IDENTITY_CALLS]


def test_every_option_of_the_emulator_has_its_line() -> None:
    """Each rule that the documentation leaves open is on the page, with what is assumed."""
    named = {word for row in COVERAGE.table("behaviour") for word in _words(row[1])}
    assert named == set(OpenRules.__annotations__)


def test_the_probe_walks_the_lines_of_its_table() -> None:
    """What the probe looks at, and what is assumed of it, stands on the page as in the code, in the same order."""
    shown = [(row[0], row[1]) for row in COVERAGE.table("looked at")]
    assert shown == [(assumption.question, assumption.assumed) for assumption in ASSUMPTIONS]
