"""The bench itself, on each Airflow, with DAGs that know nothing of the provider."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.system.bench import AirflowBench
from tests.system.processes import listening_addresses

pytestmark = pytest.mark.system

_DAGS = Path(__file__).with_name("bench_dag.py")


@pytest.fixture(scope="module")
def bench(airflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowBench]:
    """A running Airflow, with a DAG file that cannot be imported beside the good one."""
    folder = tmp_path_factory.mktemp("bench")
    broken = folder / "broken_dag.py"
    broken.write_text("raise ValueError('broken on purpose')\n")
    started = AirflowBench(airflow_python, folder / "home", [_DAGS, broken], env={"BENCH_WORD": "kept"})
    with started:
        yield started
        leaders = {component.pid for component in started.components.values()}
        assert leaders <= _pids_of_sessions(leaders), "the witness sees the processes while they run"
    assert _wait_until(lambda: not _pids_of_sessions(leaders), 5), "a process outlived the bench"


def _pids_of_sessions(leaders: set[int]) -> set[int]:
    """Find living processes by their session: a way that the bench does not use itself."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        # A zombie has ended; its new parent has not yet taken note.
        if int(session) in leaders and state != "Z":
            found.add(int(entry.name))
    return found


def _wait_until(true: Callable[[], bool], timeout: float = 30.0) -> bool:
    deadline = time.monotonic() + timeout
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()


def _start_sleeping(bench: AirflowBench, run_id: str) -> None:
    """Start a run and wait until its task sleeps, which it does after pushing its pid."""
    bench.trigger("bench_sleep", run_id)
    count = "SELECT count(*) FROM xcom WHERE run_id = ? AND key = 'pid'"
    assert _wait_until(lambda: bench.rows(count, run_id) == [(1,)])


def test_run_is_seen_as_its_tasks_left_it(bench: AirflowBench) -> None:
    """States, tries, XComs, logs and environment of a run are read rightly, plain and mapped."""
    bench.trigger("bench_push", "seen", datetime(2026, 1, 2, tzinfo=UTC))
    assert bench.wait_for_run("bench_push", "seen") == "success"
    assert bench.task_states("bench_push", "seen") == {
        ("push", -1): "success",
        ("double", 0): "success",
        ("double", 1): "success",
    }
    assert bench.task_try("bench_push", "seen", "push") == 1
    assert bench.xcom("bench_push", "seen", "push") == "7"
    assert bench.xcom("bench_push", "seen", "push", "fact") == {"list": [1, None, "ä"], "text": "7"}
    assert [bench.xcom("bench_push", "seen", "double", map_index=index) for index in (0, 1)] == [8, 10]
    assert 'a "quoted" word, kept' in bench.task_log("bench_push", "seen", "push", 1)
    assert "doubling 5" in bench.task_log("bench_push", "seen", "double", 1, map_index=1)
    assert bench.task_log("bench_push", "seen", "push", 2) == ""
    dates = (
        bench.rows("SELECT logical_date FROM dag_run")
        if bench.major >= 3
        else bench.rows("SELECT execution_date FROM dag_run")
    )
    assert any(str(date).startswith("2026-01-02 00:00:00") for (date,) in dates)


def test_runs_beside_each_other_run_each_task_once(bench: AirflowBench) -> None:
    """Neither SQLite nor the number of processes makes a task of a busy Airflow fail or run twice."""
    runs = [f"crowd-{number}" for number in range(8)]
    for run in runs:
        bench.trigger("bench_push", run)
    for run in runs:
        bench.wait_for_run("bench_push", run, timeout=120)
    tries = "SELECT try_number, count(*) FROM task_instance WHERE run_id LIKE 'crowd-%' GROUP BY try_number"
    assert bench.rows(tries) == [(1, 3 * len(runs))]


def test_killed_task_process_is_retried(bench: AirflowBench) -> None:
    """The named pid is the one in which the task's code runs; its SIGKILL leads to a second try."""
    _start_sleeping(bench, "killed")
    pids = bench.task_pids("bench_sleep", "killed", "sleep")
    assert pids.task == bench.xcom("bench_sleep", "killed", "sleep", "pid")
    bench.kill(pids.task)
    assert bench.wait_for_run("bench_sleep", "killed") == "success"
    assert bench.task_try("bench_sleep", "killed", "sleep") == 2
    assert bench.xcom("bench_sleep", "killed", "sleep") == 2


def test_killed_supervisor_is_noticed_by_the_missing_heartbeat(bench: AirflowBench) -> None:
    """When nobody is left to report for a task, Airflow retries it within the bench's short time-out."""
    _start_sleeping(bench, "lost")
    pids = bench.task_pids("bench_sleep", "lost", "sleep")
    bench.kill(pids.supervisor)
    bench.kill(pids.task)
    assert bench.wait_for_run("bench_sleep", "lost", timeout=45) == "success"
    assert bench.task_try("bench_sleep", "lost", "sleep") == 2


def test_clear_after_success_raises_max_tries(bench: AirflowBench) -> None:
    """A cleared task runs again as its next try, with one more try allowed, and leaves its neighbours alone."""
    bench.trigger("bench_push", "cleared")
    bench.wait_for_run("bench_push", "cleared")
    assert bench.task("bench_push", "cleared", "push").max_tries == 0
    bench.clear("bench_push", "cleared", "push")
    bench.wait_for_run("bench_push", "cleared")
    assert bench.task("bench_push", "cleared", "push")[:3] == ("success", 2, 1)
    assert bench.task("bench_push", "cleared", "double", 0)[:3] == ("success", 1, 0)
    bench.clear("bench_push", "cleared", "push", downstream=True)
    bench.wait_for_run("bench_push", "cleared")
    assert bench.task_try("bench_push", "cleared", "push") == 3
    assert bench.task_try("bench_push", "cleared", "double", 1) == 2


