"""The how-to for the doctor: what it shows is what is printed, and its causes are those of the code."""

from __future__ import annotations

import json
import os
import re

import pytest

from airflow_css.diagnosis import causes, examination
from airflow_css.doctor.command import run_doctor
from tests.diagnosis.ailments import CASES
from tests.docs.markdown import page
from tests.world import World

DOCTOR = page("docs/how-to/doctor.md")
SOUND, REFUSED, TABLE = (block.text for block in DOCTOR.blocks("text"))


def _printed(world: World, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    run_doctor(arguments, hook_class=world.hook_class)
    shown = capsys.readouterr().out.replace(world.emulator.url.removeprefix("http://"), "127.0.0.1:8099")
    return re.sub(r"x-sdk-date: \w+", "x-sdk-date: 20261123T100000Z", shown)


def test_a_sound_connection_prints_what_the_page_shows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The first block is the whole output, on the emulator."""
    assert _printed(world, capsys) == SOUND


def test_a_refused_signature_prints_what_the_page_shows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The second block is part of the output where the secret key is wrong."""
    connection = {**json.loads(world.emulator.connection_json()), "password": "not-the-secret-key"}
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps(connection)
    assert REFUSED in _printed(world, capsys)


def test_the_probe_prints_what_the_page_shows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The third block is the table of a probe on the emulator, by the command above it."""
    (command,) = [block.text.strip() for block in DOCTOR.blocks("shell") if "--probe" in block.text]
    arguments = command.replace("'", "").split()[2:]
    assert TABLE in _printed(world, capsys, *arguments, "--yes")


def test_the_causes_are_those_of_the_code() -> None:
    """Each name of the table exists, and stands beside the check in which it shows."""
    shown = {(row[1].strip("`"), row[2].strip("`")) for row in DOCTOR.table("the cause")}
    known = {vars(causes)[name].name for name in ("AMBIGUOUS_NAME", "CLOCK_OFF", "REQUEST_CHANGED", "UNAVAILABLE")}
    known |= {cause.name for cause in causes.OBSTACLES.values()} | {cause.name for _, cause in causes.REFUSALS}
    known |= {cause for _, cause, _ in CASES.values()}
    assert {name for _, name in shown} <= known
    assert {(check, cause) for check, cause, _ in CASES.values() if (check, cause) not in shown} == {
        ("clusters", "CSS.0010"),
        ("clusters", "HTTP 503"),
        ("connection", "no-answer"),
    }


def test_the_options_are_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the help names stands on the page, and the number of clusters is the code's."""
    with pytest.raises(SystemExit):
        run_doctor(["--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert options == set(re.findall(r"--[a-z][a-z-]*", DOCTOR.text))
    assert examination.MOST_CLUSTERS == 10
