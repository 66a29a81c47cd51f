"""
Mistakes of users: what they gave, and what they are told.

Every row is played as a task with a retry. It must fail at once, without a single request, and its message must name
the value, the rule and a legal value, which is then given back to the same check. ``pytest -rP`` prints the table.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssConfigError, CssError, CssUsageError
from tests.task_log import reading_the_log
from tests.world import World


def _message(world: World, given: object, **parameters: Any) -> CssError:
    """Play a task that must fail before anything is sent, print the row, and return our error."""
    with reading_the_log() as log:
        outcome = world.run(retries=1, **parameters)
    assert outcome.state == "failed", outcome
    assert isinstance(outcome.error, AirflowFailException)
    error = outcome.error.__cause__
    assert isinstance(error, CssError)
    assert str(outcome.error) == str(error)
    assert world.emulator.requests == ()
    assert log[-1].text.startswith("Cluster: not known. Snapshot: none that this try knows of. Run: ")
    print(f"{given!r:60.60} | {error}")  # noqa: T201 - the table is for people
    return error


LONG_LIST = [f"orders-{number:04}" for number in range(200)]
BAD_PARAMETERS: list[tuple[str, Any, str]] = [
    ("snapshot_name", "a", "4 to 64 characters"),
    ("snapshot_name", "!!!", "4 to 64 characters"),
    ("snapshot_name", "", "rendered to an empty text"),
    ("snapshot_name", "{{ '' }}", "rendered to an empty text"),
    ("snapshot_name", "  ", "rendered to an empty text"),
    ("snapshot_name", "{{ none }}", "rendered to the word None"),
    ("snapshot_name", "{{ params.get('missing') }}", "rendered to the word None"),
    ("snapshot_name", "{{ ['a'] }}", "a list printed as text"),
    ("snapshot_name", ["orders"], "a list where one value is needed"),
    ("cluster_id", ["4f3deec3-efa8-4598-bf91-560aad1377a3"], "a list where one value is needed"),
    ("description", ["a", "b"], "a list where one value is needed"),
    ("description", "a < b", "'<' at position 3 is forbidden"),
    ("description", "it's", '"\'" at position 3 is forbidden'),
    ("description", "back\\slash", "at position 5 is forbidden"),
    ("description", "two\nlines", "at position 4 is forbidden"),
    ("description", "x" * 201, "at most 200 characters, this one has 201"),
    ("description", "{{ none }}", "rendered to the word None"),
    ("description", "", "rendered to an empty text"),
    ("indices", "Orders", "'O' is forbidden"),
    ("indices", "or ders", "' ' is forbidden"),
    ("indices", "a,,b", "every item needs a name"),
    ("indices", ["a", ""], "rendered to an empty text"),
    ("indices", ["a", None], "rendered to nothing"),
    ("indices", [], "rendered to nothing"),
    ("indices", "", "rendered to an empty text"),
    ("indices", "{{ none }}", "rendered to the word None"),
    ("indices", "{{ ['a', 'b'] }}", "render_template_as_native_obj=True"),
    ("indices", ["a|b"], "'|' is forbidden"),
    ("indices", LONG_LIST, "2,399 characters in 200 items, at most 1,024 are allowed; use a pattern, or several tasks"),
    ("cluster_id", "search-prod", "a name goes into cluster_name"),
    ("cluster_id", "", "rendered to an empty text"),
    ("cluster_id", "{{ none }}", "rendered to the word None"),
    ("cluster_id", "4f3deec3-efa8-4598-bf91-560aad1377a3/..", "a UUID of 36 characters"),
    ("cluster_name", " ", "rendered to an empty text"),
    ("cluster_name", "none", "rendered to the word none"),
    ("css_conn_id", "", "name a connection"),
    ("css_conn_id", "{{ none }}", "name a connection"),
    ("on_existing", "replace", "one of adopt, fail, new"),
    ("on_existing", None, "one of adopt, fail, new"),
    ("timeout", 0, "a number of seconds, at least 1"),
    ("timeout", "90", "a number of seconds, at least 1"),
    ("timeout", None, "a number of seconds, at least 1"),
    ("timeout", float("inf"), "a number of seconds, at least 1"),
    ("timeout", float("nan"), "a number of seconds, at least 1"),
    ("turn_timeout", -1, "a number of seconds, at least 0"),
    ("turn_timeout", True, "a number of seconds, at least 0"),
    ("poll_interval", 0, "a number of seconds, at least 1"),
    ("poll_interval", 0.5, "a number of seconds, at least 1"),
]
NUMBERS = {"timeout", "turn_timeout", "poll_interval"}


def _shown(given: Any) -> str:
    """Return how a message shows a value: as it was rendered."""
    if isinstance(given, str) and "{{" in given:
        return {"{{ '' }}": "''", "{{ ['a'] }}": "['a']", "{{ ['a', 'b'] }}": "['a', 'b']"}.get(given, "None")
    return ",".join(given) if given is LONG_LIST else repr(given[0] if given == ["a|b"] else given)


@pytest.mark.parametrize(("name", "given", "rule"), BAD_PARAMETERS, ids=lambda value: f"{value!r:.30}")
def test_a_bad_parameter_is_explained_with_one_that_works(world: World, name: str, given: Any, rule: str) -> None:
    """A bad value costs no request, is shown with its rule, and the legal value beside it is accepted."""
    error = _message(world, given, **{name: given})

    assert isinstance(error, CssUsageError)
    assert _shown(given) in str(error)
    assert rule in str(error)
    assert repr(error.legal) in str(error)
    legal = float(error.legal) if name in NUMBERS else error.legal
    if name == "cluster_name":
        world.emulator.add_cluster(error.legal)
    parameters: dict[str, Any] = {"wait_for_completion": False, name: legal}
    again = world.run(**parameters)
    assert again.error is None, repr(again.error)


@pytest.mark.parametrize(
    ("field", "template"),
    [
        ("snapshot_name", "{{ none }}"),
        ("description", "{{ none }}"),
        ("indices", "{{ none }}"),
        ("indices", "{{ [] }}"),
        ("indices", "{{ ['a', none] }}"),
        ("cluster_id", "{{ none }}"),
        ("cluster_name", "{{ none }}"),
        ("css_conn_id", "{{ none }}"),
    ],
)
def test_a_native_template_that_comes_to_nothing_is_a_mistake(world: World, field: str, template: str) -> None:
    """Rendered natively to ``None`` or to an empty list, a field does not silently mean the default."""
    error = _message(world, template, is_native=True, **{field: template})
    assert isinstance(error, CssUsageError)
    assert "it was rendered to nothing" in str(error)


def test_a_cluster_is_named_in_one_way(world: World) -> None:
    """Naming a cluster by id and by name at once is refused before either is looked up."""
    error = _message(world, "both", cluster_id=world.emulator.cluster_id, cluster_name="search-dev")
    assert "the cluster_id is given too, and only one of them may be; leave one out" in str(error)


Change = Callable[[dict[str, Any], str], None]


def _extra(key: str, value: object = None) -> Change:
    return lambda connection, example: connection["extra"].update({key: example if value is None else value})


def _field(key: str, value: object = None) -> Change:
    return lambda connection, example: connection.update({key: example if value is None else value})


def _without(*keys: str) -> Change:
    def change(connection: dict[str, Any], _example: str) -> None:
        for key in keys:
            connection.pop(key, None)
            connection["extra"].pop(key, None)

    return change


def _both(one: Change, other: Change) -> Change:
    def change(connection: dict[str, Any], example: str) -> None:
        one(connection, example)
        other(connection, example)

    return change


LOCAL = "http://127.0.0.1:1"
QUOTED_LAST = r".*'([^']+)'"
# What is wrong; what the message must hold; where its example stands; how the example is given back.
BAD_CONNECTIONS: dict[str, tuple[Change, str, str, Change]] = {
    "no region and no endpoint": (_without("host", "region"), "neither where to send", QUOTED_LAST, _extra("region")),
    "a region that is none": (
        _both(_without("host"), _extra("region", "Nowhere!")),
        "'Nowhere!' is not a region id",
        r"example: '([^']+)'",
        _extra("region"),
    ),
    "no project": (_without("project_id"), "has no project", QUOTED_LAST, _extra("project_id")),
    "a project that is none": (
        _extra("project_id", "my-project"),
        "'my-project' cannot be used: a project id has 32",
        QUOTED_LAST,
        _extra("project_id"),
    ),
    "a cluster that is none": (
        _extra("cluster_id", "search-prod"),
        "'search-prod' cannot be used: a cluster id is a UUID",
        QUOTED_LAST,
        _extra("cluster_id"),
    ),
    "no keys": (
        _without("login", "password"),
        "has no keys",
        "(access key)",
        _both(_field("login", "a"), _field("password", "b")),
    ),
    "half a key": (_without("password"), "has the access key but not the secret key", "(password)", _field("password")),
    "the other half": (_without("login"), "has the secret key but not the access key", "(login)", _field("login")),
    "plain http": (
        _field("host", "http://css.example.com"),
        "'http://css.example.com' is not encrypted",
        r"Use '([^']+)'",
        _field("host"),
    ),
    "an endpoint with a path": (
        _field("host", "css.example.com/v1.0"),
        "'css.example.com/v1.0' has more than a host and a port",
        QUOTED_LAST,
        _field("host"),
    ),
    "an endpoint that is none": (
        _field("host", "ftp://css.example.com"),
        "neither https nor http",
        QUOTED_LAST,
        _field("host"),
    ),
    "a misspelt key": (
        _both(_without("region"), _extra("regoin", "cn-north-4")),
        "'regoin', which is no known key",
        r"Did you mean '([^']+)'",
        lambda connection, example: connection["extra"].update({example: connection["extra"].pop("regoin")}),
    ),
    "a time-out that is none": (
        _extra("timeout_seconds", "soon"),
        "is 'soon'; it is a number from 1 to 600",
        r"example (\d+)",
        _extra("timeout_seconds"),
    ),
    "a time-out out of range": (
        _extra("timeout_seconds", 0.2),
        "is '0.2'; it is a number from 1 to 600",
        r"example (\d+)",
        _extra("timeout_seconds"),
    ),
    "a key with a line break": (_field("login", "AK\nAK"), "a line break", "(access key)", _field("login", "AKAK")),
}


@pytest.mark.parametrize("row", BAD_CONNECTIONS.values(), ids=BAD_CONNECTIONS)
def test_a_bad_connection_is_explained_with_one_that_works(
    world: World, row: tuple[Change, str, str, Change], request: pytest.FixtureRequest
) -> None:
    """A mistake in the connection costs no request, is explained, and the example beside it mends it."""
    spoil, words, where, mend = row
    connection = json.loads(world.emulator.connection_json())
    spoil(connection, "")
    _connect(connection)

    error = _message(world, request.node.callspec.id)

    assert isinstance(error, CssConfigError)
    assert words in str(error)
    found = re.search(where, str(error), re.DOTALL)
    assert found is not None, str(error)
    mend(connection, found.group(1))
    _connect(connection)
    assert CssHook().settings.endpoint


def _connect(connection: Mapping[str, Any]) -> None:
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps(connection)


def test_a_missing_connection_is_explained_with_the_variable_that_adds_it(world: World) -> None:
    """A connection that does not exist is named, with the variable that would add it, and that one is read."""
    error = _message(world, "css_conn_id='nowhere'", css_conn_id="nowhere")
    assert isinstance(error, CssConfigError)
    found = re.search(r"AIRFLOW_CONN_\w+", str(error))
    assert found is not None
    os.environ[found.group()] = world.emulator.connection_json()
    assert world.run(css_conn_id="nowhere", wait_for_completion=False).state == "success"


def test_an_unknown_key_of_the_connection_is_ignored_with_a_warning(world: World) -> None:
    """A key that resembles none is a warning that lists the known ones; the task goes on."""
    world.connect(colour="blue")
    with reading_the_log() as log:
        assert world.run(wait_for_completion=False).state == "success"
    (line,) = set(log.having("'colour'", "warning"))
    assert "is not known and is ignored. Known are: region, project_id" in line.text
