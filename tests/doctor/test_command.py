"""The doctor as a command: what it prints, as text and as JSON, and how it ends."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_css.cli import main
from airflow_css.doctor.command import run_doctor
from airflow_css.emulator import CssEmulator
from tests.house.sources import ROOT
from tests.world import World

DOCTOR = [
    sys.executable,
    "-W",
    "ignore",
    "-c",
    "import sys; from airflow_css.cli import main; sys.exit(main())",
    "doctor",
]


def _run(world: World, *arguments: str) -> int:
    return run_doctor(arguments, hook_class=world.hook_class)


def test_a_sound_connection_ends_well(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Each check has its line, the last says that nothing failed, and the exit code is 0."""
    assert _run(world) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "connection", "css_default", "can", "be", "read"]
    assert lines[-1] == "Nothing failed."


def test_warnings_alone_are_no_failure(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A connection with a key that means nothing gets a warning, and exit code 0."""
    world.connect(colour="blue")
    assert _run(world) == 0
    assert capsys.readouterr().out.startswith("warning")


def test_a_failure_is_counted_and_has_its_remedy(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy stands under the line that failed, and the exit code is 1."""
    world.emulator.change_cluster(snapshot_function=False)
    assert _run(world) == 1
    shown = capsys.readouterr().out
    assert "-> Turn it on in the console" in shown
    assert shown.endswith("1 failed.\n")


def test_json_is_for_programs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the same findings come with the names of their causes, and nothing else is printed."""
    world.emulator.change_cluster(snapshot_function=False)
    assert _run(world, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["failed"] == 1
    assert [f["cause"] for f in report["findings"] if f["verdict"] == "failed"] == ["function-off"]


def test_one_cluster_can_be_chosen(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """--cluster goes before the connection's default."""
    other = world.emulator.add_cluster("search-prod")
    assert _run(world, "--cluster", other) == 0
    shown = capsys.readouterr().out
    assert "search-prod" in shown
    assert "search-dev" not in shown


def test_a_cluster_has_a_name_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """--cluster takes the name that the console shows; one that is not there, or twice, fails with the way out."""
    other = world.emulator.add_cluster("search-prod")
    assert _run(world, "--cluster", "search-prod") == 0
    assert f"search-prod ({other}) is available" in capsys.readouterr().out
    assert _run(world, "--cluster", "search-pord") == 1
    assert "There is no cluster search-pord" in (shown := capsys.readouterr().out)
    assert "without --cluster the doctor lists what is visible" in " ".join(shown.split())


def test_the_command_for_the_probe_can_be_copied(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the cluster that was looked at, in one line; of several it takes none by itself."""
    _run(world)
    (command,) = [line.strip() for line in capsys.readouterr().out.splitlines() if "doctor --probe" in line]
    given = shlex.split(command.replace("<one small index>", "orders"))[2:]
    assert run_doctor([*given, "--yes"], hook_class=world.hook_class) == 0
    world.emulator.add_cluster("search-prod")
    world.connect(cluster_id=None)
    _run(world)
    assert "--cluster '<one of the ids above>' --indices" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--what"], ["extra"]])
def test_a_wrong_command_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A usage error says what is wrong before anything is sent."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    assert ended.value.code == 2
    assert "usage: airflow-css doctor" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_connection_of_the_database_is_found(tmp_path: Path) -> None:
    """What was added in the web page, or by Airflow's own command, is examined as well."""
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    airflow = [sys.executable, "-W", "ignore", "-m", "airflow"]

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)

    with CssEmulator() as emulator:
        assert run(*airflow, "db", "migrate").returncode == 0
        added = run(*airflow, "connections", "add", "css_other", "--conn-json", emulator.connection_json())
        assert added.returncode == 0, added.stderr
        done = run(*DOCTOR, "--conn-id", "css_other")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "css_other can be read" in done.stdout
    assert done.stdout.endswith("Nothing failed.\n")


def test_a_name_that_does_not_exist_is_a_failure_of_dns(world: World) -> None:
    """A host under .invalid is told apart from one that does not answer. In a process that may ask the name service."""
    connection = json.loads(world.emulator.connection_json())
    connection["host"] = "https://css.cn-north-44.invalid"
    environment = {**os.environ, "AIRFLOW_CONN_CSS_DEFAULT": json.dumps(connection), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*DOCTOR, "--json"], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stderr
    findings = json.loads(done.stdout)["findings"]
    assert [(f["check"], f["cause"]) for f in findings if f["verdict"] == "failed"] == [("endpoint", "dns")]
    assert "css.cn-north-44.invalid" in done.stdout
    assert world.emulator.secret_key not in done.stdout
