"""What the deployment's own configuration says, in the section ``[airflow_css]`` and elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import conf

from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

__all__ = ["allowed_http_hosts", "deployment_of_this_airflow", "metadata_endpoint"]

SECTION = "airflow_css"
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", ""})  # noqa: S104 - compared with, never bound to


def deployment_of_this_airflow() -> str:
    """Return what tells this Airflow from others, or an empty text: the option, else the host of its web address."""
    configured = conf.get(SECTION, "deployment", fallback="")
    if configured:
        return str(configured)
    section = "api" if AIRFLOW_V_3_0_PLUS else "webserver"
    host = urlsplit(str(conf.get(section, "base_url", fallback="") or "")).hostname or ""
    return "" if host in _LOCAL else host


def allowed_http_hosts() -> tuple[str, ...]:
    """Return the hosts that may be talked to without encryption."""
    listed = str(conf.get(SECTION, "allow_http_hosts", fallback="") or "")
    return tuple(host.strip().lower() for host in listed.split(",") if host.strip())


def metadata_endpoint() -> str:
    """Return where the metadata service is said to answer; empty when nothing is said."""
    return str(conf.get(SECTION, "metadata_endpoint", fallback="") or "")
