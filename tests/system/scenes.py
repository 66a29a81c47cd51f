"""One run of a create task on a real Airflow, with a CSS of its own, so that many can be played at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from airflow_css.demo import example_dags
from airflow_css.emulator import CssEmulator
from airflow_css.emulator.holds import Hold
from airflow_css.protocol.models import Snapshot
from tests.examples.playing import EXAMPLES, SECRET_KEY, TOKEN, Example
from tests.system.bench import AirflowBench
from tests.system.installation import airflow_version

__all__ = ["OPTIONS", "PATIENCE", "Scene", "Stage", "all_at_once", "examples_for", "stage_of", "wait_until"]

CREATE, LIST, POLICY, CLUSTER = "create_snapshot", "list_snapshots", "get_snapshot_policy", "get_cluster"
TASK = "backup"
# The machines that run this may be busy; nothing is judged by how long it took.
PATIENCE = 240.0
LONG = 6000.0
SCENES = 120
AT_ONCE = 10

_CHECKOUT = Path(__file__).parents[2]
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

OPTIONS = {
    "PYTHONPATH": str(_CHECKOUT),
    # Without encryption whatever gets into the database can be found there.
    "AIRFLOW__CORE__FERNET_KEY": "",
    "AIRFLOW__CORE__PARALLELISM": "24",
    # Only task processes are killed here, which their supervisors report; a slow machine must not look like a dead one.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
    "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "120",
    # Airflow 2 notices an ended process by this alone. What is noticed again before it is handled counts twice.
    "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "8",
}


def examples_for(version: str) -> list[Example]:
    """Return the examples that define a DAG on a version of Airflow; the bench would wait for others for ever."""
    numbers = tuple(int(part) for part in version.split(".")[:2])
    return [example for example in EXAMPLES if example.minimum <= numbers]


def wait_until(true: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
    """
    Return once something is true.

    :raises TimeoutError: if it is not true in time.
    """
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s: {what}")
        time.sleep(0.1)


def all_at_once(play: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Return what came of each item, played side by side: most of the time is waiting."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(play, items))


@dataclass
class Scene:
    """
    A run of one of ``css_dags``, and the CSS that it talks to.

    :param airflow: Where it runs.
    :param emulator: Its CSS.
    :param conn_id: The connection that leads there.
    :param one_by_one: Held by whoever gives Airflow a command: many at once lock each other out of SQLite.
    :param dag_id: The DAG.
    :param run_id: The run.
    """

    airflow: AirflowBench
    emulator: CssEmulator
    conn_id: str
    one_by_one: threading.Lock
    dag_id: str
    run_id: str

    @property
    def defers(self) -> bool:
        """Whether the task waits in the triggerer."""
        return self.dag_id.startswith("defer")

    def start(self, *, logical_date: datetime | None = None, **conf: Any) -> None:
        """Start the run; ``conf`` is read by ``css_dags``."""
        with self.one_by_one:
            self.airflow.trigger(self.dag_id, self.run_id, logical_date, {"css_conn_id": self.conn_id, **conf})

    def clear(self, task_id: str = TASK) -> None:
        """Clear a task of the run."""
        with self.one_by_one:
            self.airflow.clear(self.dag_id, self.run_id, task_id)

    def mark_failed(self) -> None:
        """Mark the create task as failed."""
        with self.one_by_one:
            self.airflow.mark_failed(self.dag_id, self.run_id, TASK)

    def delete_run(self) -> None:
        """Delete the run, which has ended."""
        # Not one by one: nearly all of it is waiting for the scheduler.
        self.airflow.delete_run(self.dag_id, self.run_id)

    def state(self, task_id: str = TASK) -> str | None:
        """Return the state of a task."""
        return self.airflow.task_states(self.dag_id, self.run_id).get((task_id, -1))

    def wait_for(self, *states: str) -> str:
        """Wait until the create task is in one of these states, and return which."""
        return self.airflow.wait_for_task(self.dag_id, self.run_id, TASK, states, timeout=PATIENCE)

    def wait_for_end(self) -> str:
        """Wait until the run has ended, well or badly, and return how."""
        return self.airflow.wait_for_run(self.dag_id, self.run_id, ("success", "failed"), PATIENCE)

    def wait_for_deferral(self, call: str) -> None:
        """Wait until the task is deferred and its trigger has asked CSS at least once more."""
        self.wait_for("deferred")
        asked = self.emulator.count(call)
        wait_until(lambda: self.emulator.count(call) > asked, f"{self.run_id}: no look of the trigger")

    def reach(self, hold: Hold) -> None:
        """Wait until a request of the task is held."""
        try:
            hold.wait_until_reached(PATIENCE)
        except TimeoutError as error:
            raise TimeoutError(f"{self.dag_id} {self.run_id} is {self.state()}: {error}\n{self.log()}") from error

    def kill_task(self) -> None:
        """End the process that runs the task's code by SIGKILL, and return when Airflow has noticed."""
        pid = self.airflow.task_pids(self.dag_id, self.run_id, TASK, timeout=PATIENCE).task
        self.airflow.kill(pid)
        wait_until(
            lambda: self.airflow.task(self.dag_id, self.run_id, TASK)[::3] != ("running", pid),
            f"{self.run_id}: the end of process {pid} was not noticed",
        )

    def xcom(self, key: str = "return_value") -> Any:
        """Return what the create task pushed, ``None`` when it pushed nothing."""
        try:
            return self.airflow.xcom(self.dag_id, self.run_id, TASK, key)
        except LookupError:
            return None

    def log(self) -> str:
        """Return the logs of all tries, triggers included."""
        tries = range(1, self.airflow.task_try(self.dag_id, self.run_id, TASK) + 1)
        return "\n".join(self.airflow.task_log(self.dag_id, self.run_id, TASK, number) for number in tries)

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots that create tasks made, oldest first."""
        return [snapshot for snapshot in reversed(self.emulator.snapshots()) if snapshot.mark is not None]

    def takes_long(self) -> None:
        """Let the next snapshot last until ``time_passes``."""
        self.emulator.faults.fate("completed", takes=LONG)

    def stranger_runs(self) -> None:
        """Keep the cluster busy until ``time_passes``."""
        self.emulator.add_snapshot("of-a-stranger", status="BUILDING", takes=LONG)

    def time_passes(self) -> None:
        """Let end what takes long."""
        self.emulator.clock.advance(LONG)

    def has_its_id(self) -> bool:
        """Return whether the task succeeded with the id of the only snapshot there is."""
        ids = [snapshot.id for snapshot in self.snapshots()]
        return self.state() == "success" and ids == [self.xcom()] == [self.xcom("backup_id")]


class Stage:
    """
    A running Airflow, and connections to as many CSS as there are scenes.

    :param airflow: The running Airflow.
    :param default: The CSS of the connection ``css_default``.
    :param free: The connections that no scene has yet, each with its CSS.
    """

    def __init__(
        self, airflow: AirflowBench, default: CssEmulator, free: queue.SimpleQueue[tuple[str, CssEmulator]]
    ) -> None:
        self.airflow = airflow
        self.default = default
        self._free = free
        self._one_by_one = threading.Lock()

    def scene(self, dag_id: str, run_id: str) -> Scene:
        """Return a scene that nothing has happened in yet."""
        conn_id, emulator = self._free.get_nowait()
        return Scene(self.airflow, emulator, conn_id, self._one_by_one, dag_id, run_id)

    def set_default_deferrable(self, *, is_on: bool) -> None:
        """Tasks read the option where they run, so another value takes another scheduler, and no other Airflow."""
        scheduler = self.airflow.components["scheduler"]
        name = "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE"
        if scheduler.env.get(name, "False") != str(is_on):
            scheduler.env[name] = str(is_on)
            self.airflow.restart("scheduler")


@contextmanager
def stage_of(python: Path, home: Path) -> Iterator[Stage]:
    """Start an Airflow with the examples and ``css_dags``, whose connections hold the planted secrets."""
    with ExitStack() as stack:
        default, *others = (
            stack.enter_context(
                # Access keys differ, because a triggerer remembers the keys that were refused.
                CssEmulator(access_key=f"ak-{n}", secret_key=SECRET_KEY, security_token=TOKEN, creation_takes=0.5)
            )
            for n in range(SCENES + 1)
        )
        free: queue.SimpleQueue[tuple[str, CssEmulator]] = queue.SimpleQueue()
        environment: Mapping[str, str] = {**OPTIONS, **default.connection_env(deployment="bench")}
        for number, emulator in enumerate(others):
            conn_id = f"css_{number}"
            environment = {**environment, **emulator.connection_env(conn_id, deployment="bench")}
            free.put((conn_id, emulator))
        ours = [Path(__file__).with_name(name) for name in ("css_dags.py", "life_dags.py", "checkpoint_dags.py")]
        examples = examples_for(airflow_version(python))
        dags = [*ours, *(example_dags() / example.file for example in examples)]
        yield Stage(stack.enter_context(AirflowBench(python, home, dags, environment)), default, free)
