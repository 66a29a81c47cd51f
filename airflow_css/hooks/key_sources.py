"""Where the keys of a connection come from: the place that it names, or the first one that has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_css.client.credentials import Credentials, credentials_from_environment
from airflow_css.client.iam import AgencyKeys
from airflow_css.client.machine_keys import (
    POD_TOKEN_FILE,
    POD_URI,
    MetadataKeys,
    PodIdentityKeys,
    check_metadata_address,
)
from airflow_css.client.rules import SendingRules
from airflow_css.client.sources import CredentialSource, EnvironmentKeys, FixedKeys
from airflow_css.hooks.options import metadata_endpoint
from airflow_css.protocol.errors import CssConfigError

__all__ = ["SOURCES", "chosen_source"]

SOURCES = ("connection", "environment", "pod", "metadata")
"""What ``credential_source`` may say, in the order in which they are looked through when it says nothing."""


def chosen_source(
    connection: Any,
    extra: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    iam_endpoint: str,
    rules: SendingRules,
    keep_secret: Callable[[str], object],
) -> CredentialSource:
    """
    Return where the keys of a connection come from. Nothing is asked yet.

    :param connection: The Airflow connection.
    :param extra: What stands in its extra.
    :param environ: The variables of the process.
    :param iam_endpoint: Where agencies are asked for; empty when nothing says so.
    :param rules: How patient the connection is.
    :param keep_secret: Is told each secret key and token as soon as it is known.
    :raises CssConfigError: if the connection contradicts itself, or there are no keys.
    """
    choice = _text(extra, "credential_source")
    if choice and choice not in SOURCES:
        raise CssConfigError(
            f"The extra 'credential_source' of connection {connection.conn_id!r} is {choice!r}; it is one of "
            f"{', '.join(SOURCES)}, or empty for the first of them that has keys"
        )
    named = _fixed(connection, extra, choice)
    base = named or (_named(connection.conn_id, choice, environ) if choice else _found(connection.conn_id, environ))
    agency, domain = _text(extra, "agency_name"), _text(extra, "agency_domain_name")
    if not agency and not domain:
        return base
    _check_agency(connection.conn_id, agency, domain, iam_endpoint)
    return AgencyKeys(base, iam_endpoint, agency, domain, rules.brief(), keep_secret)


def _text(extra: Mapping[str, Any], key: str) -> str:
    value = extra.get(key)
    return "" if value is None else str(value).strip()


def _fixed(connection: Any, extra: Mapping[str, Any], choice: str) -> FixedKeys | None:
    """Return the keys that the connection holds itself, unless it says that others are to be taken."""
    if choice not in {"", "connection"}:
        return None
    access_key, secret_key = (connection.login or "").strip(), (connection.password or "").strip()
    if access_key and secret_key:
        # What the environment says of keys, half or whole, does not matter then.
        return FixedKeys(Credentials(access_key, secret_key, _text(extra, "security_token") or None), "the connection")
    if not (access_key or secret_key or choice):
        return None
    if not (access_key or secret_key):
        raise CssConfigError.of_no_keys(
            f"The connection {connection.conn_id!r} has no keys. Set its login to the access key and its password to "
            "the secret key, or leave 'credential_source' empty"
        )
    missing, given = ("secret key (password)", "access key") if access_key else ("access key (login)", "secret key")
    raise CssConfigError(
        f"The connection {connection.conn_id!r} has the {given} but not the {missing}. Set both, or neither"
    )


def _named(conn_id: str, choice: str, environ: Mapping[str, str]) -> CredentialSource:
    if choice == "environment":
        return EnvironmentKeys(environ)
    if choice == "pod":
        return _pod(environ) or _refuse_pod(conn_id)
    address = check_metadata_address(metadata_endpoint())
    if not address:
        raise CssConfigError(
            f"The connection {conn_id!r} takes its keys from the metadata service, but the option [airflow_css] "
            "metadata_endpoint of this Airflow says 'off'. Set it to nothing, or choose another credential_source"
        )
    return MetadataKeys(address)


def _found(conn_id: str, environ: Mapping[str, str]) -> CredentialSource:
    if credentials_from_environment(environ)[0] is not None:
        return EnvironmentKeys(environ)
    address = check_metadata_address(metadata_endpoint())
    found = _pod(environ) or (MetadataKeys(address, is_found=True) if address else None)
    if found is None:
        raise CssConfigError.of_no_keys(
            f"The connection {conn_id!r} has no keys. Set its login to the access key and its password to the secret "
            "key, or set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment of the workers"
        )
    return found


def _pod(environ: Mapping[str, str]) -> PodIdentityKeys | None:
    uri, file = environ.get(POD_URI, "").strip(), environ.get(POD_TOKEN_FILE, "").strip()
    return PodIdentityKeys(uri, file) if uri and file else None


def _refuse_pod(conn_id: str) -> PodIdentityKeys:
    raise CssConfigError(
        f"The connection {conn_id!r} takes its keys from the identity of a pod, but {POD_URI} and {POD_TOKEN_FILE} are "
        "not both set. Run the task in a pod whose service account has an identity, or choose another credential_source"
    )


def _check_agency(conn_id: str, agency: str, domain: str, iam_endpoint: str) -> None:
    if not (agency and domain):
        missing = "agency_domain_name" if agency else "agency_name"
        raise CssConfigError(
            f"The connection {conn_id!r} names an agency by half: the extra {missing!r} is missing. Set both "
            "'agency_name' and 'agency_domain_name', the account that owns it, or neither"
        )
    if not iam_endpoint:
        raise CssConfigError(
            f"The connection {conn_id!r} names an agency and an endpoint of its own, but not where its sign-in service "
            "is. Set the extra 'iam_endpoint', for example to 'https://iam.myhuaweicloud.com'"
        )
