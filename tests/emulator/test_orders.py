"""The body of a creation, and which indices it means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.emulator.index_lists import select_indices
from tests.emulator.callers import Caller, refusal, signed_request

PRESENT = {"orders-1": 3, "orders-2": 2, "customers": 1, ".kibana": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "abc"},
        {"name": "a" * 65},
        {"name": "1abc"},
        {"name": "Abcd"},
        {"name": "ab.cd"},
        {"name": "abcd\n"},
        {"name": None},
        {"name": 1234},
        {},
        {"name": "abcd", "description": "a" * 257},
        *({"name": "abcd", "description": f"a {c}"} for c in "!<>=&\"'\\"),
        {"name": "abcd", "description": 1},
        {"name": "abcd", "indices": "a" * 1025},
        *({"name": "abcd", "indices": f"a{c}"} for c in '"\\<|>/? A\t'),
        {"name": "abcd", "indices": ["a"]},
        ["abcd"],
        "abcd",
    ],
)
def test_what_breaks_a_documented_rule_is_refused(caller: Caller, body: Any) -> None:
    """A creation with a bad field is answered 400 CSS.0001 with the detail in parentheses, and makes nothing."""
    reply = caller.send("POST", _path(caller), body)
    assert refusal(reply) == (400, "CSS.0001")
    assert reply.json()["externalMessage"].startswith("CSS.0001 : Incorrect parameters. (")
    assert caller.listed() == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": "abcd"},
        {"name": "a" * 64},
        {"name": "a-_9"},
        {"name": "abcd", "description": "é" * 256},
        {"name": "abcd", "description": None, "indices": None},
        {"name": "abcd", "description": "", "indices": ""},
        {"name": "abcd", "indices": "a" * 1024},
        {"name": "abcd", "indices": "2018-06*,-tmp-*"},
        {"name": "abcd", "comment": "not a field"},
    ],
)
def test_what_keeps_the_rules_is_granted(caller: Caller, body: Any) -> None:
    """A creation just inside the rules is answered 201."""
    assert caller.send("POST", _path(caller), body).status == 201


@pytest.mark.parametrize(
    ("body", "code"), [(b"", "CSS.0006"), (b" ", "CSS.0006"), (b"{", "CSS.0001"), (b"\xff", "CSS.0001")]
)
def test_a_body_that_is_no_json_is_refused(caller: Caller, body: bytes, code: str) -> None:
    """An empty body is told from one that cannot be read."""
    reply = caller.emulator.handle(signed_request(caller.emulator, "POST", _path(caller), body))
    assert refusal(reply) == (400, code)


def _path(caller: Caller) -> str:
    return f"/v1.0/{caller.emulator.project_id}/clusters/{caller.emulator.cluster_id}/index_snapshot"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("", list(PRESENT)),
        ("*", list(PRESENT)),
        ("_all", list(PRESENT)),
        ("orders-*", ["orders-1", "orders-2"]),
        ("customers,orders-1", ["orders-1", "customers"]),
        ("*,-orders-*", ["customers", ".kibana"]),
        ("-orders-*,*", list(PRESENT)),
        ("orders-[12]", []),
        ("nothing-*", []),
        ("missing,customers", ["customers"]),
    ],
)
def test_an_index_list_means_these_indices(wanted: str, chosen: list[str]) -> None:
    """Names, patterns and exclusions choose indices in the cluster's order, each with its shards."""
    assert select_indices(wanted, PRESENT) == {name: PRESENT[name] for name in chosen}


@given(
    st.lists(st.sampled_from(["*", "a*", "-a*", "ab", "-ab", "b", "zz"]), max_size=5),
    st.sets(st.text("ab", min_size=1)),
)
def test_only_what_is_present_is_chosen_and_the_last_word_counts(items: list[str], names: set[str]) -> None:
    """Whatever is asked for, the choice is part of the cluster, and repeating the last item changes nothing."""
    present = dict.fromkeys(sorted(names), 1)
    wanted = ",".join(items)
    chosen = select_indices(wanted, present)
    assert chosen.items() <= present.items()
    assert select_indices(",".join([*items, *items[-1:]]), present) == chosen
