"""
Planted secrets are looked for in everything that a task leaves behind, and found nowhere.

The secret key, the security token and the signature are recognisable. The emulator repeats the token in its refusals,
as the real gateway does with what it was sent.
"""

from __future__ import annotations

import base64
import os
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from airflow_css.client.auth import AkSkAuth
from airflow_css.client.clock import SystemClock
from airflow_css.client.credentials import Credentials
from airflow_css.emulator.exchange import Request
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssError
from tests.running import Outcome
from tests.task_log import reading_the_log
from tests.world import World, new_world

SECRET = "SECRETKEYofTheTestSuite0123456789abcdefg"
TOKEN = "TOKENofTheTestSuite/MIIabc+def=="
SIGNATURE = re.compile(r"Signature=[0-9a-f]{64}")
WRITTEN = (SECRET, TOKEN, base64.b64encode(SECRET.encode()).decode(), base64.b64encode(TOKEN.encode()).decode())


def _leaks(text: str) -> list[str]:
    """Return which secrets a text holds, whole or without its last characters."""
    found = [secret for secret in WRITTEN if secret[:-3] in text]
    return [*found, *SIGNATURE.findall(text)]


@contextmanager
def _world(**options: Any) -> Iterator[World]:
    with new_world(secret_key=SECRET, security_token=TOKEN, **options) as world:
        yield world


ECHO = f"Incorrect IAM authentication information: token {TOKEN} of {SECRET} is refused"
CANONICAL = f"verify aksk signature fail, canonicalRequest:POST|/v1.0|x-security-token:{TOKEN}|{SECRET}"


def _answer(status: int, code: str, message: str = ECHO, **match: Any) -> Callable[[World], None]:
    return lambda world: world.emulator.faults.answer(status, code, message=message, times=None, **match)


def _with_another_secret(world: World) -> None:
    """Sign with a secret that the emulator refuses, so that it repeats the request it saw."""
    connection = world.emulator.connection_json().replace(SECRET, SECRET[::-1])
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = connection


# Each one makes a task fail, with whatever the server knows of the secrets in its answer.
FAILURES: dict[str, Callable[[World], None]] = {
    "gateway echo": _with_another_secret,
    "401 with the token": _answer(401, "APIGW.0301"),
    "401 with the request": _answer(401, "APIGW.0301", CANONICAL),
    "403 of the service": _answer(403, "CSS.0010"),
    "400 in another shape": lambda w: w.emulator.faults.answer(
        400, body=f'{{"error": {{"message": "{ECHO}", "title": "{TOKEN}"}}}}', times=None
    ),
    "code that is a secret": _answer(400, TOKEN),
    "500 page": lambda w: w.emulator.faults.answer(500, body=f"<html>{ECHO}</html>", times=None),
    "not JSON": lambda w: w.emulator.faults.answer(200, body=ECHO, times=None),
    "request id": lambda w: w.emulator.faults.answer(
        400, body=f'{{"errCode": "CSS.0001", "request_id": "{TOKEN}"}}', times=None
    ),
    "redirect": lambda w: w.emulator.faults.redirect(f"http://127.0.0.1:1/{TOKEN}", times=None),
    "dropped": lambda w: w.emulator.faults.drop(times=None),
    "while waiting": _answer(401, "APIGW.0301", call="list_snapshots"),
    "looks without an answer": lambda w: w.emulator.faults.answer(
        500, "CSS.0005", message=ECHO, call="list_snapshots", times=None
    ),
    "a failed snapshot": lambda w: w.emulator.faults.fate("failed"),
}


def _written_by(error: BaseException | None) -> str:
    """Return everything that may be printed of an error and of those behind it."""
    parts: list[str] = []
    while error is not None:
        parts += [str(error), repr(error), str(error.args), "".join(traceback.format_exception(error))]
        parts.append(repr(vars(error)))
        if isinstance(error, CssError):
            parts += [pickle.dumps(error, 0).decode("latin-1"), pickle.dumps(error).decode("latin-1")]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


