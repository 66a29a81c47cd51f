"""Whatever stands in a connection: an answer or an error of ours, no strange host, and no secret shown."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Connection
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st

from airflow_css.client.clock import SystemClock
from airflow_css.hooks.css import CssHook
from airflow_css.hooks.form import EXTRA_FIELDS
from airflow_css.hooks.settings import ConnectionSettings, read_settings
from airflow_css.protocol.errors import CssError
from tests.security.detecting import PLANTED, shown_by, strangers
from tests.task_log import reading_the_log

PROJECT = "6204a5bd270343b5885144cf9c8c158d"
SECRETS = {"password", "security_token", "proxy"}
SIGNS = st.text(st.sampled_from("az09-_.:/@#?%\\[]{}\r\n\t \x00é。") | st.characters(), max_size=12)
TRICKS = st.sampled_from(
    [
        "127.0.0.1:9",
        "http://127.0.0.1:9",
        "https://localhost:9",
        "//elsewhere.example.com",
        "css.example.com@elsewhere.example.com",
        "css.example.com#@elsewhere.example.com",
        "css.example.com\\@elsewhere.example.com",
        "css.example.com%2f@elsewhere.example.com",
        "css.example.com\r\nHost: elsewhere.example.com",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "cn-north-4.elsewhere.example.com/",
        "cn-north-3",
        "../../v3/auth/tokens",
        "4f3deec3-efa8-4598-bf91-560aad1377a3/../..",
    ]
)
TEXTS = TRICKS | SIGNS
ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.lists(SIGNS, max_size=2)
    | st.dictionaries(SIGNS, SIGNS, max_size=2)
)
ANYTHING = TEXTS | ODD
EXTRAS = {field.name: TEXTS | ANYTHING for field in EXTRA_FIELDS}
FIELDS = {
    "login": st.just("AKID") | TEXTS | st.none(),
    "password": TEXTS.map(lambda text: PLANTED + text),
    "host": TEXTS | st.none(),
    "schema": st.sampled_from(["http", "https", "ftp", "", None]) | SIGNS,
    "port": st.none() | st.integers(-1, 70_000),
}
PUBLIC = "myhuaweicloud.com"
GOOD = {"region": "cn-north-4", "project_id": PROJECT}


class _HastyClock(SystemClock):
    def sleep(self, seconds: float) -> None:
        """Lose no time between tries."""


class HastyHook(CssHook):
    """A hook whose retries cost no time."""

    clock = _HastyClock()


@st.composite
def connections(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the fields of a connection, most of them good, so that what is wrong with one is reached."""
    spoilt = draw(st.sets(st.sampled_from([*FIELDS, *EXTRAS]), max_size=3))
    extra = dict(GOOD) | {name: draw(EXTRAS[name]) for name in EXTRAS if name in spoilt}
    for name in SECRETS & set(extra):
        if isinstance(extra[name], str):
            extra[name] = f"{PLANTED}{extra[name]}" if name != "proxy" else f"http://user:{PLANTED}{extra[name]}@proxy"
    fields: dict[str, Any] = {"login": "AKID", "password": PLANTED, "host": None, "schema": None, "port": None}
    fields |= {name: draw(FIELDS[name]) for name in FIELDS if name in spoilt}
    return {"conn_type": "huaweicloud_css", **fields, "extra": json.dumps(extra)}


def _use(fields: dict[str, Any]) -> tuple[CssHook, ConnectionSettings | None, Any, str]:
    """Return the hook, what the connection says, what came of its use, and its log."""
    try:
        connection = Connection(conn_id="css_default", **fields)
    except UnicodeError:
        # Airflow 2 encrypts at once, and takes no half a character.
        reject()

    class Hook(HastyHook):
        @classmethod
        def get_connection(cls, conn_id: str) -> Any:  # noqa: ARG003 - there is one
            return connection

    hook = Hook()
    with reading_the_log() as log:
        try:
            outcome: Any = hook.test_connection()
            hook.get_conn()
        except CssError as error:
            outcome = (outcome, error)
    return hook, _said_by(connection), outcome, log.text


def _said_by(connection: Connection) -> ConnectionSettings | None:
    """Return what a connection says by itself: a hook knows it only once the project was found, too."""
    try:
        return read_settings(connection)
    except CssError:
        return None


