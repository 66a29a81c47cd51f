"""Which cluster is meant, what is checked before anything is sent, and what a rendered value may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_css.protocol.errors import CssConfigError, CssUsageError
from tests.running import TaskRun, run_task
from tests.task_log import reading_the_log
from tests.world import World, new_world

MANY = 150
OTHER = "0f3deec3-efa8-4598-bf91-560aad1377a3"


@pytest.fixture
def crowded() -> Iterator[World]:
    """A project with more clusters than one page of the list holds, in which snapshots take no time."""
    with new_world(clusters=[f"cluster-{number:03}" for number in range(MANY)], creation_takes=0) as world:
        yield world


@pytest.mark.parametrize("number", [0, 75, MANY - 1])
def test_a_cluster_is_found_by_its_name_on_any_page(crowded: World, number: int) -> None:
    """The name of a cluster finds it wherever it stands in the list."""
    outcome = crowded.run(cluster_name=f"cluster-{number:03}")
    assert outcome.state == "success"
    (snapshot,) = crowded.emulator.snapshots(outcome.xcom["cluster_id"])
    assert snapshot.cluster_name == f"cluster-{number:03}"
    assert crowded.emulator.count("list_clusters") == 2


def test_a_part_of_a_name_is_no_name(world: World) -> None:
    """An unknown name fails at once, names the ones that are visible and the project, and creates nothing."""
    outcome = world.run(cluster_name="search", retries=1)
    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssConfigError)
    assert "'search'" in str(outcome.error)
    assert "Visible are: search-dev." in str(outcome.error)
    assert world.emulator.project_id in str(outcome.error)
    assert world.emulator.count("create_snapshot") == 0


def test_a_name_of_two_clusters_tells_their_ids(world: World) -> None:
    """Where two clusters have one name, the task fails at once and offers the ids, one of which then works."""
    world.emulator.add_cluster("search-dev", OTHER)
    outcome = world.run(cluster_name="search-dev", retries=1)
    assert outcome.state == "failed"
    assert outcome.error is not None
    cause = outcome.error.__cause__
    assert isinstance(cause, CssUsageError)
    assert OTHER in str(cause)
    assert world.emulator.cluster_id in str(cause)
    assert world.run(cluster_id=cause.legal, wait_for_completion=False).state == "success"


def test_the_connection_has_a_default_cluster(world: World) -> None:
    """A task that names no cluster uses the connection's, which costs no further call."""
    outcome = world.run(wait_for_completion=False)
    assert outcome.xcom["cluster_id"] == world.emulator.cluster_id
    assert world.emulator.count("list_clusters") == 0


def test_a_task_s_cluster_goes_before_the_connection_s(world: World) -> None:
    """The cluster of the task counts, whatever the connection says."""
    world.emulator.add_cluster("other", OTHER)
    outcome = world.run(cluster_id=OTHER, wait_for_completion=False)
    assert outcome.xcom["cluster_id"] == OTHER
    assert len(world.emulator.snapshots(OTHER)) == 1


def test_no_cluster_at_all_is_a_mistake(world: World) -> None:
    """Without a cluster anywhere the task fails at once and says where one can be named."""
    world.connect(cluster_id=None)
    outcome = world.run(retries=1)
    assert outcome.state == "failed"
    assert "Set cluster_id or cluster_name of the task, or the extra 'cluster_id'" in str(outcome.error)
    assert world.emulator.requests == ()


def test_blanks_around_items_go_and_the_order_stays(world: World) -> None:
    """An index list given as a list or as text is sent without blanks and in its order, so exclusions count."""
    world.run(indices=[" * ", "-orders-2026-10 "])
    assert sorted(world.emulator.snapshots()[0].indices) == [".kibana", "customers", "orders-2026-11"]


def test_the_same_indices_as_list_and_as_text_are_the_same_request(world: World) -> None:
    """A retry whose DAG writes the same index list in another way adopts what the first try made."""
    first = world.run(indices=["orders-*", "customers"])
    again = world.run(TaskRun(try_number=2), indices="orders-*, customers")
    assert first.xcom["backup_id"] == again.xcom["backup_id"]


def test_only_a_none_of_the_dag_means_the_default(world: World) -> None:
    """``None`` for indices and description backs up everything, with nothing but the mark and who made it."""
    world.run(indices=None, description=None)
    (snapshot,) = world.emulator.snapshots()
    assert len(snapshot.indices) == 4
    assert snapshot.description.startswith("/orders_etl/backup manual__2026-11-23 [af1 ")


def test_templates_of_every_field_are_rendered(world: World) -> None:
    """Cluster, name, indices, description and connection may all be templates."""
    world.emulator.add_cluster("other", OTHER)
    with reading_the_log() as log:
        outcome = world.run(
            cluster_id="{{ '" + OTHER + "' }}",
            snapshot_name="of-{{ run_id }}",
            indices=["{{ 'orders' }}-*"],
            description="before {{ ti.task_id }}",
            css_conn_id="css_{{ 'default' }}",
        )
    assert outcome.error is None
    (snapshot,) = world.emulator.snapshots(OTHER)
    assert snapshot.name == "of-manual__2026-11-23"
    assert sorted(snapshot.indices) == ["orders-2026-10", "orders-2026-11"]
    assert snapshot.description.startswith("before backup /orders_etl/backup")
    assert "{{" not in log.text


def test_a_templated_cluster_name_is_looked_up(world: World) -> None:
    """The cluster's name may be a template as well."""
    outcome = world.run(cluster_name="search-{{ 'dev' }}", wait_for_completion=False)
    assert outcome.xcom["cluster_id"] == world.emulator.cluster_id


@pytest.mark.parametrize("field", ["indices", "cluster_name", "description"])
def test_a_none_among_mapped_values_is_a_missing_value(world: World, field: str) -> None:
    """Where a DAG expands over a parameter, a None is refused instead of meaning the default: perhaps everything."""
    kind = type(world.operator())
    with DAG("mapped", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
        mapped: Any = kind.partial(task_id="backup").expand(**{field: ["x", None]})
    outcome = run_task(mapped.unmap({field: None}), TaskRun(map_index=1))

    assert outcome.state == "failed"
    assert f"The {field} None cannot be used: it was rendered to nothing" in str(outcome.error)
    assert world.emulator.count("create_snapshot") == 0
