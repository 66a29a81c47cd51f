"""The command line: which options go together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_css.cli import main

# Whoever started the tests may have told its children to ignore Ctrl-C.
DEMO = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from airflow_css.cli import main
sys.exit(main(["demo"]))
"""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["demo", "--port", "8080"], "--port is the port of the page, so it needs --ui"),
        (["demo", "--ui", "--rollback"], "--rollback tells what happens here, so it does not go with --ui"),
        (["demo", "--ui", "--port", "0"], "0 is no port"),
        (["demo", "--ui", "--port", "65536"], "65536 is no port"),
        (["demo", "--ui", "--port", "page"], "page is no port"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option without effect, or a port that does not exist, is a usage error that says what is wrong."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_demo_that_is_interrupted_says_so(tmp_path: Path) -> None:
    """Ctrl-C ends it with one word and the shell's own code, and only the log that it named is left."""
    process = subprocess.Popen(
        [sys.executable, "-c", DEMO],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stdout is not None
        # This line comes from the process that it started.
        shown = [next(line for line in process.stdout if "preparing a throw-away Airflow" in line)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate(timeout=10)
    assert shown
    assert (process.returncode, err.strip()) == (130, "Stopped.")
    (log,) = tmp_path.iterdir()
    assert log.suffix == ".log"
