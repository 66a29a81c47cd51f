"""The how-to for the operator: its tables are those of the code, its programs run."""

from __future__ import annotations

import ast
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_css.emulator import CssEmulator
from airflow_css.operators.snapshot import CreateSnapshotOperator
from airflow_css.protocol.errors import CssConfigError
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.names import fold_name
from airflow_css.protocol.waiting import Expectations, Verdict, judge_created
from airflow_css.triggers.progress import Progress
from airflow_css.version_compat import AIRFLOW_V_3_3_PLUS
from tests.docs.markdown import Block, page
from tests.parameters import parameters_of
from tests.running import TaskRun, run_task
from tests.world import World

HOW_TO = page("docs/how-to/create-snapshot.md")
IMPORT, NAMED, MAPPED, POLICY, IN_A_TASK, SCRIPT = HOW_TO.blocks("python")
PROGRESS = HOW_TO.blocks("text")[0]
PARAMETERS = HOW_TO.table("parameter")


def _backup_of(block: Block, folder: Path) -> Any:
    """Run a program that defines one DAG, and return its task ``backup``."""
    before = block.run(folder, {"with DAG(": "with (dag := DAG(", ", catchup=False):": ", catchup=False)):"})
    return before["dag"].get_task("backup")


def test_the_import_gives_the_operator(tmp_path: Path) -> None:
    """The page begins with the line that imports it."""
    assert IMPORT.run(tmp_path)["CreateSnapshotOperator"] is CreateSnapshotOperator


def test_the_parameters_are_those_of_the_operator() -> None:
    """Each parameter has one line with its default, and those marked with T are the templates."""
    taken = parameters_of(CreateSnapshotOperator)
    shown = {re.findall(r"`(\w+)`", row[0])[0]: row[1] for row in PARAMETERS}
    assert set(shown) == set(taken)
    literals = {name: ast.literal_eval(cell.strip("`")) for name, cell in shown.items() if cell.startswith("`")}
    assert {name: literals.get(name) for name in shown} == {name: taken[name].default for name in shown}
    templates = [row[0] for row in PARAMETERS if row[0].endswith(" T")]
    assert templates == [f"`{name}` T" for name in CreateSnapshotOperator.template_fields]


def test_the_retry_policy_is_set_or_refused_as_the_page_says(tmp_path: Path) -> None:
    """From Airflow 3.3 on the task has the policy; before, the DAG says so while it is parsed."""
    if AIRFLOW_V_3_3_PLUS:
        assert type(_backup_of(POLICY, tmp_path).retry_policy).__name__ == "CssRetryPolicy"
    else:
        with pytest.raises(CssConfigError, match=r"needs Airflow 3\.3 or later"):
            _backup_of(POLICY, tmp_path)


@pytest.mark.parametrize(("rendered", "name"), [(row[0], row[1]) for row in HOW_TO.table("rendered")])
def test_a_name_is_folded_as_shown(rendered: str, name: str) -> None:
    """What a template rendered to becomes the name beside it."""
    assert fold_name(rendered.strip("`")) == name.strip("`")


def test_the_example_of_a_default_name_is_one(world: World) -> None:
    """The name that the page shows has the shape of the one that a run of that DAG gets."""
    made = world.run(dag_id="orders_etl").xcom["snapshot_name"]
    shown = re.findall(r"for example `(orders_etl-[^`]+)`", HOW_TO.text)
    assert [name.rpartition("-")[0] for name in shown] == [made.rpartition("-")[0]]


@pytest.mark.parametrize("run_type", ["manual", "asset_triggered"])
def test_the_template_names_every_run(run_type: str, tmp_path: Path, world: World) -> None:
    """The template of the page renders with a logical date, to the name shown, and without one."""
    date = datetime(2026, 11, 23, tzinfo=UTC) if run_type == "manual" else None
    world.emulator.faults.fate("completed", takes=0)
    outcome = run_task(_backup_of(NAMED, tmp_path), TaskRun(run_type=run_type, logical_date=date))
    assert outcome.error is None
    shown = re.findall(r"This makes `([^`]+)`", HOW_TO.text)
    assert shown == ["orders-20261123t000000"]
    assert (outcome.xcom["snapshot_name"] in shown) is (date is not None)


def test_mapped_instances_make_a_snapshot_each(tmp_path: Path) -> None:
    """Each instance of the mapped task backs up its own cluster under its own name."""
    with CssEmulator(clusters=["search-dev", "search-prod"], creation_takes=0) as emulator:
        os.environ.update(emulator.connection_env())
        mapped = _backup_of(MAPPED, tmp_path)
        outcomes = [
            run_task(mapped.unmap({"cluster_name": name}), TaskRun(map_index=index))
            for index, name in enumerate(["search-dev", "search-prod"])
        ]
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert len({outcome.xcom["snapshot_name"] for outcome in outcomes}) == 2
    assert len({outcome.xcom["cluster_id"] for outcome in outcomes}) == 2


