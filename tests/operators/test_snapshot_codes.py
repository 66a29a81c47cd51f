"""Every status and every error code of CSS, answered to the creation: what Airflow makes of it, and how many POSTs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_css.emulator import CssEmulator
from airflow_css.protocol.codes import CODE_RULES, STATUS_RULES, Rule
from airflow_css.protocol.errors import (
    CssApiError,
    CssAuthError,
    CssConfigError,
    CssConflictError,
    CssRefusedError,
    CssServerError,
)
from tests.running import Outcome, TaskRun
from tests.world import World, new_world

CODES = [(rule, code) for rule in CODE_RULES for code in rule.codes]
SENDER_TRIES = 4
MOST_CREATIONS = 4
_numbers = itertools.count()


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    """One world for all rows of a table; each row plays a run of its own."""
    with new_world() as world:
        yield world


@pytest.fixture(autouse=True)
def _nothing_is_left_of_the_last_row(shared: World) -> None:
    """The environment is put back after each test, so the connection is written anew; and no fault is left."""
    shared.connect()
    shared.emulator.faults.clear()


def _play(world: World, **parameters: object) -> tuple[Outcome, int]:
    """Play the first try of a new run, and count its creations."""
    before = world.emulator.count("create_snapshot")
    run = TaskRun(run_id=f"manual__{next(_numbers)}")
    outcome = world.run(run, retries=1, **parameters)
    return outcome, world.emulator.count("create_snapshot") - before


def _error(outcome: Outcome) -> CssApiError:
    """Return our error, also when it stands behind Airflow's."""
    is_wrapped = isinstance(outcome.error, AirflowFailException)
    error = outcome.error.__cause__ if is_wrapped and outcome.error else outcome.error
    assert isinstance(error, CssApiError)
    return error


def _expected_posts(rule: Rule) -> int:
    """The sender repeats what was certainly not done; after an open fate, and a taken name, a look comes between."""
    if rule.write_repeats:
        return SENDER_TRIES
    return MOST_CREATIONS if issubclass(rule.error, CssServerError | CssConflictError) else 1


def test_201_is_a_success(shared: World) -> None:
    """The status 201 with an id makes the task succeed after one creation."""
    outcome, posts = _play(shared)
    assert (outcome.state, posts) == ("success", 1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, CssRefusedError), (403, CssAuthError), (406, CssRefusedError), (501, CssRefusedError)],
)
def test_a_refusal_that_no_retry_cures_fails_at_once(shared: World, status: int, kind: type[CssApiError]) -> None:
    """The statuses 400, 403, 406 and 501 fail the task without a retry, although it has one, after one creation."""
    shared.emulator.faults.answer(status, call="create_snapshot", times=None)

    outcome, posts = _play(shared)

    assert (outcome.state, posts) == ("failed", 1)
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, kind)
    assert str(outcome.error) == str(outcome.error.__cause__)
    assert f"HTTP {status}" in str(outcome.error)


def test_500_before_the_effect_is_looked_after_and_repeated(shared: World) -> None:
    """After a 500 without effect the list is read, the creation repeated, and the task succeeds."""
    shared.emulator.faults.answer(500, call="create_snapshot")
    looks = shared.emulator.count("list_snapshots")

    outcome, posts = _play(shared, wait_for_completion=False)

    assert (outcome.state, posts) == ("success", 2)
    calls = [seen.call for seen in shared.emulator.requests]
    first = len(calls) - 1 - calls[::-1].index("create_snapshot")
    assert calls[first - 2 : first + 1] == ["create_snapshot", "list_snapshots", "create_snapshot"]
    assert shared.emulator.count("list_snapshots") - looks == 1


def test_500_after_the_effect_is_looked_after_and_adopted(shared: World) -> None:
    """After a 500 that hid a success the snapshot is found in the list, and no second one is made."""
    shared.clock.sleep(300)
    shared.emulator.faults.answer(500, call="create_snapshot", when="after")

    outcome, posts = _play(shared)

    assert (outcome.state, posts) == ("success", 1)
    assert outcome.xcom["backup_id"] == shared.emulator.snapshots()[0].id


def test_500_that_stays_leaves_the_task_to_its_retry(shared: World) -> None:
    """A 500 that stays ends in Airflow's own retry, with our error as it is."""
    shared.emulator.faults.answer(500, call="create_snapshot", times=None)

    outcome, posts = _play(shared)

    assert (outcome.state, posts) == ("up_for_retry", MOST_CREATIONS)
    assert isinstance(outcome.error, CssServerError)


