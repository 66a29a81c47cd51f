"""A ready retry policy: how Airflow's own retries treat the errors of this package. Airflow 3.3 and later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_css.protocol.errors import CssConfigError
from airflow_css.version_compat import AIRFLOW_V_3_3_PLUS

if TYPE_CHECKING:
    from airflow_css.retry_rules import CssRetryPolicy

__all__ = ["css_retry_policy"]


def css_retry_policy() -> CssRetryPolicy:
    """
    Return a policy for ``retry_policy`` of a task: pause as long as the error needs, and never retry what is hopeless.

    Too many calls: as long as CSS asked for, else a minute. Cluster busy: 5 minutes. CSS or the network failed: the
    task's own ``retry_delay``. Refused keys, wrong values, a full quota and whatever else does not change by itself:
    no retry. Errors that are not of this package are treated as without a policy.

    :raises CssConfigError: if this Airflow is older than 3.3, which brought retry policies.
    """
    if not AIRFLOW_V_3_3_PLUS:
        raise CssConfigError(
            "css_retry_policy() needs Airflow 3.3 or later. Leave retry_policy out here, and set retries and "
            "retry_delay; what no retry can cure is not retried by the operators anyway"
        )
    from airflow_css.retry_rules import CssRetryPolicy, rules

    return CssRetryPolicy(rules())
