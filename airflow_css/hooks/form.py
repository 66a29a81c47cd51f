"""
The connection's fields, declared once: what may stand in ``extra``, and how the form shows it.

Both forms are built from here: the declared one (Airflow 3.2 and later) and the hook's own (before).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["EXTRA_FIELDS", "LEGACY_EXTRAS", "ExtraField", "conn_fields", "ui_field_behaviour"]


@dataclass(frozen=True)
class ExtraField:
    """
    One key of the connection's ``extra``.

    :param name: The key.
    :param label: What the form calls it.
    :param description: What it is for, and a legal value.
    :param kind: Its JSON type.
    :param is_secret: Whether the form hides what is typed.
    """

    name: str
    label: str
    description: str
    kind: str = "string"
    is_secret: bool = False


EXTRA_FIELDS: tuple[ExtraField, ...] = (
    ExtraField("region", "Region", "Region of the clusters, for example cn-north-4. Not needed when Endpoint is set."),
    ExtraField("project_id", "Project ID", "32 lower-case letters and digits. Empty: looked up for the region."),
    ExtraField("cluster_id", "Default cluster ID", "Used by tasks that name no cluster."),
    ExtraField(
        "deployment", "Deployment", "Tells this Airflow from others that use the same clusters, for example prod."
    ),
    ExtraField("security_token", "Security token", "Comes with temporary keys only.", is_secret=True),
    ExtraField(
        "credential_source",
        "Credential source",
        "connection, environment, pod or metadata. Empty: the first that has keys.",
    ),
    ExtraField("agency_name", "Agency", "Taken on with these keys, for example css-backup. Empty: none."),
    ExtraField("agency_domain_name", "Account of the agency", "The account that owns it, for example hwc-prod."),
    ExtraField("iam_endpoint", "IAM endpoint", "Where projects and agencies are asked for. Empty: from the region."),
    ExtraField("verify", "Verify TLS", "true (default), false, or the path of a CA bundle."),
    ExtraField(
        "timeout_seconds", "Time-out (seconds)", "How long to wait for an answer, 1 to 600; default 60.", kind="number"
    ),
    ExtraField(
        "connect_timeout_seconds",
        "Time-out of connecting (seconds)",
        "How long to wait until the endpoint takes the connection, 1 to 600; default 10.",
        kind="number",
    ),
    ExtraField(
        "proxy",
        "Proxy",
        "For example http://user:password@proxy.example.com:3128; empty: what the environment of the workers says.",
        is_secret=True,
    ),
    ExtraField(
        "console_url_template",
        "Console URL template",
        "Where the link of a task leads: https, with {region}, {project_id}, {cluster_id}, {snapshot_id}.",
    ),
)

# The older provider's connections carry these; they mean nothing for snapshots.
LEGACY_EXTRAS = frozenset({"enterprise_project_id", "obs_bucket", "domain_id"})

_HIDDEN = ("schema", "port")
_LABELS = {
    "login": "Access key (AK)",
    "password": "Secret key (SK)",  # nosec B105 - a label
    "host": "Endpoint",
}
_PLACEHOLDERS = {
    "login": "empty: from HUAWEICLOUD_SDK_AK",
    "password": "empty: from HUAWEICLOUD_SDK_SK",  # nosec B105 - a hint
    "host": "https://css.cn-north-4.myhuaweicloud.com (empty: from the region)",
}


def ui_field_behaviour() -> dict[str, Any]:
    """Return how the form shows Airflow's own fields, as the hook method wants it."""
    return {"hidden_fields": list(_HIDDEN), "relabeling": dict(_LABELS), "placeholders": dict(_PLACEHOLDERS)}


def conn_fields() -> dict[str, dict[str, Any]]:
    """Return the extra fields, as the declared form wants them."""
    return {field.name: _declared(field) for field in EXTRA_FIELDS}


def _declared(field: ExtraField) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": [field.kind, "null"]}
    if field.is_secret:
        schema["format"] = "password"
    return {"label": field.label, "description": field.description, "schema": schema}
