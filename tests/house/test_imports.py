"""
Who may import whom.

The syntax tree is read, so an import for type checking or inside a function counts as well. What is loaded
while a DAG file is parsed is tried with a real interpreter.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.sources import ROOT, Source, sources

PACKAGE = "airflow_css"


@dataclass(frozen=True)
class Layer:
    """What one part of the package may import, and why."""

    inside: frozenset[str]
    outside: frozenset[str]
    reason: str


def _layer(inside: str, outside: str, reason: str) -> Layer:
    return Layer(frozenset(inside.split()), frozenset(outside.split()), reason)


# The key is a module or folder below the package; "" is the package's own __init__.py, granted as "/".
# A layer may import itself and the standard library; for protocol see NOT_FOR_PROTOCOL.
LAYERS = {
    "": _layer("", "", "Airflow imports the package at every command; it must cost nothing"),
    "version_compat": _layer("", "airflow", "it only asks which Airflow this is"),
    "provider_info": _layer("/ hooks.form", "", "Airflow reads it at every command; it is a plain dictionary"),
    "protocol": _layer("", "", "facts about CSS outlive every library"),
    # requests hands urllib3's errors through; only they tell whether a byte was sent.
    "client": _layer("/ protocol", "requests urllib3", "it is usable from a plain script"),
    "emulator": _layer("protocol", "", "it must not learn from the client it judges"),
    "diagnosis": _layer("protocol client", "", "the hook's Test button asks it, so it lies below the hook"),
    "hooks.form": _layer("", "", "the fields of a connection are data, read at every command"),
    # The form of Airflow 2 is made of the widgets that Airflow 2 brings.
    "hooks": _layer(
        "protocol client diagnosis hooks.form version_compat",
        "airflow flask_appbuilder flask_babel wtforms",
        "the one door to an Airflow connection",
    ),
    "assets": _layer("protocol", "airflow", "a DAG file declares what it waits for, and nothing more"),
    "links": _layer("protocol hooks version_compat", "airflow", "a link reads what a task left behind"),
    "triggers": _layer("protocol client hooks version_compat", "airflow", "the triggerer loads nothing above it"),
    "tasks": _layer(
        "protocol client hooks triggers version_compat",
        "airflow jinja2",
        "what operators and sensors share lies below both",
    ),
    "operators": _layer(
        "protocol client hooks triggers tasks links assets version_compat",
        "airflow pendulum",
        "siblings do not lean on each other",
    ),
    "sensors": _layer(
        "protocol client hooks triggers tasks links version_compat",
        "airflow pendulum",
        "siblings do not lean on each other",
    ),
    "retry_policy": _layer("protocol retry_rules version_compat", "", "a DAG file imports it on every Airflow"),
    "retry_rules": _layer("protocol", "airflow", "it stands on what only Airflow 3.3 and later bring"),
    "checkpoints.plan": _layer("protocol", "", "a plan can be printed without Airflow"),
    "checkpoints": _layer(
        "protocol hooks triggers tasks operators sensors links checkpoints.plan version_compat",
        "airflow",
        "the top: it wires operators and sensors together",
    ),
    "cli": _layer("/ *", "airflow", "requests belongs to the client alone"),
    "demo": _layer("/ *", "airflow", "requests belongs to the client alone"),
    "demo_rollback": _layer("/ demo emulator", "", "it only tells what the demo runs"),
    "demo_ui": _layer("/ *", "", "its Airflow runs in processes of its own"),
    "demo_airflow": _layer("/ *", "airflow", "requests belongs to the client alone"),
    "doctor": _layer("/ *", "airflow", "requests belongs to the client alone"),
}

# Reading a file, a socket, the clock or chance would make the ground depend on where and when it runs.
NOT_FOR_PROTOCOL = frozenset(
    {
        "asyncio",
        "http.client",
        "http.server",
        "io",
        "logging",
        "os",
        "pathlib",
        "random",
        "secrets",
        "select",
        "shutil",
        "socket",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
    }
)
CLOCK_CALLS = frozenset({"now", "today", "utcnow"})

PUBLIC_MODULES = frozenset(
    {
        "assets.css",
        "checkpoints.task_group",
        "client.css",
        "emulator",
        "hooks.css",
        "links.css",
        "operators.retention",
        "operators.snapshot",
        "protocol.errors",
        "retry_policy",
        "sensors.snapshot",
        "triggers.css",
    }
)


@dataclass(frozen=True)
class Import:
    """One import: where it stands and what it names."""

    line: int
    name: str


def _imports(source: Source) -> Iterator[Import]:
    """Every module a file names in an import, also in ``importlib.import_module("...")``."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # "from airflow_css import hooks" means airflow_css.hooks: only the longer name tells the layer.
            yield from (Import(node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (Import(node.lineno, text) for argument in node.args[:1] for text in _texts(argument))


def _texts(node: ast.expr) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _layer_of(below_package: str) -> str:
    """The longest key of LAYERS that covers this dotted name below the package."""
    parts = below_package.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in LAYERS), "")


