"""The names of snapshots as real rendering gives them: for every kind of run, mapped or not, and by templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.utils.types import DagRunType

from airflow_css.protocol.errors import CssConflictError
from tests.running import LOGICAL_DATE, TaskRun
from tests.task_log import reading_the_log
from tests.world import World, new_world

RULE = re.compile(r"[a-z][a-z0-9_-]{3,63}")
KINDS = [str(kind.value) for kind in DagRunType]


@pytest.fixture
def quick() -> Iterator[World]:
    """A world in which a snapshot takes no time."""
    with new_world(creation_takes=0) as world:
        yield world


def _run(kind: str = "manual", **fields: Any) -> TaskRun:
    return TaskRun(**{"run_id": f"{kind}__2026-11-23T00:00:00+00:00", "run_type": kind, **fields})


def _name(world: World, run: TaskRun | None = None, **parameters: Any) -> str:
    """Play one try and return the name of its snapshot."""
    outcome = world.run(run, **parameters)
    assert outcome.error is None, repr(outcome.error)
    return str(outcome.xcom["snapshot_name"])


@pytest.mark.parametrize("map_index", [-1, 0, 7], ids=["plain", "first of a map", "later in a map"])
@pytest.mark.parametrize("logical_date", [LOGICAL_DATE, None], ids=["dated", "dateless"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_run_has_a_legal_name_that_a_retry_keeps(
    quick: World, kind: str, logical_date: datetime | None, map_index: int
) -> None:
    """Whatever the kind of run, dated or not, plain or mapped, the name is legal and the same on a retry."""
    run = _run(kind, logical_date=logical_date, map_index=map_index)
    retry = _run(kind, logical_date=logical_date, map_index=map_index, try_number=2)

    name = _name(quick, run)

    assert RULE.fullmatch(name)
    assert name.startswith("orders_etl-20261123t000000z-" if logical_date else "orders_etl-20261123t090909z-")
    assert _name(quick, retry) == name
    assert [snapshot.name for snapshot in quick.emulator.snapshots()] == [name]


def test_names_differ_between_runs_tasks_dags_and_deployments(quick: World) -> None:
    """Whatever else differs in a run of the same moment gives another name."""
    names = [
        _name(quick),
        _name(quick, _run(run_id="manual__other")),
        _name(quick, _run("scheduled")),
        _name(quick, _run(map_index=0)),
        _name(quick, _run(map_index=1)),
        _name(quick, task_id="backup_again"),
        _name(quick, dag_id="Orders.ETL"),
    ]
    for deployment in ("dev", "prod"):
        quick.connect(deployment=deployment)
        names.append(_name(quick))
    assert len(set(names)) == len(names) == quick.emulator.count("create_snapshot")


def test_the_deployment_may_come_from_the_configuration(quick: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option of the deployment's own configuration counts like the connection's, which goes before it."""
    quick.connect(deployment="dev")
    by_connection = _name(quick)
    quick.connect()
    monkeypatch.setenv("AIRFLOW__AIRFLOW_CSS__DEPLOYMENT", "dev")
    # The same name from another place: the snapshot is this task's own, so a retry adopts it.
    assert _name(quick, TaskRun(try_number=2)) == by_connection
    quick.connect(deployment="prod")
    assert _name(quick) != by_connection


def test_a_task_expanded_over_200_items_makes_200_snapshots(quick: World) -> None:
    """Two hundred mapped instances of one run have two hundred legal names, and each finds its own again."""
    ids = {}
    for index in range(200):
        outcome = quick.run(_run(map_index=index), wait_for_completion=False)
        ids[outcome.xcom["snapshot_name"]] = outcome.xcom["backup_id"]
    assert len(ids) == 200
    assert all(RULE.fullmatch(name) for name in ids)
    assert len(quick.emulator.snapshots()) == 200
    for index in (0, 99, 199):
        again = quick.run(_run(map_index=index, try_number=2), wait_for_completion=False)
        assert ids[again.xcom["snapshot_name"]] == again.xcom["backup_id"]
    assert len(quick.emulator.snapshots()) == 200


@pytest.mark.parametrize(
    "dag_id", ["ETL", "9-to-5", "отчёт", "a" * 250, "a.b-c_d", "---", "Ü", "orders_etl__" * 10, "1" * 60]
)
def test_every_dag_id_gives_a_legal_name(quick: World, dag_id: str) -> None:
    """A DAG id of any kind that Airflow allows leads to a legal name that ends in moment and fingerprint."""
    name = _name(quick, dag_id=dag_id)
    assert RULE.fullmatch(name)
    assert re.search(r"-20261123t000000z-[0-9a-f]{8}$", name)


