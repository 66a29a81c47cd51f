"""The probe as a command: it asks first, prints a table without ids and keys, and refuses where it could do harm."""

from __future__ import annotations

import json
import re
from datetime import UTC, timedelta

import pytest

from airflow_css.doctor.command import run_doctor
from airflow_css.doctor.probe_command import STOPPED, ProbeOptions, run_probe
from tests.world import World

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _run(world: World, *arguments: str) -> int:
    given = ["--probe", "--cluster", world.emulator.cluster_id, "--indices", "orders-*", *arguments]
    return run_doctor(given, hook_class=world.hook_class)


def _ask(world: World, answer: str) -> int:
    options = ProbeOptions(world.emulator.cluster_id, "orders-*", has_consent=False, as_json=False)
    return run_probe(world.hook_class(), options, ask=lambda _question: answer)


def test_the_table_can_be_pasted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """On the emulator all rows are confirmed, and what is printed names no id, no key, no project and no address."""
    assert _run(world, "--yes") == 0
    shown = capsys.readouterr().out
    rows = [line for line in shown.splitlines() if line.endswith(" confirmed |")]
    assert len(rows) == shown.count("\n| ") - 2
    emulator = world.emulator
    secrets = (emulator.access_key, emulator.secret_key, emulator.project_id, "search-dev", "127.0.0.1")
    assert [secret for secret in secrets if secret in shown] == []
    assert UUID.search(shown) is None
    assert UUID.search(emulator.cluster_id)
    assert shown.endswith("Nothing is left behind.\n")


def test_json_has_the_rows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json a program gets every row with its outcome."""
    assert _run(world, "--yes", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert {row["outcome"] for row in report["rows"]} == {"confirmed"}
    assert report["left_behind"] == []


def test_a_contradiction_is_a_failure(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Where CSS behaves otherwise the exit code is 1, and the row says what was seen."""
    world.emulator.faults.slow_deletion(20.0)
    assert _run(world, "--yes") == 1
    assert "| yes | no | contradicted |" in capsys.readouterr().out


def test_what_is_left_behind_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be deleted is printed with name, id and the way to delete it; exit code 1."""
    world.emulator.faults.answer(403, "CSS.0010", call="delete_snapshot", times=None)
    assert _run(world, "--yes") == 1
    (left,) = world.emulator.snapshots()
    assert f"LEFT BEHIND: {left.label}. Delete it in the console" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "creations"), [("y", True), (" YES ", True), ("", False), ("n", False), ("x", False)]
)
def test_it_goes_on_only_with_consent(
    world: World, capsys: pytest.CaptureFixture[str], answer: str, *, creations: bool
) -> None:
    """Before anything is sent it says what it will do and where; anything but yes ends it."""
    code = _ask(world, answer)
    assert bool(world.emulator.count("create_snapshot")) is creations
    assert code == (0 if creations else 1)
    assert "makes one snapshot, airflow-css-probe-" in capsys.readouterr().err


def test_a_busy_cluster_is_left_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """While something runs on the cluster, nothing is made."""
    world.emulator.change_cluster(actions=("GROWING",))
    assert _run(world, "--yes") == 1
    assert "not idle (GROWING)" in capsys.readouterr().err
    assert world.emulator.count("create_snapshot") == 0


def test_an_automatic_snapshot_is_not_cancelled(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """When one is due soon, nothing is made."""
    due = (world.clock.now() + timedelta(minutes=20)).astimezone(UTC)
    world.emulator.policy(enabled=True, period=f"{due:%H:%M} GMT+00:00")
    assert _run(world, "--yes") == 1
    assert "CSS would cancel it" in capsys.readouterr().err
    assert world.emulator.count("create_snapshot") == 0


def test_a_policy_that_cannot_be_read_is_a_reason_not_to_begin(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the policy nobody knows what would be cancelled."""
    world.emulator.faults.answer(403, "CSS.0010", call="get_snapshot_policy", times=None)
    assert _run(world, "--yes") == 1
    assert "get_snapshot_policy was answered with HTTP 403" in capsys.readouterr().err
    assert world.emulator.count("create_snapshot") == 0


def test_a_connection_that_does_not_work_is_not_probed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What the doctor finds comes first; where something failed its findings are printed and nothing is made."""
    world.emulator.change_cluster(snapshot_function=False)
    assert _run(world, "--yes") == 1
    shown = capsys.readouterr()
    assert "snapshot function" in shown.out
    assert "--probe" not in shown.out
    assert shown.err == "The probe did not begin: mend what failed.\n"
    assert world.emulator.count("create_snapshot") == 0


def test_an_interruption_ends_with_the_shell_s_code(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C while the snapshot is made deletes it and ends with 130."""

    def press() -> None:
        raise KeyboardInterrupt

    world.clock.at(1.0, press)
    assert _run(world, "--yes") == STOPPED
    assert world.emulator.snapshots() == ()
    assert "a second Ctrl-C leaves it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--probe"], "--probe needs --indices LIST, for example"),
        (["--indices", "orders-*"], "--indices and --yes belong to --probe"),
        (["--yes"], "--indices and --yes belong to --probe"),
        (["--probe", "--indices", "*", "--yes"], "it would back up everything"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    world: World, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage error says what is missing, and nothing is sent."""
    with pytest.raises(SystemExit) as ended:
        run_doctor(arguments, hook_class=world.hook_class)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
    assert world.emulator.requests == ()


def test_the_cluster_is_the_connections_or_named_in_either_way(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --cluster the default of the connection is probed, a name will do, and none at all is a usage error."""
    for named in ((), ("--cluster", "search-dev")):
        arguments = ["--probe", *named, "--indices", "orders", "--yes"]
        assert run_doctor(arguments, hook_class=world.hook_class) == 0
        assert "not seen: --indices named no pattern" in capsys.readouterr().out
    world.connect(cluster_id=None)
    with pytest.raises(SystemExit) as ended:
        run_doctor(["--probe", "--indices", "orders", "--yes"], hook_class=world.hook_class)
    assert ended.value.code == 2
    assert "--probe needs --cluster" in capsys.readouterr().err


@pytest.mark.parametrize(("indices", "reason"), [("nosuch", "--indices named no pattern"), ("no*", "no index matched")])
def test_indices_that_match_nothing_are_told(
    world: World, capsys: pytest.CaptureFixture[str], indices: str, reason: str
) -> None:
    """The snapshot of nothing has a warning, and what could not be seen has its reason."""
    given = ["--probe", "--cluster", world.emulator.cluster_id, "--indices", indices, "--yes"]
    assert run_doctor(given, hook_class=world.hook_class) == 0
    shown = capsys.readouterr()
    assert f"|  | not seen: {reason} |" in shown.out
    assert f"nothing in the cluster matches {indices}" in shown.err


def test_nobody_to_ask_is_a_usage_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal and without --yes it does not begin."""
    with pytest.raises(SystemExit) as ended:
        _run(world)
    assert ended.value.code == 2
    assert "nobody is there to answer" in capsys.readouterr().err
