"""
Which Airflow this is: the only module that asks.

Everything else imports one of these constants. A search for its name then finds each place where versions
differ.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow import __version__ as _airflow_version

__all__ = ["AIRFLOW_V_3_0_PLUS", "AIRFLOW_V_3_1_PLUS", "AIRFLOW_V_3_3_PLUS", "airflow_stats", "mask_secret"]


def _major_minor(version: str) -> tuple[int, int]:
    """
    Return the first two numbers of a version, so that a pre-release counts as its release.

    A beta of 3.4 behaves like 3.4 already, and reading two numbers needs no import of ``packaging``.

    :param version: A version such as ``3.3.2`` or ``3.4.0b2``.
    """
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


_AIRFLOW = _major_minor(_airflow_version)

# Newest first: 3.1 and later, 3.0, 2.x.
_MASKING = ("airflow.sdk.log", "airflow.sdk.execution_time.secrets_masker", "airflow.utils.log.secrets_masker")

# Newest first: where a task of 3.2 and later finds it, then all before.
_METRICS = ("airflow.sdk.observability.stats", "airflow.observability.stats", "airflow.stats")

AIRFLOW_V_3_0_PLUS: bool = _AIRFLOW >= (3, 0)
AIRFLOW_V_3_1_PLUS: bool = _AIRFLOW >= (3, 1)
AIRFLOW_V_3_3_PLUS: bool = _AIRFLOW >= (3, 3)


def mask_secret(secret: str) -> None:
    """
    Keep a secret out of logs and rendered fields from now on.

    :param secret: The secret's text.
    """
    # The common-compat provider offers one name for all only from 1.22 on, newer than what many installations pin.
    for module in _MASKING:
        try:
            masking = import_module(module)
        except ModuleNotFoundError:
            continue
        masking.mask_secret(secret)
        return


def airflow_stats() -> Any:
    """
    Return what takes Airflow's metrics in this process: ``incr``, ``gauge`` and ``timing``.

    :raises ImportError: if this Airflow has it nowhere that is known.
    """
    for module in _METRICS:
        try:
            return import_module(module).Stats
        except (ModuleNotFoundError, AttributeError):
            continue
    raise ImportError("none of these takes metrics: " + ", ".join(_METRICS))
