"""What Airflow writes of a run holds no secret: not its database, not its logs, not its output."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_css.emulator import CssEmulator
from tests.examples.playing import play

SECRET_KEY = "planted-secret-key-5b1e7f"
TOKEN = "planted-security-token-c09a44"
AUTHORIZATION = "SDK-HMAC-SHA256 Access="


def _places_of(needles: tuple[str, ...], home: Path, output: str) -> list[str]:
    """Return where any of the needles was found, below a home and in an output."""
    found = [f"{needle} in the output" for needle in needles if needle in output]
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{needle} in {path.relative_to(home)}" for needle in needles if needle.encode() in content]
    return found


@pytest.mark.parametrize("has_right_key", [True, False])
def test_nothing_that_a_run_writes_holds_a_secret(tmp_path: Path, *, has_right_key: bool) -> None:
    """Neither a good run nor one whose signature is refused, with the token echoed, leaves a secret anywhere."""
    with CssEmulator(creation_takes=0.5, secret_key=SECRET_KEY, security_token=TOKEN) as emulator:
        connection = emulator.connection_json()
        if not has_right_key:
            connection = connection.replace(SECRET_KEY, SECRET_KEY[:-1] + "0")
        # Not at level DEBUG: there ``dag.test()`` of Airflow 3.3 prints its own requests to mask a secret, secret included.
        played = play("pre_etl_backup.py", tmp_path, connection)

        assert played.outcome.get("state") == ("success" if has_right_key else "failed"), played.output
    assert "airflow.db" in {path.name for path in tmp_path.rglob("*")}
    assert _places_of((SECRET_KEY[:-1], TOKEN, AUTHORIZATION), tmp_path, played.output) == []


def test_the_search_finds_what_leaks(tmp_path: Path) -> None:
    """A control that leaks on purpose is found, in a file as in the output."""
    (tmp_path / "leak.log").write_bytes(b"\x00" + TOKEN.encode())

    assert _places_of((TOKEN,), tmp_path, f"said {TOKEN}") == [f"{TOKEN} in the output", f"{TOKEN} in leak.log"]