def _is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def _below_package(name: str) -> str | None:
    return name.removeprefix(PACKAGE).lstrip(".") if _is_within(name, PACKAGE) else None


def _objection(own: str, layer: Layer, name: str) -> str | None:
    """Say what is wrong with importing ``name`` in the layer called ``own``, or nothing."""
    below = _below_package(name)
    if below is not None:
        target = _layer_of(below)
        granted = target == own or "*" in layer.inside or (target or "/") in layer.inside
        return None if granted else f"may not import {PACKAGE}.{below}"
    if own == "protocol" and any(_is_within(name, module) for module in NOT_FOR_PROTOCOL):
        return f"does no I/O and has no clock, so not {name}"
    top = name.partition(".")[0]
    return None if top in sys.stdlib_module_names or top in layer.outside else f"may not import {name}"


def _layer_offences(root: Path) -> list[str]:
    found: list[str] = []
    for source in sources(PACKAGE, root=root):
        own = _layer_of(_below_package(source.module) or "")
        layer = LAYERS[own]
        found.extend(
            f"{source.name}:{item.line}: {own or PACKAGE} {objection}: {layer.reason}"
            for item in _imports(source)
            if (objection := _objection(own, layer, item.name))
        )
    return found


def _unplaced(root: Path) -> list[str]:
    return [
        f"{source.name}: has no layer; give it one in LAYERS"
        for source in sources(PACKAGE, root=root)
        if source.module != PACKAGE and _layer_of(_below_package(source.module) or "") == ""
    ]


def _example_offences(root: Path) -> list[str]:
    found = []
    for source in sources("dags_examples", root=root):
        for item in _imports(source):
            below = _below_package(item.name)
            if below is not None and not any(_is_within(below, module) for module in PUBLIC_MODULES):
                found.append(f"{source.name}:{item.line}: an example is a user, {item.name} is not public")
    return found


def _clock_offences(root: Path) -> list[str]:
    return [
        f"{source.name}:{node.lineno}: the ground has no clock; the caller brings the time"
        for source in sources(f"{PACKAGE}/protocol", root=root)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS
    ]


def _version_offences(root: Path) -> list[str]:
    return [
        f"{source.name}:{item.line}: version_compat is the only module that asks which Airflow this is"
        for source in sources(PACKAGE, root=root)
        for item in _imports(source)
        if item.name in {"airflow.__version__", "airflow.version.version"} and "version_compat" not in source.name
    ]


CHECKS = [_layer_offences, _unplaced, _example_offences, _clock_offences, _version_offences]


def test_the_walls_stand() -> None:
    """No file imports what its layer may not, and each offence comes with the reason for the rule."""
    assert sources(PACKAGE), "found nothing to read"
    offences = [offence for check in CHECKS for offence in check(ROOT)]
    assert not offences, "\n".join(offences)


PLANTED = {
    "airflow_css/protocol/a.py": ("import requests", "facts about CSS outlive every library"),
    "airflow_css/protocol/b.py": (
        "if TYPE_CHECKING:\n    from airflow_css.client import css",
        "may not import",
    ),
    "airflow_css/protocol/c.py": ("import time", "does no I/O and has no clock"),
    "airflow_css/protocol/d.py": ("stamp = datetime.now()", "the caller brings the time"),
    "airflow_css/protocol/e.py": ("from urllib import request", "does no I/O"),
    "airflow_css/client/a.py": ("from airflow_css.hooks.css import CssHook", "usable from a plain script"),
    "airflow_css/emulator/a.py": ("from airflow_css.client.auth import X", "the client it judges"),
    "airflow_css/emulator/b.py": ("import_module('airflow_css.client')", "the client it judges"),
    "airflow_css/hooks/a.py": ("def f():\n    import requests", "the one door"),
    "airflow_css/hooks/b.py": ("from airflow import __version__", "the only module that asks"),
    "airflow_css/triggers/a.py": ("from airflow_css.operators.snapshot import X", "nothing above it"),
    "airflow_css/sensors/a.py": ("import airflow_css.operators.snapshot", "siblings"),
    "airflow_css/checkpoints/plan.py": ("import airflow", "without Airflow"),
    "airflow_css/provider_info.py": ("import airflow", "a plain dictionary"),
    "airflow_css/hooks/form.py": ("import airflow", "are data"),
    "airflow_css/__init__.py": ("from airflow_css import hooks", "must cost nothing"),
    "airflow_css/cli.py": ("import requests", "the client alone"),
    "airflow_css/extras.py": ("", "has no layer"),
    "dags_examples/a.py": ("from airflow_css.protocol.names import fold", "an example is a user"),
}


