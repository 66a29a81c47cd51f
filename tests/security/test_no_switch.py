"""A DAG cannot choose where signed requests go, nor give up what protects them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_css.hooks.css import CssHook
from airflow_css.hooks.form import EXTRA_FIELDS
from airflow_css.provider_info import get_provider_info
from tests.parameters import parameters_of

# Only the connection has them. Region and project are checked, and lead into the cloud's own domain.
ONLY_IN_THE_CONNECTION = (
    "verify",
    "proxy",
    "host",
    "endpoint",
    "url",
    "cert",
    "ca_bundle",
    "tls",
    "ssl",
    "http",
    "token",
    "secret",
    "password",
    "access_key",
    "credential",
    "redirect",
    "agency",
    "extra",
)
# A word of the list that means something else.
ANOTHER_MEANING = {("RestoreSnapshotOperator", "verify"): "it looks at what a restore brought"}
MAY_BE_TAKEN = {"region", "project_id", "css_conn_id"}


def _classes() -> Iterator[type]:
    """Return every class of ours that a DAG may use: operators, sensors, triggers and the hook."""
    info = get_provider_info()
    for part in ("operators", "sensors", "triggers", "hooks"):
        for module in (name for entry in info[part] for name in entry["python-modules"]):
            loaded = importlib.import_module(module)
            yield from (getattr(loaded, name) for name in loaded.__all__ if inspect.isclass(getattr(loaded, name)))


def _forbidden(cls: type) -> set[str]:
    names = {*parameters_of(cls), *getattr(cls, "template_fields", ())}
    return {
        name
        for name in names
        if any(f"_{word}_" in f"_{name}_" for word in ONLY_IN_THE_CONNECTION)
        and (cls.__name__, name) not in ANOTHER_MEANING
    }


def test_no_task_chooses_host_proxy_or_certificates() -> None:
    """No operator, sensor, trigger or hook takes a host, a proxy, keys, or a word on certificates."""
    classes = set(_classes())
    assert len(classes) > 10
    assert {cls.__name__: _forbidden(cls) for cls in classes if _forbidden(cls)} == {}
    assert set(parameters_of(CssHook)) == MAY_BE_TAKEN


def test_a_parameter_that_chooses_would_be_seen() -> None:
    """A class that takes what only the connection may say is caught."""

    class Astray(CssHook):
        def __init__(self, verify_tls: bool, endpoint: str) -> None:  # noqa: FBT001 - as a careless author would
            super().__init__()
            self.taken = (verify_tls, endpoint)

    Astray.__module__ = "airflow_css.astray"
    assert _forbidden(Astray) == {"verify_tls", "endpoint"}


@pytest.mark.parametrize("name", [field.name for field in EXTRA_FIELDS if field.name not in {"region", "project_id"}])
def test_a_hook_takes_nothing_else_of_the_connection(name: str) -> None:
    """What else a connection says cannot be said in a DAG."""
    taken: Any = {name: "x"}
    with pytest.raises(TypeError):
        CssHook("css_default", **taken)
