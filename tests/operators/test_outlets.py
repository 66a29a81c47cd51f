"""What a create task tells the assets among its outlets, on every path that ends it, and which outlets it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_css.assets.css import css_asset
from airflow_css.protocol.errors import CssUsageError
from tests.running import Outcome, TaskRun
from tests.world import World

OTHER = "0f3deec3-efa8-4598-bf91-560aad1377a3"
ELSEWHERE = Asset(uri="s3://bucket/key")


def _outlets(world: World) -> list[Any]:
    return [css_asset(world.emulator.cluster_id, "orders_"), ELSEWHERE]


def _in_the_worker(world: World) -> Outcome:
    return world.run(outlets=_outlets(world))


def _deferred(world: World) -> Outcome:
    return world.play(outlets=_outlets(world), deferrable=True)


def _after_a_turn(world: World) -> Outcome:
    world.emulator.add_snapshot("strangers", status="BUILDING", takes=500)
    return world.play(outlets=_outlets(world), deferrable=True)


def _adopted(world: World) -> Outcome:
    world.run()
    return world.run(TaskRun(try_number=2), outlets=_outlets(world))


def _adopted_before_a_deferral(world: World) -> Outcome:
    world.run()
    return world.run(TaskRun(try_number=2), outlets=_outlets(world), deferrable=True)


PATHS = [_in_the_worker, _deferred, _after_a_turn, _adopted, _adopted_before_a_deferral]


@pytest.mark.parametrize("play", PATHS)
def test_the_event_names_the_backup_on_every_path(world: World, play: Callable[[World], Outcome]) -> None:
    """In the worker, resumed, and adopted: the extra is what the XComs say, and other outlets stay untouched."""
    outcome = play(world)

    assert outcome.state == "success", outcome.error
    uri = f"css://{world.emulator.cluster_id}/orders_"
    assert list(outcome.events) == [uri]
    assert outcome.events[uri] == {
        key: outcome.xcom[key] for key in ("backup_id", "snapshot_name", "cluster_id", "snapshot")
    }
    assert outcome.events[uri]["snapshot"]["status"] == "COMPLETED"


def test_a_failed_snapshot_tells_nothing(world: World) -> None:
    """Before the end nothing is written, so a snapshot that fails leaves no word for anybody."""
    world.emulator.faults.fate("failed")
    outcome = world.run(outlets=_outlets(world))
    assert (outcome.state, outcome.events) == ("failed", {})


def test_a_task_without_outlets_of_ours_touches_no_event(world: World) -> None:
    """Neither no outlet nor one of another scheme makes an event of its own."""
    assert world.run().events == {}
    assert world.run(dag_id="other", outlets=[ELSEWHERE]).events == {}


@pytest.mark.parametrize(
    ("outlet", "parameters", "rule"),
    [
        (css_asset(OTHER, "orders-"), {}, "its event would tell of a backup of that cluster"),
        (
            css_asset("4f3deec3-efa8-4598-bf91-560aad1377a3", "customers-"),
            {},
            "let snapshot_name begin with 'customers-', or let the outlet stand for any name",
        ),
        (
            css_asset("4f3deec3-efa8-4598-bf91-560aad1377a3"),
            {"wait_for_completion": False},
            "which a task with wait_for_completion=False does not know",
        ),
    ],
)
def test_an_outlet_that_says_more_than_is_proven_is_refused(
    world: World, outlet: Any, parameters: dict[str, Any], rule: str
) -> None:
    """Another cluster, other names, or an end that nobody waits for: refused before anything is sent."""
    outcome = world.run(outlets=[outlet], **parameters)
    assert outcome.state == "failed"
    assert isinstance(outcome.error.__cause__ if outcome.error else None, CssUsageError)
    assert rule in str(outcome.error)
    assert world.emulator.requests == ()
