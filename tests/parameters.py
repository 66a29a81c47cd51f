"""Which parameters a class of ours takes, those that it hands on to its bases included."""

from __future__ import annotations

import inspect

__all__ = ["parameters_of"]

# A base class explains what it takes; ``kwargs`` only hands it on.
NOT_NAMED = frozenset({"self", "args", "kwargs"})


def parameters_of(cls: type) -> dict[str, inspect.Parameter]:
    """
    Return the parameters of a class, its own first.

    :param cls: The class; only constructors written in this project count.
    """
    ours = [kind for kind in cls.__mro__ if kind.__module__.startswith("airflow_css") and "__init__" in vars(kind)]
    taken: dict[str, inspect.Parameter] = {}
    for kind in ours:
        for name, parameter in inspect.signature(vars(kind)["__init__"]).parameters.items():
            if name not in NOT_NAMED:
                taken.setdefault(name, parameter)
    return taken