def test_clear_while_running_ends_the_process(bench: AirflowBench) -> None:
    """Clearing a running task ends its process; the task then runs again to success."""
    _start_sleeping(bench, "restarted")
    pids = bench.task_pids("bench_sleep", "restarted", "sleep")
    bench.clear("bench_sleep", "restarted", "sleep")
    assert bench.wait_for_run("bench_sleep", "restarted") == "success"
    assert bench.task_try("bench_sleep", "restarted", "sleep") == 2
    assert not Path(f"/proc/{pids.task}").exists()


def test_mark_failed_ends_the_task(bench: AirflowBench) -> None:
    """A task, or a whole run, that is marked failed is failed, and the task's process ends."""
    _start_sleeping(bench, "task-failed")
    _start_sleeping(bench, "run-failed")
    runs = ("task-failed", "run-failed")
    pids = [bench.task_pids("bench_sleep", run, "sleep").task for run in runs]
    bench.mark_failed("bench_sleep", "task-failed", "sleep")
    bench.mark_run_failed("bench_sleep", "run-failed")
    for run in runs:
        assert bench.wait_for_run("bench_sleep", run, {"failed"}) == "failed"
        assert bench.wait_for_task("bench_sleep", run, "sleep", {"failed"}) == "failed"
    assert _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    with pytest.raises(AssertionError, match="run-failed is failed"):
        bench.wait_for_run("bench_sleep", "run-failed", {"success"})


def test_mark_failed_takes_a_map_index(bench: AirflowBench) -> None:
    """Marking one map index leaves the other as it is."""
    bench.trigger("bench_push", "one-of-two")
    bench.wait_for_run("bench_push", "one-of-two")
    bench.mark_failed("bench_push", "one-of-two", "double", 1)
    bench.wait_for_task("bench_push", "one-of-two", "double", {"failed"}, map_index=1)
    assert bench.task_states("bench_push", "one-of-two")["double", 0] == "success"


def test_deleted_run_can_be_made_again(bench: AirflowBench) -> None:
    """A deleted run takes its tasks and XComs along, and its id is free for a run that starts from try 1."""
    bench.trigger("bench_push", "again")
    bench.wait_for_run("bench_push", "again")
    bench.delete_run("bench_push", "again")
    assert bench.run_state("bench_push", "again") is None
    assert bench.task_states("bench_push", "again") == {}
    with pytest.raises(LookupError, match="fact"):
        bench.xcom("bench_push", "again", "push", "fact")
    bench.trigger("bench_push", "again")
    assert bench.wait_for_run("bench_push", "again") == "success"
    assert bench.task("bench_push", "again", "push")[:3] == ("success", 1, 0)


def test_component_can_be_stopped_and_restarted(bench: AirflowBench) -> None:
    """Without a triggerer a deferred task stays deferred; a new triggerer takes it up, and so does the next."""
    bench.stop("triggerer", signal.SIGKILL)
    bench.trigger("bench_defer", "orphan")
    bench.wait_for_task("bench_defer", "orphan", "defer", {"deferred"})
    time.sleep(2)
    assert bench.task_states("bench_defer", "orphan") == {("defer", -1): "deferred"}
    bench.restart("triggerer")
    assert bench.wait_for_run("bench_defer", "orphan") == "success"
    assert bench.xcom("bench_defer", "orphan", "defer") == "resumed"
    first = bench.components["triggerer"].pid
    bench.restart("triggerer")
    assert bench.components["triggerer"].pid != first
    bench.trigger("bench_defer", "next")
    assert bench.wait_for_run("bench_defer", "next") == "success"


def test_import_errors_are_told(bench: AirflowBench) -> None:
    """The file that cannot be imported is named with its reason, and no other."""
    assert list(bench.import_errors()) == ["broken_dag.py"]
    assert "broken on purpose" in bench.import_errors()["broken_dag.py"]


def test_everything_listens_on_loopback_only(bench: AirflowBench) -> None:
    """The processes listen on the ports of 127.0.0.1 that were chosen, and nowhere else."""
    pids = _pids_of_sessions({component.pid for component in bench.components.values()})
    used = bench.ports if bench.major >= 3 else bench.ports[:1]
    assert listening_addresses(pids) == {f"127.0.0.1:{port}" for port in used}


def test_foreign_process_is_not_killed(bench: AirflowBench) -> None:
    """A pid that does not belong to the bench is refused."""
    with pytest.raises(ProcessLookupError, match="no running process of this bench"):
        bench.kill(os.getpid())


def test_failed_start_tells_why_and_leaves_nothing(airflow_python: Path, tmp_path: Path) -> None:
    """When a component ends during the start, its log is in the error and no process stays."""
    bench = AirflowBench(
        airflow_python, tmp_path / "home", [_DAGS], env={"AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "soon"}
    )
    with pytest.raises(RuntimeError, match=r"(?s)scheduler ended with code 1:.*soon"), bench:
        pytest.fail("Airflow started")
    leaders = {component.pid for component in bench.components.values()}
    assert _wait_until(lambda: not _pids_of_sessions(leaders), 5)
