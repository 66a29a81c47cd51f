"""
What an Airflow connection says, checked: an allow-list, never a bag.

Whoever may edit a connection must not be able to change more than what is listed here, so unknown keys are ignored with
a warning, and a key that is nearly right is an error instead of a silent default.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from airflow_css.client.clock import Clock, SystemClock
from airflow_css.client.credentials import PROJECT_ID_VARIABLE, Credentials
from airflow_css.client.endpoints import (
    check_endpoint,
    check_proxy,
    endpoint_of_region,
    iam_endpoint_of_region,
    is_public_endpoint,
    region_doubt,
)
from airflow_css.client.key_ring import KeyRing, ring_of
from airflow_css.client.rules import SendingRules
from airflow_css.hooks.console_url import check_template
from airflow_css.hooks.form import EXTRA_FIELDS, LEGACY_EXTRAS
from airflow_css.hooks.key_sources import chosen_source
from airflow_css.hooks.options import allowed_http_hosts
from airflow_css.protocol.errors import CssConfigError, CssUsageError
from airflow_css.protocol.names import check_cluster_id, check_project_id
from airflow_css.protocol.spelling import near

__all__ = ["ConnectionSettings", "read_settings"]

IAM_ENDPOINT_VARIABLE = "HUAWEICLOUD_SDK_IAM_ENDPOINT"
_KNOWN = tuple(field.name for field in EXTRA_FIELDS)


@dataclass(frozen=True)
class ConnectionSettings:
    """
    Everything that a connection decides. Printing it shows no secret.

    :param conn_id: The connection.
    :param endpoint: Where signed requests go.
    :param keys: The keys, renewed as they need it.
    :param project_id: The project; empty when it is to be looked up by the region.
    :param region: The region; empty when only an endpoint was given.
    :param cluster_id: The default cluster; empty when there is none.
    :param deployment: The deployment named by the connection; empty when it names none.
    :param iam_endpoint: Where the sign-in service answers; empty when nothing says so.
    :param rules: Time-outs and TLS.
    :param console_url_template: Address of a snapshot in the console; empty when there is none that can be used.
    :param warnings: What the user should know, one sentence each.
    """

    conn_id: str
    endpoint: str
    keys: KeyRing
    project_id: str
    region: str = ""
    cluster_id: str = ""
    deployment: str = ""
    iam_endpoint: str = ""
    rules: SendingRules = field(default_factory=SendingRules)
    console_url_template: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def keys_from(self) -> str:
        """Where the keys come from, in words."""
        return self.keys.source.name

    @property
    def credentials(self) -> Credentials:
        """
        The keys of this moment.

        :raises CssError: if there are none, or the source does not answer.
        """
        return self.keys.current()

    def proxy_secrets(self) -> tuple[str, ...]:
        """Return what no log may show besides the keys: the password of the proxy as written and as meant."""
        password = urlsplit(self.rules.proxy).password or ""
        return tuple(secret for secret in (password, unquote(password)) if secret)


def read_settings(
    connection: Any,
    *,
    region: str | None = None,
    project_id: str | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    keep_secret: Callable[[str], object] = str,
) -> ConnectionSettings:
    """
    Return what a connection says.

    :param connection: The Airflow connection.
    :param region: Goes before the connection's region.
    :param project_id: Goes before the connection's project.
    :param environ: Where keys, project and sign-in service are looked for when the connection does not say; default
        the process's environment.
    :param clock: Where the time comes from; default the clock of this machine.
    :param keep_secret: Is told each secret key and token as soon as it is known. Default nobody is.
    :raises CssConfigError: if something is missing, contradictory or misspelt; the message names the field.
    """
    conn_id = str(connection.conn_id)
    extra = _extra(connection)
    warnings = _check_keys(conn_id, extra)
    region = region or _text(extra, "region")
    template, doubts = _console_url_template(conn_id, _text(extra, "console_url_template"))
    environ = os.environ if environ is None else environ
    rules = _rules(conn_id, extra)
    endpoint = _endpoint(connection, region)
    iam_endpoint = _iam_endpoint(conn_id, extra, environ, endpoint, region)
    source = chosen_source(connection, extra, environ, iam_endpoint=iam_endpoint, rules=rules, keep_secret=keep_secret)
    project_id = project_id or _text(extra, "project_id") or environ.get(PROJECT_ID_VARIABLE, "").strip()
    return ConnectionSettings(
        conn_id=conn_id,
        endpoint=endpoint,
        keys=ring_of(source, clock or SystemClock(), keep_secret),
        project_id=_project(conn_id, project_id, region, iam_endpoint),
        region=region,
        cluster_id=_cluster(conn_id, _text(extra, "cluster_id")),
        deployment=_text(extra, "deployment"),
        iam_endpoint=iam_endpoint,
        rules=rules,
        console_url_template=template,
        warnings=(*warnings, *doubts, *_doubts(connection, region, rules)),
    )


def _extra(connection: Any) -> dict[str, Any]:
    extra = connection.extra_dejson
    if not isinstance(extra, dict) or (not extra and "".join((connection.extra or "").split()) not in {"", "{}"}):
        raise CssConfigError(
            f'The extra of connection {connection.conn_id!r} is not a JSON object such as {{"region": "cn-north-4"}}'
        )
    return extra


def _check_keys(conn_id: str, extra: Mapping[str, Any]) -> tuple[str, ...]:
    unknown = [key for key in extra if key not in _KNOWN and key not in LEGACY_EXTRAS]
    for key in unknown:
        if meant := near(key, _KNOWN):
            raise CssConfigError(
                f"The extra of connection {conn_id!r} has {key!r}, which is no known key. Did you mean {meant[0]!r}?"
            )
    known = ", ".join(_KNOWN)
    return tuple(
        f"The extra {key!r} of connection {conn_id!r} is not known and is ignored. Known are: {known}."
        for key in unknown
    )


def _text(extra: Mapping[str, Any], key: str) -> str:
    value = extra.get(key)
    return "" if value is None else str(value).strip()


def _endpoint(connection: Any, region: str) -> str:
    host = (connection.host or "").strip()
    if not host and not region:
        raise CssConfigError(
            f"The connection {connection.conn_id!r} says neither where to send (host) nor in which region. "
            "Set the extra 'region', for example to 'cn-north-4'"
        )
    if not host:
        return endpoint_of_region(region)
    if "://" not in host and connection.schema in {"http", "https"}:
        host = f"{connection.schema}://{host}"
    if connection.port and not re.search(r":[0-9]+$", host.rstrip("/")):
        host = f"{host.rstrip('/')}:{connection.port}"
    return check_endpoint(host, allow_http_hosts=allowed_http_hosts())


def _iam_endpoint(
    conn_id: str, extra: Mapping[str, Any], environ: Mapping[str, str], endpoint: str, region: str
) -> str:
    if given := _text(extra, "iam_endpoint"):
        return _checked_iam_endpoint(f"The extra 'iam_endpoint' of connection {conn_id!r}", given)
    # Signed requests for another cloud, or for this machine, must not end up at the public sign-in service.
    if is_public_endpoint(endpoint, region):
        return iam_endpoint_of_region(region)
    given = environ.get(IAM_ENDPOINT_VARIABLE, "").strip()
    return _checked_iam_endpoint(f"The variable {IAM_ENDPOINT_VARIABLE}", given) if given else ""


def _checked_iam_endpoint(where: str, given: str) -> str:
    try:
        return check_endpoint(given, allow_http_hosts=allowed_http_hosts())
    except CssConfigError as cause:
        raise CssConfigError(f"{where} cannot be used. {cause}") from cause


def _doubts(connection: Any, region: str, rules: SendingRules) -> tuple[str, ...]:
    """Return what is legal and yet is seldom meant."""
    unchecked = (
        f"The connection {connection.conn_id!r} has 'verify' false: the server's certificate is NOT checked. Whoever "
        "stands between can read and change everything but the secret key. Set 'verify' to the path of the CA bundle."
    )
    from_region = region if not (connection.host or "").strip() else ""
    doubts = ("" if rules.verify else unchecked, region_doubt(from_region) if from_region else "")
    return tuple(doubt for doubt in doubts if doubt)


def _project(conn_id: str, project_id: str, region: str, iam_endpoint: str) -> str:
    missing = ("" if region else "'region'", "" if iam_endpoint else "'iam_endpoint' (the host is your own)")
    if not project_id and any(missing):
        raise CssConfigError(
            f"The connection {conn_id!r} has no project. Set the extra {' and '.join(filter(None, missing))}, so that "
            "it can be looked up; or set 'project_id' to the 32 characters that My Credentials in the console shows "
            "for the region, for example '6204a5bd270343b5885144cf9c8c158d'"
        )
    return _configured(conn_id, "project_id", project_id, check_project_id) if project_id else ""


def _cluster(conn_id: str, cluster_id: str) -> str:
    return _configured(conn_id, "cluster_id", cluster_id, check_cluster_id) if cluster_id else ""


def _configured(conn_id: str, key: str, value: str, check: Any) -> str:
    try:
        return str(check(value))
    except CssUsageError as cause:
        raise CssConfigError(f"The extra {key!r} of connection {conn_id!r} cannot be used. {cause}") from cause


def _rules(conn_id: str, extra: Mapping[str, Any]) -> SendingRules:
    usual = SendingRules()
    return SendingRules(
        connect_seconds=_seconds(conn_id, extra, "connect_timeout_seconds", usual.connect_seconds),
        read_seconds=_seconds(conn_id, extra, "timeout_seconds", usual.read_seconds),
        verify=_verify(_text(extra, "verify")),
        proxy=_proxy(conn_id, _text(extra, "proxy")),
    )


def _proxy(conn_id: str, text: str) -> str:
    try:
        return check_proxy(text) if text else ""
    except CssConfigError as error:
        raise CssConfigError(f"The extra 'proxy' of connection {conn_id!r} cannot be used. {error}") from None


def _console_url_template(conn_id: str, text: str) -> tuple[str, tuple[str, ...]]:
    """Return the template and what is wrong with it: a link is no reason to go without a backup."""
    try:
        return (check_template(text) if text else ""), ()
    except CssConfigError as error:
        return "", (
            f"The extra 'console_url_template' of connection {conn_id!r} cannot be used: {error}. Tasks have no link.",
        )


def _seconds(conn_id: str, extra: Mapping[str, Any], key: str, usual: float) -> float:
    text = _text(extra, key)
    try:
        seconds = float(text) if text else usual
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 600:
        raise CssConfigError(
            f"The extra {key!r} of connection {conn_id!r} is {text!r}; it is a number from 1 to 600, for example "
            f"{usual:.0f}"
        )
    return seconds


def _verify(text: str) -> bool | str:
    return {"": True, "true": True, "false": False}.get(text.lower(), text)
