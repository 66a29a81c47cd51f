"""The body of a creation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.callers import Caller, refusal, signed_request


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
