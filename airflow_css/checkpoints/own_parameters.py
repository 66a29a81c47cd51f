"""
The parameters of the tasks that a checkpoint or a drill adds, out of reach of a DAG's ``default_args``.

Airflow gives every operator of a DAG those of its ``default_args`` that have the name of a parameter. They are meant
for the user's tasks: a ``wait_for_completion=False`` there would let the work begin before its snapshot is good.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

__all__ = ["of_cluster", "own_parameters"]

# Which cluster, by which connection, and how to wait is the DAG's to say.
_OF_THE_DAG = frozenset({"css_conn_id", "cluster_id", "cluster_name", "deferrable", "poll_interval"})
# The tasks tell each other what they did.
_ALWAYS: Mapping[str, Any] = {"do_xcom_push": True, "trigger_rule": "all_success"}


def own_parameters(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the parameters of a task: what is given, and for all others of this package their defaults.

    :param kind: The operator.
    :param given: Its parameters by name.
    """
    return {**_ALWAYS, **_defaults(kind), **given}


@cache
def _defaults(kind: type) -> Mapping[str, Any]:
    ours = [each for each in reversed(kind.__mro__) if each.__module__.startswith("airflow_css.")]
    return {
        name: parameter.default
        for each in ours
        for name, parameter in inspect.signature(each.__init__).parameters.items()  # type: ignore[misc] # of a class
        if parameter.default is not parameter.empty and name not in _OF_THE_DAG
    }


def of_cluster(cluster_id: str | None, cluster_name: str | None) -> dict[str, str | None]:
    """
    Return which cluster was given; nothing where none was, so that the DAG's ``default_args`` count.

    :param cluster_id: The cluster's id.
    :param cluster_name: Its name.
    """
    if cluster_id is None and cluster_name is None:
        return {}
    # Both: beside a name that is given, an id of the DAG would be a second one.
    return {"cluster_id": cluster_id, "cluster_name": cluster_name}
