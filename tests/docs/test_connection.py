"""The how-to for the connection: its tables are those of the code, and what it shows happens."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from airflow_css.client.credentials import credentials_from_environment
from airflow_css.emulator import CssEmulator
from airflow_css.hooks.css import CssHook
from airflow_css.hooks.form import EXTRA_FIELDS, LEGACY_EXTRAS, ui_field_behaviour
from airflow_css.protocol import wire
from airflow_css.protocol.errors import CssConfigError
from airflow_css.provider_info import get_provider_info
from tests.docs.markdown import page
from tests.docs.permitted import PERMISSIONS

CONNECTION = page("docs/how-to/connection.md")
MISSPELT, SIGNED_IN = (block.text.strip() for block in CONNECTION.blocks("text"))
EMULATOR = "http://127.0.0.1:8099"


def _first_column(heading: str, below: str) -> list[str]:
    return [row[0].strip("`") for row in CONNECTION.table(heading, below=below)]


def test_the_extras_are_those_of_the_form() -> None:
    """Each key of the extra has one line, in the order of the form."""
    assert _first_column("key", "## Extra") == [field.name for field in EXTRA_FIELDS]


def test_the_fields_are_called_as_in_the_form() -> None:
    """Login, password and host stand beside the words of the form."""
    shown = {row[0].strip("`"): row[1] for row in CONNECTION.table("field", below="## Fields")}
    labels = ui_field_behaviour()["relabeling"]
    assert {name: shown[name] for name in labels} == labels


def test_the_older_provider_s_extras_are_named() -> None:
    """What is passed over in silence is said."""
    section = CONNECTION.text.partition("## A connection of the older provider")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+_\w+)`", section)) - {"css_conn_id"} == LEGACY_EXTRAS


def test_the_variables_are_those_that_are_read() -> None:
    """Keys, token and project are taken from exactly the variables of the table."""
    names = _first_column("variable", "## Keys from the environment")
    keys, project_id = credentials_from_environment({name: f"value{number}" for number, name in enumerate(names)})
    assert keys is not None
    assert (keys.access_key, keys.secret_key, keys.security_token, project_id) == (
        "value0",
        "value1",
        "value2",
        "value3",
    )


def test_each_call_has_its_permission() -> None:
    """Whatever the client can ask of CSS, the table names what the keys must be allowed; nothing more is asked for."""
    named = _first_column("permission", "## The smallest connection")
    assert sorted(named) == sorted(PERMISSIONS[call.name] for call in wire.CALLS)


def test_the_options_exist() -> None:
    """The options that the page names are the provider's, no more and no fewer."""
    options = set(get_provider_info()["config"]["airflow_css"]["options"])
    assert set(re.findall(r"\[airflow_css\]`? ?\n?(\w+)", CONNECTION.text)) == options


def test_a_slip_of_the_pen_is_answered_as_shown() -> None:
    """A key that is nearly right raises the sentence of the page."""
    with CssEmulator() as emulator:
        os.environ.update(emulator.connection_env(projectid="6204a5bd270343b5885144cf9c8c158d"))
        with pytest.raises(CssConfigError) as caught:
            _ = CssHook().settings
    assert str(caught.value) == MISSPELT


def test_the_hook_answers_as_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script of the page prints what the page says."""
    (block,) = CONNECTION.blocks("python")
    with CssEmulator() as emulator:
        os.environ.update(emulator.connection_env())
        block.run(tmp_path)
        assert SIGNED_IN.replace(EMULATOR, emulator.url) in capsys.readouterr().out
