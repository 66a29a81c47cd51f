"""What Airflow writes of a run holds no secret: not its database, not its logs, not its output."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_css.emulator import CssEmulator
from tests.examples.playing import SECRET_KEY, TOKEN, Played, places_of_secrets, play


@pytest.mark.heavy
def test_a_refused_signature_leaves_no_secret_behind(tmp_path: Path) -> None:
    """A run whose signature is refused, with the token echoed in the answer, fails and leaves no secret anywhere."""
    with CssEmulator(secret_key=SECRET_KEY, security_token=TOKEN) as emulator:
        connection = emulator.connection_json().replace(SECRET_KEY, f"{SECRET_KEY}0")
        # Not at level DEBUG: there dag.test() of Airflow 3.3 prints its own requests to mask a secret.
        played = play("pre_etl_backup.py", tmp_path, connection)

        assert played.outcome.get("state") == "failed", played.output
        assert [seen.status for seen in emulator.requests] == [401]
    assert "APIGW.0301" in played.output
    assert "airflow.db" in {path.name for path in tmp_path.rglob("*")}
    assert places_of_secrets(played) == []


def test_the_search_finds_what_leaks(tmp_path: Path) -> None:
    """A control that leaks on purpose is found, in a file as in the output."""
    (tmp_path / "leak.log").write_bytes(b"\x00" + TOKEN.encode())

    found = places_of_secrets(Played({}, f"said {TOKEN}", tmp_path))

    assert found == [f"{TOKEN} in the output", f"{TOKEN} in leak.log"]