def _left_behind(world: World, outcome: Outcome, log: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    printed = capsys.readouterr()
    return {
        "log": log,
        "stdout and stderr": printed.out + printed.err,
        "error": _written_by(outcome.error),
        "xcom": repr(outcome.xcom),
        "emulator": repr(world.emulator.requests) + repr(world.emulator.snapshots()),
    }


@pytest.mark.parametrize("spoil", FAILURES.values(), ids=FAILURES)
def test_a_failed_task_leaves_no_secret_behind(
    spoil: Callable[[World], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Log, output, error, pickle, XCom and the emulator's list of requests hold no secret, even if an answer did."""
    with _world() as world:
        spoil(world)
        with reading_the_log() as log:
            outcome = world.run(retries=1)
        assert outcome.error is not None
        # Once more without reading the log, so that Airflow's own way of printing is in the output.
        again = world.run(retries=1)
        left = _left_behind(world, outcome, log.text, capsys)
        left["error again"] = _written_by(again.error)
    assert left["stdout and stderr"]
    assert {place: _leaks(text) for place, text in left.items() if _leaks(text)} == {}


def test_a_good_task_leaves_no_secret_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """A task that succeeds writes no secret either."""
    with _world() as world:
        with reading_the_log() as log:
            outcome = world.run()
        world.run()
        left = _left_behind(world, outcome, log.text, capsys)
    assert outcome.state == "success"
    assert {place: _leaks(text) for place, text in left.items() if _leaks(text)} == {}


def test_nothing_that_holds_a_secret_prints_it() -> None:
    """Hook, settings, client, sender, auth and emulator keep the secrets out of their texts."""
    with _world() as world:
        hook, client = CssHook(), world.client
        client.list_snapshots(world.emulator.cluster_id)
        credentials = Credentials("AKID", SECRET, TOKEN)
        objects = {
            "hook": hook,
            "settings": hook.settings,
            "client": client,
            "client of the hook": hook.get_conn(),
            "credentials": credentials,
            "auth": AkSkAuth(credentials, world.emulator.project_id, SystemClock()),
            "emulator": world.emulator,
            "operator": world.operator(),
            "tested": hook.test_connection(),
        }
        sender = vars(client)
        shown = {name: f"{thing!r} {thing}" for name, thing in {**objects, **sender}.items()}
    assert {name: _leaks(text) for name, text in shown.items() if _leaks(text)} == {}


@pytest.mark.parametrize("broken", ["password", "security_token"])
def test_a_secret_that_cannot_be_used_is_not_shown_in_the_message(
    broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in the connection's secrets is explained without repeating them."""
    with _world() as world:
        spoilt = {"password": (SECRET, SECRET + "\\n\\u0416"), "security_token": (TOKEN, TOKEN + " and a blank")}[
            broken
        ]
        os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = world.emulator.connection_json().replace(*spoilt)
        with reading_the_log() as log:
            outcome = world.run(retries=1)
        left = _left_behind(world, outcome, log.text, capsys)
    assert outcome.state == "failed"
    assert {place: _leaks(text) for place, text in left.items() if _leaks(text)} == {}


def test_the_test_button_shows_no_secret() -> None:
    """The answer of the form's Test button holds no secret, also when the gateway repeated the request."""
    with _world() as world:
        _with_another_secret(world)
        is_good, text = CssHook().test_connection()
    assert not is_good
    assert _leaks(text) == []


def test_the_emulator_s_request_prints_no_header_and_no_body() -> None:
    """What the emulator keeps of a request cannot be printed by accident."""
    request = Request("POST", "/", body=SECRET.encode())
    assert _leaks(repr(request)) == []


@pytest.mark.parametrize(
    "leak",
    [
        f"key {SECRET} in a line",
        f"X-Security-Token: {TOKEN}",
        f"cut off {TOKEN[:-2]}",
        f"SDK-HMAC-SHA256 Access=AKID, SignedHeaders=host, Signature={'0a' * 32}",
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_leak_on_purpose_is_found(leak: str) -> None:
    """The search finds a secret that is there, whole, cut or encoded."""
    assert _leaks(leak)


def test_a_task_that_leaks_on_purpose_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """A DAG that writes a secret into names and words is caught in the log, in the error and in what CSS lists."""
    with _world() as world:
        with reading_the_log() as log:
            world.run(snapshot_name=SECRET, description=f"with {TOKEN[:-2]}")
            outcome = world.run(indices=f"of {SECRET}")
        left = _left_behind(world, outcome, log.text, capsys)
    assert outcome.state == "failed"
    assert _leaks(left["log"]) == [SECRET]
    assert _leaks(left["error"]) == [SECRET]
    assert _leaks(left["emulator"]) == [TOKEN]
