"""What Airflow learns about this provider before any of it is loaded."""

from __future__ import annotations

from typing import Any

from airflow_css import __version__
from airflow_css.hooks.form import conn_fields, ui_field_behaviour

__all__ = ["get_provider_info"]

_INTEGRATION = "Huawei Cloud CSS"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description; Airflow versions ignore the keys that they do not know."""
    behaviour = ui_field_behaviour()
    return {
        "package-name": "airflow-css",
        "name": _INTEGRATION,
        "description": "Snapshots of Huawei Cloud CSS (Cloud Search Service) clusters.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://www.huaweicloud.com/intl/en-us/product/es.html",
                "tags": ["service"],
            }
        ],
        "connection-types": [
            {
                "connection-type": "huaweicloud_css",
                "hook-class-name": "airflow_css.hooks.css.CssHook",
                "hook-name": _INTEGRATION,
                "ui-field-behaviour": {key.replace("_", "-"): value for key, value in behaviour.items()},
                "conn-fields": conn_fields(),
            }
        ],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_css.hooks.css"]}],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["airflow_css.operators.retention", "airflow_css.operators.snapshot"],
            }
        ],
        "sensors": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_css.sensors.snapshot"]}],
        "triggers": [_modules("airflow_css.triggers.condition", "airflow_css.triggers.css")],
        **_assets(),
        "extra-links": ["airflow_css.links.css.SnapshotLink"],
        "config": {"airflow_css": {"description": "Options of the CSS provider.", "options": _options()}},
    }


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": list(names)}


def _assets() -> dict[str, Any]:
    uris = {
        "schemes": ["css"],
        "handler": "airflow_css.assets.uri.sanitize_uri",
        "factory": "airflow_css.assets.css.css_asset",
    }
    # Airflow 2 reads the second.
    return {"asset-uris": [uris], "dataset-uris": [uris]}


def _options() -> dict[str, dict[str, Any]]:
    return {
        "deployment": {
            "description": "Tells this Airflow from others that use the same clusters. Its snapshots carry it.",
            "version_added": "0.1.0",
            "type": "string",
            "example": "prod",
            "default": "",
        },
        "allow_http_hosts": {
            "description": "Hosts, separated by commas, that may be talked to without encryption.",
            "version_added": "0.1.0",
            "type": "string",
            "example": "css-emulator",
            "default": "",
        },
        "metadata_endpoint": {
            "description": "Where a server's metadata service answers: empty for the usual address, off for nowhere; "
            "elsewhere only on loopback, for tests.",
            "version_added": "0.1.0",
            "type": "string",
            "example": "off",
            "default": "",
        },
    }
