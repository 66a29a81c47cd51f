"""What a real Airflow process sends to StatsD of a run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from airflow_css.emulator import CssEmulator
from tests.examples.playing import play
from tests.metrics_listener import listening


@pytest.mark.heavy
@pytest.mark.skipif(
    find_spec("statsd") is None, reason="Airflow sends metrics only where its extra statsd is installed"
)
def test_a_real_airflow_sends_them(tmp_path: Path) -> None:
    """One run of an example by ``dag.test()`` is heard on the socket that Airflow's options name."""
    with CssEmulator(creation_takes=0.5) as emulator, listening() as listener:
        played = play("pre_etl_backup.py", tmp_path, emulator.connection_json(), **listener.variables)
        sent = listener.ours()

    assert played.outcome.get("state") == "success", played.output
    assert {"css.snapshot.created", "css.snapshot.duration", "css.turn.wait"} <= {metric.name for metric in sent}
    assert {metric.tags["task_id"] for metric in sent} == {"backup"}
