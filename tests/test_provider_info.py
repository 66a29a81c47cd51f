"""What Airflow learns about this provider, held against Airflow's own schemas."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import airflow
import jsonschema  # type: ignore[import-untyped]  # it brings no types
import pytest

from airflow_css import __version__
from airflow_css.provider_info import get_provider_info

SCHEMAS = Path(airflow.__file__).parent
INFO = get_provider_info()


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return schema


def test_airflow_accepts_the_description() -> None:
    """Airflow validates every provider against this schema when it starts."""
    jsonschema.validate(INFO, _schema("provider_info.schema.json"))


@pytest.mark.parametrize("key", sorted(INFO))
def test_each_part_is_as_a_providers_own_file_has_it(key: str) -> None:
    """Each part of the description obeys the stricter schema of the providers that Airflow's project ships."""
    whole = _schema("provider.yaml.schema.json")
    if key not in whole["properties"]:
        pytest.skip(f"this Airflow's schema knows no {key}")
    part = {**whole, "required": [key], "properties": {key: whole["properties"][key]}}
    jsonschema.validate({key: INFO[key]}, part)


def test_a_wrong_description_would_be_noticed() -> None:
    """The schemas are not so loose that anything passes."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**INFO, "connection-types": [{"hook-name": "x"}]}, _schema("provider_info.schema.json"))


def test_the_description_is_plain() -> None:
    """Airflow may write the description as JSON, and each caller gets its own."""
    assert json.loads(json.dumps(INFO)) == INFO
    get_provider_info()["connection-types"].clear()
    assert get_provider_info() == INFO


def test_what_it_names_exists() -> None:
    """Modules can be imported, the hook's class is where it is said to be, and agrees about its type and name."""
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for integration in INFO.get(kind, ()):
            assert integration["integration-name"] == INFO["integrations"][0]["integration-name"]
            assert all(importlib.import_module(module) for module in integration["python-modules"])
    declared = INFO["connection-types"][0]
    module, name = declared["hook-class-name"].rsplit(".", 1)
    hook = getattr(importlib.import_module(module), name)
    assert (hook.conn_type, hook.hook_name) == (declared["connection-type"], declared["hook-name"])
    for link in INFO.get("extra-links", ()):
        module, name = link.rsplit(".", 1)
        assert hasattr(importlib.import_module(module), name)


def test_name_and_version_are_those_of_the_package() -> None:
    """What is shown under Admin, Providers is what is installed."""
    assert INFO["package-name"] == "airflow-css"
    assert INFO["versions"] == [__version__]


def test_airflow_is_led_to_the_description() -> None:
    """The entry point of the installed package leads here."""
    found = [e for e in entry_points(group="apache_airflow_provider") if e.value.startswith("airflow_css.")]
    if not found:
        pytest.skip("the package is not installed, only checked out")
    assert found[0].load()() == INFO


@pytest.mark.parametrize("option", INFO["config"]["airflow_css"]["options"])
def test_every_option_is_read(option: str) -> None:
    """An option that nobody reads would be a promise without effect."""
    options = Path(importlib.import_module("airflow_css.hooks.options").__file__ or "")
    assert f'"{option}"' in options.read_text(encoding="utf-8")


def test_describing_loads_neither_airflow_nor_requests() -> None:
    """Airflow reads the description of every provider in every command."""
    code = (
        "import sys; from airflow_css.provider_info import get_provider_info; get_provider_info();"
        "print(sorted({'airflow', 'requests', 'wtforms'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
