"""Each example DAG loads, and ends as its table says, by Airflow's own ``dag.test()`` against the emulator."""

from __future__ import annotations

import ast
import runpy
from importlib.metadata import version
from pathlib import Path

import pytest

from airflow_css.demo import example_dags
from airflow_css.emulator import CssEmulator
from tests.examples.playing import EXAMPLES, SECRET_KEY, TOKEN, Example, places_of_secrets, play

BY_FILE = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
PLAYED = [example for example in EXAMPLES if not example.asks]
# One stands for all in the quick suite: each costs the start of an Airflow.
QUICK_FIRST = pytest.mark.parametrize(
    "example",
    [PLAYED[0], *(pytest.param(example, marks=pytest.mark.heavy) for example in PLAYED[1:])],
    ids=[example.file for example in PLAYED],
)


def test_the_table_names_every_file() -> None:
    """No example is without its declared end, and none that is declared is missing."""
    assert sorted(example.file for example in EXAMPLES) == sorted(path.name for path in example_dags().glob("*.py"))


@BY_FILE
def test_an_example_explains_itself_and_never_runs_itself(example: Example) -> None:
    """Its docstring says what it shows, needs and brings; Airflow imports it often, so it starts nothing by itself."""
    tree = ast.parse((example_dags() / example.file).read_text())
    docstring = ast.get_docstring(tree) or ""

    assert [word for word in ("Shows:", "Needs:", "You will see:") if word not in docstring] == []
    assert "dag.test" not in ast.unparse(tree)


def _ends_as_declared(example: Example, home: Path, deferrable: str) -> None:
    with CssEmulator(creation_takes=0.5, secret_key=SECRET_KEY, security_token=TOKEN) as emulator:
        for number in range(example.before):
            emulator.add_snapshot(f"by-hand-{number}")
        example.prepare(emulator)
        played = play(example.file, home, emulator.connection_json(), AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE=deferrable)

        assert played.outcome.get("state") == example.ends, played.output
        assert len(emulator.snapshots()) == example.before + example.snapshots
        assert example.found(emulator) == example.left
        if example.task:
            value = played.outcome["xcoms"][example.task]["return_value"]
            assert (value["id"] if isinstance(value, dict) else value) == emulator.snapshots()[0].id
    assert places_of_secrets(played) == []


@QUICK_FIRST
def test_an_example_ends_as_declared(example: Example, tmp_path: Path) -> None:
    """A run ends in the declared state, its XComs name what CSS has, and nothing that was written holds a secret."""
    _ends_as_declared(example, tmp_path, deferrable="False")


@pytest.mark.heavy
@QUICK_FIRST
def test_an_example_ends_as_declared_when_it_defers(example: Example, tmp_path: Path) -> None:
    """The same holds when every task that can defers."""
    _ends_as_declared(example, tmp_path, deferrable="True")


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.asks], ids=lambda example: example.file)
def test_an_example_that_asks_a_human_defines_its_dag_from_its_minimum_on(example: Example) -> None:
    """It loads on every version, and has its DAG with the asking task where Airflow can ask."""
    names = runpy.run_path(str(example_dags() / example.file))
    is_new_enough = tuple(int(part) for part in version("apache-airflow").split(".")[:2]) >= example.minimum
    assert ("dag" in names) is is_new_enough
    assert not is_new_enough or names["dag"].has_task(example.asks)