def test_the_xcoms_are_those_that_are_pushed(world: World) -> None:
    """Each XCom has one line, in the order of pushing, and the facts have the keys and types shown."""
    outcome = world.run()
    assert [row[0].strip("`") for row in HOW_TO.table("key")] == list(outcome.xcom)
    (block,) = HOW_TO.blocks("json")
    shown, pushed = json.loads(block.text), outcome.xcom["snapshot"]
    assert [(key, type(value)) for key, value in shown.items()] == [(k, type(v)) for k, v in pushed.items()]


class _Recorder:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str, /, *args: Any) -> None:
        self.lines.append(message % args)

    debug = warning = error = info


def test_the_progress_reads_as_shown() -> None:
    """The operator's log of a snapshot that takes about as long as usual is the one on the page."""
    name, snapshot_id = re.findall(r"Snapshot (\S+) \((\S+)\)", PROGRESS.text)[0]
    began = datetime(2026, 11, 23, tzinfo=UTC)
    ended = Snapshot(
        snapshot_id,
        name,
        SnapshotStatus.COMPLETED,
        "COMPLETED",
        started_at=began,
        ended_at=began + timedelta(minutes=15),
    )
    building = Snapshot(snapshot_id, name, SnapshotStatus.BUILDING, "BUILDING", started_at=began)
    log = _Recorder()
    progress = Progress(name, snapshot_id, log)
    for snapshot, age in ((building, 0), (building, 540), (ended, 900)):
        progress.tell(snapshot, age, 840)
    assert log.lines == PROGRESS.text.splitlines()


ASKED_FOR = Expectations("orders-*")
OPTIONS = {
    "allow_partial=True": Expectations("orders-*", allow_partial=True),
    "fail_if_empty=False": Expectations("orders-*", fail_if_empty=False),
}


def _listed(status: str, failed_shards: int = 0, indices: tuple[str, ...] = ("orders-1",), shards: int = 3) -> Snapshot:
    return Snapshot("1", "n", SnapshotStatus(status), status, "", indices, shards, failed_shards)


STATES = {
    "`COMPLETED`, no shard failed": [_listed("COMPLETED")],
    "`COMPLETED` or `PART_FAILED`, some shards failed": [_listed("COMPLETED", 1), _listed("PART_FAILED", 1)],
    "`COMPLETED`, no shards at all": [_listed("COMPLETED", 0, (), 0)],
    "`COMPLETED`, but no index for a name or pattern that you asked for": [_listed("COMPLETED", indices=("logs",))],
    "`FAILED`": [_listed("FAILED")],
    "a word that is not known": [_listed("POLISHING")],
}
VERDICTS = {"succeeds": Verdict.GOOD, "fails": Verdict.FAILED, "waits on, with a warning": Verdict.WAIT}


@pytest.mark.parametrize("state", STATES)
def test_what_counts_as_good_is_as_shown(state: str) -> None:
    """Each state has the end that the page tells, without and with the option that it names."""
    told = {row[0]: row[1] for row in HOW_TO.table("CSS says")}[state]
    usual, _, otherwise = told.partition("; succeeds with ")
    for snapshot in STATES[state]:
        assert judge_created(snapshot, ASKED_FOR).verdict is VERDICTS[usual]
        for option, expected in OPTIONS.items():
            is_named = option == otherwise.strip("`")
            assert (judge_created(snapshot, expected).verdict is Verdict.GOOD) is (is_named or usual == "succeeds")


def test_every_state_has_its_line() -> None:
    """The table tells of these states and of the one that is not listed any more."""
    told = [row[0] for row in HOW_TO.table("CSS says")]
    assert told == [*STATES, "nothing: the snapshot is not listed any more"]


@pytest.mark.parametrize(("cluster", "answer"), [("search-prod", "newest"), ("search-dev", None)])
def test_the_hook_serves_a_task_of_ones_own(cluster: str, answer: str | None, tmp_path: Path) -> None:
    """The function of the page returns the newest good backup, and says so when there is no such cluster."""
    with CssEmulator(clusters=["search-prod"]) as emulator:
        os.environ.update(emulator.connection_env())
        now = emulator.clock.now()
        emulator.add_snapshot("older", started_at=now - timedelta(days=2))
        newest = emulator.add_snapshot("newest", started_at=now - timedelta(days=1))
        emulator.add_snapshot("partial", failed_shards=1)
        function = IN_A_TASK.run(tmp_path)["newest_backup"].function
        if answer is None:
            with pytest.raises(ValueError, match="No cluster is named search-dev"):
                function(cluster)
        else:
            assert function(cluster) == newest


def test_the_script_makes_one_snapshot_however_often_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script of the page makes a snapshot, and finds it when it runs again."""
    with CssEmulator(clusters=["search-prod"], creation_takes=0) as emulator:
        os.environ["HUAWEICLOUD_SDK_AK"] = emulator.access_key
        os.environ["HUAWEICLOUD_SDK_SK"] = emulator.secret_key
        os.environ["HUAWEICLOUD_SDK_PROJECT_ID"] = emulator.project_id
        for _ in range(2):
            SCRIPT.run(tmp_path, {"https://css.cn-north-4.myhuaweicloud.com": emulator.url})
        (snapshot,) = emulator.snapshots()
    assert capsys.readouterr().out.splitlines() == [f"{snapshot.id} COMPLETED good"] * 2