def test_a_capital_letter_of_a_template_is_folded_and_told(quick: World) -> None:
    """``ts_nodash`` has a capital T: the name is made legal, used on every try, and the change is logged."""
    template = "Orders {{ ts_nodash }}!"
    with reading_the_log() as log:
        name = _name(quick, snapshot_name=template)
    assert name == "orders-20261123t000000"
    assert log.having("'Orders 20261123T000000!' is not legal", "info")
    assert log.having("'orders-20261123t000000' is used", "info")
    assert _name(quick, TaskRun(try_number=2), snapshot_name=template) == name
    assert quick.emulator.count("create_snapshot") == 1


def test_a_legal_name_is_used_as_it_is(quick: World) -> None:
    """A template that renders to a legal name is neither changed nor spoken of."""
    with reading_the_log() as log:
        assert _name(quick, snapshot_name="orders_{{ ti.task_id }}-{{ ti.map_index + 2 }}") == "orders_backup-1"
    assert log.having("is not legal") == []


def test_a_callable_may_name_the_snapshot(quick: World) -> None:
    """A callable gets Airflow's context and the Jinja environment, and what it returns is folded like a template."""

    def name_it(context: Any, jinja_env: Any) -> str:
        assert jinja_env.from_string("{{ 1 + 1 }}").render() in ("2", 2)
        return f"Before {context['ti'].task_id} of {context['run_id']}"

    assert _name(quick, snapshot_name=name_it) == "before-backup-of-manual__2026-11-23"


@pytest.mark.parametrize(
    ("parameters", "name", "indices", "words"),
    [
        ({"snapshot_name": "{{ 20261123 }}"}, "s-20261123", None, ""),
        ({"snapshot_name": "{{ 'a' * 4 }}", "indices": "{{ ['orders-*', 'customers'] }}"}, "aaaa", "o,o,c", ""),
        ({"snapshot_name": "{{ ['x', 'y'][0] * 5 }}", "indices": "{{ ('customers',) }}"}, "xxxxx", "c", ""),
        ({"snapshot_name": "lists", "indices": ["{{ 'orders-*' }}", "customers"]}, "lists", "o,o,c", ""),
        ({"snapshot_name": "number", "description": "{{ 42 }}"}, "number", None, "42"),
        ({"snapshot_name": "float", "description": "{{ 4.5 }}"}, "float", None, "4.5"),
        ({"snapshot_name": "bool", "description": "{{ true }}"}, "bool", None, "True"),
    ],
)
def test_native_rendering_gives_lists_and_numbers(
    quick: World, parameters: dict[str, Any], name: str, indices: str | None, words: str
) -> None:
    """With ``render_template_as_native_obj`` lists and numbers of templates are taken for what they are."""
    assert _name(quick, is_native=True, **parameters) == name
    (snapshot,) = quick.emulator.snapshots()
    expected = ["c", "o", "o"] if indices == "o,o,c" else [indices] if indices else [".", "c", "o", "o"]
    assert sorted(index[0] for index in snapshot.indices) == expected
    assert snapshot.description.startswith(words)


def test_an_index_list_that_is_a_number_names_one_index(quick: World) -> None:
    """A template for the indices that renders natively to a number stands for the index of that name."""
    quick.emulator.change_cluster(indices={"2026": 1, "2025": 1})
    _name(quick, is_native=True, indices="{{ 2026 }}")
    assert quick.emulator.snapshots()[0].indices == ("2026",)


def test_the_name_of_another_run_is_refused_with_a_way_to_differ(quick: World) -> None:
    """A template that renders to another run's name fails at once, says whose it is, and offers one that differs."""
    _name(quick, _run(run_id="manual__first"), snapshot_name="nightly")

    outcome = quick.run(_run(run_id="manual__second"), retries=1, snapshot_name="nightly")

    assert outcome.state == "failed"
    assert isinstance(outcome.error, AirflowFailException)
    assert isinstance(outcome.error.__cause__, CssConflictError)
    text = str(outcome.error)
    assert "made by this task in another run" in text
    assert "manual__first" in text
    (template,) = re.findall(r"for example '([^']+)'", text)
    assert _name(quick, _run(run_id="manual__second"), snapshot_name=template) != "nightly"


def test_a_moment_of_another_zone_is_shown_in_utc(quick: World) -> None:
    """The name shows the logical date in UTC, whatever zone the run was given in."""
    import pendulum

    berlin = pendulum.datetime(2026, 11, 23, 1, tz="Europe/Berlin")
    assert berlin == datetime(2026, 11, 23, tzinfo=UTC)
    assert "-20261123t000000z-" in _name(quick, TaskRun(logical_date=berlin))