@pytest.mark.parametrize("path", PLANTED)
def test_a_planted_offence_is_caught(tmp_path: Path, path: str) -> None:
    """Each kind of forbidden import, planted into an empty tree, is reported at its file with its reason."""
    text, reason = PLANTED[path]
    offender = tmp_path / path
    offender.parent.mkdir(parents=True)
    offender.write_text(text)
    offences = [offence for check in CHECKS for offence in check(tmp_path)]
    assert any(offence.startswith(path) and reason in offence for offence in offences), offences


GRANTED = {
    "airflow_css/client/a.py": "import requests\nfrom airflow_css import __version__",
    "airflow_css/client/b.py": "import airflow_css.protocol.x",
    "airflow_css/cli.py": "from airflow_css.emulator.server import x\nfrom airflow.utils import db",
    "airflow_css/operators/a.py": "from airflow_css.hooks.css import X\nimport airflow_css.operators.b",
    "airflow_css/checkpoints/task_group.py": "from airflow_css.checkpoints.plan import X",
    "dags_examples/a.py": "from airflow_css.operators.snapshot import CreateSnapshotOperator\nimport csv",
}


@pytest.mark.parametrize("path", GRANTED)
def test_what_the_layers_grant_is_not_reported(tmp_path: Path, path: str) -> None:
    """Imports along the arrows pass, so the check above does not simply report everything."""
    granted = tmp_path / path
    granted.parent.mkdir(parents=True)
    granted.write_text(GRANTED[path])
    assert [offence for check in CHECKS for offence in check(tmp_path)] == []


PARSED_WITH_A_DAG = ("assets", "hooks", "operators", "sensors", "links", "triggers", "checkpoints", "provider_info")

# Airflow 2 loads requests by itself. So whatever is there after Airflow's own imports is put aside first:
# a heavy module that comes back was asked for by the module of ours that was just imported.
PROBE = """
import importlib, json, sys
import airflow
from airflow.providers.common.compat.sdk import BaseHook, BaseOperator, BaseOperatorLink, BaseSensorOperator
import airflow.triggers.base

def heavy():
    return sorted(name for name in sys.modules if name.partition(".")[0] in HEAVY)

HEAVY = {"requests", "huaweicloudsdkcore", "huaweicloudsdkcss"}
by_airflow = heavy()
for name in by_airflow:
    del sys.modules[name]
loaded = {}
for module in sys.argv[1:]:
    importlib.import_module(module)
    if found := heavy():
        loaded[module] = found[0]
        for name in found:
            del sys.modules[name]
print(json.dumps({"by_airflow": by_airflow[:1], "loaded": loaded}))
"""


def _probe(modules: list[str], root: Path) -> dict[str, dict[str, str]]:
    """Import the modules one by one in a new interpreter; say which of them loaded something heavy."""
    command = [sys.executable, "-W", "ignore", "-c", PROBE, *modules]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    print("Airflow itself loads", answer["by_airflow"] or "nothing heavy")  # noqa: T201 - pytest shows it on failure
    return answer


def _parsed_modules(root: Path) -> list[str]:
    below = {source.module: _below_package(source.module) or "" for source in sources(PACKAGE, root=root)}
    return [module for module, name in below.items() if name.partition(".")[0] in PARSED_WITH_A_DAG]


def test_parsing_a_dag_loads_neither_requests_nor_the_sdk() -> None:
    """Nothing a DAG file imports loads ``requests`` or the official SDK: every parse would pay for it."""
    modules = _parsed_modules(ROOT)
    assert modules, "found nothing to import"
    assert _probe(modules, ROOT)["loaded"] == {}


def test_a_module_that_loads_requests_is_named(tmp_path: Path) -> None:
    """The probe sees ``requests`` when a module loads it, also on an Airflow that had loaded it before."""
    (tmp_path / "guilty.py").write_text("import requests")
    (tmp_path / "innocent.py").write_text("import json")
    assert _probe(["innocent", "guilty"], tmp_path)["loaded"] == {"guilty": "requests"}
