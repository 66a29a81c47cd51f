"""The command line: which options go together."""

from __future__ import annotations

import pytest

from airflow_css.cli import main


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["demo", "--port", "8080"], "--port is the port of the page, so it needs --ui"),
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
