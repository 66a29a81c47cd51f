"""The public names: which there are, that they are explained, and that the explanation is of this version."""

from __future__ import annotations

import importlib
import inspect
import re
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.house.sources import ROOT
from tests.parameters import parameters_of

PACKAGE = "airflow_css"
REFERENCE = ROOT / "docs" / "reference.md"

ERRORS = """
    CssError CssUsageError CssConfigError CssTransportError CssApiError CssAuthError CssNotFoundError
    CssBusyError CssStateError CssConflictError CssQuotaError CssRefusedError CssThrottledError CssServerError
    CssReplyError CssSnapshotError CssSnapshotFailedError CssWaitTimeoutError ErrorReply
"""

# Users import these. A name is added on purpose, with its line in docs/reference.md; none is taken away.
SURFACE = {
    "assets.css": "css_asset triggering_backup",
    "checkpoints.task_group": "css_checkpoint css_restore_drill",
    "client.css": "CssClient",
    "emulator": "CssEmulator",
    "hooks.css": "CssHook",
    "links.css": "SnapshotLink",
    "operators.retention": "PruneSnapshotsOperator",
    "operators.snapshot": """
        CreateSnapshotOperator DeleteSnapshotOperator ListSnapshotsOperator RestoreSnapshotOperator
    """,
    "protocol.errors": ERRORS,
    "retry_policy": "css_retry_policy",
    "sensors.snapshot": "ClusterIdleSensor SnapshotFreshnessSensor SnapshotSensor",
}

# Names that nobody can do without who uses the ones above.
COMPANIONS = {
    "checkpoints.task_group": {"RestoreDrill": "css_restore_drill gives it to the tasks of the check"},
    "client.css": {
        "Credentials": "the client is made with it",
        "EnsuredSnapshot": "ensure_snapshot returns it",
        "SendingRules": "the client's time-outs and retries are set with it",
    },
    "links.css": {"persist_link": "an operator of one's own that makes snapshots shows its link with it"},
}

CALLS = """
    create_snapshot ensure_snapshot list_snapshots get_snapshot find_snapshot delete_snapshot
    restore_snapshot get_cluster find_cluster list_clusters get_snapshot_policy
"""
METHODS = {
    ("client.css", "CssClient"): CALLS,
    ("hooks.css", "CssHook"): f"get_conn test_connection {CALLS}",
    ("operators.snapshot", "CreateSnapshotOperator"): "execute",
    ("operators.snapshot", "DeleteSnapshotOperator"): "execute",
    ("operators.snapshot", "ListSnapshotsOperator"): "execute",
    ("operators.snapshot", "RestoreSnapshotOperator"): "execute",
    ("links.css", "SnapshotLink"): "get_link",
    ("sensors.snapshot", "ClusterIdleSensor"): "execute poke",
    ("sensors.snapshot", "SnapshotFreshnessSensor"): "execute poke",
    ("sensors.snapshot", "SnapshotSensor"): "execute poke",
    ("operators.retention", "PruneSnapshotsOperator"): "execute",
}

# Given by Airflow to every operator and hook; its documentation explains them.
FROM_AIRFLOW = frozenset({"context", "kwargs", "args", "self", "cls"})


def _expected(module: str) -> set[str]:
    return set(SURFACE[module].split()) | set(COMPANIONS.get(module, {}))


def _public_things(module: str) -> Iterator[tuple[str, Any]]:
    """The public classes and functions of a module, and the public methods of these classes that are ours."""
    loaded = importlib.import_module(f"{PACKAGE}.{module}")
    for name in loaded.__all__:
        thing = getattr(loaded, name)
        yield name, thing
        if inspect.isclass(thing):
            yield from ((f"{name}.{method}", function) for method, function in _own_methods(thing))


def _own_methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for ancestor in cls.__mro__:
        if not ancestor.__module__.startswith(PACKAGE):
            continue
        for name, member in vars(ancestor).items():
            function = getattr(member, "__func__", member)
            if not name.startswith("_") and isinstance(function, types.FunctionType):
                yield name, function