def _judge(fields: dict[str, Any], contacts: list[tuple[str, Any]], refused: list[str]) -> None:
    contacts.clear()
    hook, configured, outcome, log = _use(fields)
    urls = (configured.endpoint, configured.rules.proxy, configured.iam_endpoint) if configured else ()
    assert strangers(contacts, *urls) == set()
    if configured and (fields["host"] or "").strip():
        assert configured.endpoint.split("://")[1].strip("[]").rsplit(":", 1)[0].strip("[]") in fields["host"].lower()
    is_guessed = json.loads(fields["extra"]).get("iam_endpoint") is None
    if configured and configured.iam_endpoint and is_guessed:
        assert configured.iam_endpoint in {f"https://iam.{GOOD['region']}.{PUBLIC}", f"https://iam.{PUBLIC}"}
    assert PLANTED not in shown_by(hook, configured, *outcome, log)
    # They were meant for the configured host, or the line above would have failed.
    refused.clear()


QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
FIRST: dict[str, Any] = {"conn_type": "huaweicloud_css", "login": "AKID", "host": None, "schema": None, "port": None}


@QUICK
@given(connections())
@example({**FIRST, "password": PLANTED, "extra": json.dumps({**GOOD, "verify": False})})
@example({**FIRST, "password": PLANTED + "\ud800", "extra": json.dumps(GOOD)})
@example({**FIRST, "password": PLANTED, "host": f"u:{PLANTED}/x@css.example.com", "extra": json.dumps(GOOD)})
def test_a_connection_leads_where_it_says_or_nowhere(
    contacts: list[tuple[str, Any]], refused: list[str], fields: dict[str, Any]
) -> None:
    """No field of any kind raises what is not of our tree, reaches a host not named, or shows a secret."""
    _judge(fields, contacts, refused)


@pytest.mark.heavy
@settings(max_examples=2_000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(connections())
def test_many_connections_lead_where_they_say_or_nowhere(
    contacts: list[tuple[str, Any]], refused: list[str], fields: dict[str, Any]
) -> None:
    """The same holds for thousands."""
    _judge(fields, contacts, refused)


WORDS = ["5", "true", "null", '["x"]', '{"a": 1}', "1.5", '""']


@pytest.mark.parametrize("value", WORDS)
@pytest.mark.parametrize("name", ["login", "password", "host", "schema", "extra"])
def test_a_field_of_another_type_is_read_or_refused(name: str, value: str, refused: list[str]) -> None:
    """A connection of the environment may hold any JSON in any field: what comes of it is an answer of ours."""
    fields = {"conn_type": "huaweicloud_css", "login": "AKID", "password": PLANTED, "extra": GOOD}
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps({**fields, name: json.loads(value)})
    answer: Any
    try:
        answer = shown_by(HastyHook().test_connection())
    except (AttributeError, TypeError, ValueError) as error:
        # Airflow itself does not take such a field: the frames of ours are not the last ones.
        answer = shown_by(error)
        assert "airflow_css" not in answer.rpartition('File "')[2]
    assert PLANTED not in answer
    refused.clear()


def test_a_strange_host_would_be_seen(contacts: list[tuple[str, Any]], refused: list[str]) -> None:
    """The detector notices a host that nobody configured, by name and by address, and another port."""
    import contextlib
    import socket

    for address in [("elsewhere.example.com", 443), ("127.0.0.1", 9), ("192.0.2.1", 443)]:
        contacts.clear()
        with contextlib.suppress(OSError):
            socket.create_connection(address, timeout=1)
        assert address in strangers(contacts, "https://css.example.com")
        assert strangers(contacts, f"https://{address[0]}:{address[1]}") == set()
    refused.clear()


def test_a_shown_secret_would_be_seen() -> None:
    """The detector finds a secret in an error, in what is behind it, and in what it carries."""
    behind = ValueError(f"login {PLANTED}")
    error = CssError("nothing")
    error.__cause__ = behind
    carrying = CssError("nothing")
    carrying.__dict__["note"] = PLANTED
    assert all(PLANTED in shown_by(thing) for thing in (behind, error, carrying, (False, PLANTED)))
    assert PLANTED not in shown_by(CssError("nothing"))