@pytest.mark.parametrize(("rule", "code"), CODES, ids=[code for _, code in CODES])
def test_each_code_has_the_outcome_of_its_row(shared: World, rule: Rule, code: str) -> None:
    """A creation answered with a code ends as the code's row says: error, retry or failure, number of creations."""
    shared.emulator.faults.answer(400, code, call="create_snapshot", times=None)

    outcome, posts = _play(shared, turn_timeout=0)

    assert type(_error(outcome)) is rule.error
    assert _error(outcome).reply.code == code
    assert outcome.state == ("up_for_retry" if rule.curable else "failed")
    assert isinstance(outcome.error, AirflowFailException) is not rule.curable
    assert posts == _expected_posts(rule)


@pytest.mark.parametrize("status", STATUS_RULES)
def test_each_status_without_a_code_has_the_outcome_of_its_row(shared: World, status: int) -> None:
    """A creation answered with a bare status ends as the status's row says."""
    rule = STATUS_RULES[status]
    shared.emulator.faults.answer(status, call="create_snapshot", times=None)

    outcome, posts = _play(shared, turn_timeout=0)

    assert type(_error(outcome)) is rule.error
    assert outcome.state == ("up_for_retry" if rule.curable else "failed")
    assert posts == _expected_posts(rule)


WAITED_FOR = [(rule, code) for rule, code in CODES if rule.waits]


@pytest.mark.parametrize(("rule", "code"), WAITED_FOR, ids=[code for _, code in WAITED_FOR])
@pytest.mark.parametrize("status", [202, 409])
def test_each_busy_code_is_waited_for(shared: World, rule: Rule, code: str, status: int) -> None:
    """A row that waits makes the operator try again later and succeed, with the documented status and the seen one."""
    assert rule.curable
    shared.clock.sleep(300)
    shared.emulator.faults.answer(status, code, call="create_snapshot")

    outcome, posts = _play(shared, wait_for_completion=False)

    assert (outcome.state, posts) == ("success", 2)


def _reads(emulator: CssEmulator) -> int:
    return emulator.count("list_snapshots")


@pytest.mark.parametrize(("rule", "code"), CODES, ids=[code for _, code in CODES])
def test_a_read_is_repeated_when_its_row_says_so(shared: World, rule: Rule, code: str) -> None:
    """The sender repeats a read answered with a code exactly when the row says ``read_repeats``."""
    shared.emulator.faults.answer(400, code, call="list_snapshots")
    before = _reads(shared.emulator)

    if rule.read_repeats:
        shared.client.list_snapshots(shared.emulator.cluster_id)
    else:
        with pytest.raises(rule.error):
            shared.client.list_snapshots(shared.emulator.cluster_id)

    assert _reads(shared.emulator) - before == (2 if rule.read_repeats else 1)


@pytest.mark.parametrize("status", [*STATUS_RULES, 500, 502, 503, 504])
def test_a_bare_status_repeats_a_read_when_its_row_says_so(shared: World, status: int) -> None:
    """The sender repeats a read after 429 and after the server errors that pass, and after no other status."""
    repeats = status in {429, 500, 502, 503, 504}
    shared.emulator.faults.answer(status, call="list_snapshots")
    before = _reads(shared.emulator)

    if repeats:
        shared.client.list_snapshots(shared.emulator.cluster_id)
    else:
        with pytest.raises(CssApiError):
            shared.client.list_snapshots(shared.emulator.cluster_id)

    assert _reads(shared.emulator) - before == (2 if repeats else 1)


@pytest.mark.parametrize("code", ["APIGW.0101", "APIGW.0103", "APIG.0101"])
def test_a_wrong_endpoint_is_a_mistake_in_the_connection(shared: World, code: str) -> None:
    """The gateway's word that it knows no such call fails the task at once, and points at host and region."""
    shared.emulator.faults.answer(404, code, call="create_snapshot", times=None)

    outcome, posts = _play(shared)

    assert (outcome.state, posts) == ("failed", 1)
    assert outcome.error is not None
    assert isinstance(outcome.error.__cause__, CssConfigError)
    assert "Check host and region" in str(outcome.error)


@pytest.mark.parametrize(("status", "state"), [(400, "failed"), (413, "failed"), (500, "up_for_retry")])
def test_a_code_of_many_meanings_leaves_the_word_to_the_status(shared: World, status: int, state: str) -> None:
    """A code without a row, such as APIGW.0201, is judged by the status that it came with."""
    shared.emulator.faults.answer(status, "APIGW.0201", call="create_snapshot", times=None)

    outcome, _ = _play(shared)

    assert outcome.state == state