def _parameters(thing: Any) -> set[str]:
    """Return what a caller may give; nothing for an inherited constructor, which is explained there."""
    if inspect.isclass(thing) and "__init__" not in vars(thing):
        return set()
    taken = parameters_of(thing) if inspect.isclass(thing) else inspect.signature(thing).parameters
    return set(taken) - FROM_AIRFLOW


def _documented(thing: Any) -> set[str]:
    return set(re.findall(r"^\s*:param (\w+):", thing.__doc__ or "", re.MULTILINE))


def _explained_elsewhere(thing: Any) -> Any:
    """Return the method that a docstring's "see ``Class.method``" points to, so that nothing is explained twice."""
    for cls, method in re.findall(r"see ``(\w+)\.(\w+)``", thing.__doc__ or ""):
        for module, names in SURFACE.items():
            if cls in names.split():
                return getattr(getattr(importlib.import_module(f"{PACKAGE}.{module}"), cls), method)
    return None


def _disagreements(name: str, thing: Any) -> Iterator[str]:
    twin = _explained_elsewhere(thing)
    if twin is not None:
        if unknown := _parameters(thing) - _parameters(twin):
            names = ", ".join(sorted(unknown))
            yield f"{name} takes {names}; {twin.__qualname__}, to which it sends its reader, does not"
        return
    documented, taken = _documented(thing) - FROM_AIRFLOW, _parameters(thing)
    yield from (f"{name} explains {parameter}, which it does not take" for parameter in sorted(documented - taken))
    yield from (f"{name} takes {parameter} without a word about it" for parameter in sorted(taken - documented))


@pytest.mark.parametrize("module", SURFACE)
def test_a_public_module_exports_what_is_promised(module: str) -> None:
    """``__all__`` of a public module is the promised list, and each of its names exists."""
    loaded = importlib.import_module(f"{PACKAGE}.{module}")
    assert set(loaded.__all__) == _expected(module)
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []


@pytest.mark.parametrize(("module", "name"), METHODS)
def test_a_public_class_has_the_promised_methods(module: str, name: str) -> None:
    """Each promised call can be made on the class."""
    cls = getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)
    promised = METHODS[module, name].split()
    assert [method for method in promised if not callable(getattr(cls, method, None))] == []


@pytest.mark.parametrize("module", SURFACE)
def test_a_public_name_is_in_the_reference(module: str) -> None:
    """Whoever looks a public name up in the reference finds it there, with its module."""
    text = REFERENCE.read_text(encoding="utf-8")
    missing = [name for name in _expected(module) if not re.search(rf"\b{PACKAGE}\.{module}\.{name}\b", text)]
    assert missing == []


@pytest.mark.parametrize("module", SURFACE)
def test_a_public_thing_is_explained(module: str) -> None:
    """Every public class, function and method has a docstring of its own."""
    silent = [name for name, thing in _public_things(module) if not thing.__doc__]
    assert silent == []


@pytest.mark.parametrize("module", SURFACE)
def test_the_explained_parameters_are_the_real_ones(module: str) -> None:
    """A docstring explains exactly the parameters of its callable."""
    found = [text for name, thing in _public_things(module) for text in _disagreements(name, thing)]
    assert not found, "\n".join(found)


def test_a_wrong_explanation_is_caught() -> None:
    """A parameter that is explained but not taken is reported, and one that is taken but not explained."""

    def offender(taken: int, agreed: int, **kwargs: int) -> None:
        """
        Do nothing.

        :param agreed: Both sides know it.
        :param gone: It was renamed.
        """

    def astray(other: int) -> None:
        """Do nothing: see ``CssClient.get_cluster``."""

    assert list(_disagreements("offender", offender)) == [
        "offender explains gone, which it does not take",
        "offender takes taken without a word about it",
    ]
    assert list(_disagreements("astray", astray)) == [
        "astray takes other; CssClient.get_cluster, to which it sends its reader, does not"
    ]
