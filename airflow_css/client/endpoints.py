"""
Where CSS answers: a region's address, and the rules for an address of the user's own.

Source: huaweicloudsdkcss 3.1.219, region table.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from airflow_css.protocol.errors import CssConfigError

__all__ = ["check_endpoint", "endpoint_of_region", "iam_endpoint_of_region", "is_loopback"]

# The two oldest regions keep the service's first name.
_OLD_NAME = frozenset({"cn-north-1", "cn-east-2"})
# The sign-in service has an address of its own in these regions; elsewhere the one for all answers.
_WITH_OWN_IAM = frozenset(
    {
        "ae-ad-1",
        "af-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "cn-east-2",
        "cn-east-3",
        "cn-east-4",
        "cn-east-5",
        "cn-north-1",
        "cn-north-12",
        "cn-north-2",
        "cn-north-4",
        "cn-north-9",
        "cn-south-1",
        "cn-south-2",
        "cn-southwest-2",
        "eu-west-0",
        "la-north-2",
        "la-south-2",
        "me-east-1",
        "my-kualalumpur-1",
        "na-mexico-1",
        "ru-moscow-1",
        "sa-brazil-1",
        "tr-west-1",
    }
)
# A part between dots has 1 to 63 characters; the connection would break on another one, far from its cause.
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|[0-9a-f:.]*:[0-9a-f:.]*")
_EXAMPLE = "For example: 'https://css.cn-north-4.myhuaweicloud.com'."


def endpoint_of_region(region: str) -> str:
    """
    Return the address of CSS in a region, for example ``https://css.cn-north-4.myhuaweicloud.com``.

    :param region: The region's id, for example ``cn-north-4``.
    :raises CssConfigError: if it does not look like a region id.
    """
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)+", region):
        raise CssConfigError(f"The region {region!r} is not a region id. For example: 'cn-north-4' or 'eu-west-101'.")
    service = "es" if region in _OLD_NAME else "css"
    return f"https://{service}.{region}.myhuaweicloud.com"


def iam_endpoint_of_region(region: str) -> str:
    """
    Return the address of the sign-in service (IAM) for a region.

    :param region: The region's id; empty for the address that serves all.

    Source: huaweicloudsdkcore 3.1.219, table of IAM addresses.
    """
    return f"https://iam.{region}.myhuaweicloud.com" if region in _WITH_OWN_IAM else "https://iam.myhuaweicloud.com"


def check_endpoint(endpoint: str, *, allow_http_hosts: Collection[str] = ()) -> str:
    """
    Return the address that signed requests go to: scheme, host and port, nothing else.

    :param endpoint: With or without ``https://``. ``http`` is for this machine and for the hosts named next.
    :param allow_http_hosts: Hosts that may be talked to without encryption.
    :raises CssConfigError: if it is not an address, has more than scheme, host and port, or is plain http elsewhere.
    """
    parts = _split(endpoint)
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise CssConfigError(f"The endpoint {_shown(endpoint)!r} has more than a host and a port. {_EXAMPLE}")
    host = _host(endpoint, parts.hostname)
    port = _port(endpoint, parts.netloc)
    if parts.scheme == "https":
        return f"https://{host}{port}"
    if parts.scheme != "http":
        raise CssConfigError(f"The endpoint {_shown(endpoint)!r} is neither https nor http. {_EXAMPLE}")
    if not (is_loopback(parts.hostname or "") or parts.hostname in allow_http_hosts):
        raise CssConfigError(
            f"The endpoint {_shown(endpoint)!r} is not encrypted. Use 'https://{host}{port}', or name the host in the "
            "option [airflow_css] allow_http_hosts of this Airflow."
        )
    return f"http://{host}{port}"


def _split(endpoint: str) -> SplitResult:
    text = endpoint.strip()
    # urlsplit drops line breaks and tabs, so that another host could be read than is shown.
    if not text.isprintable():
        raise CssConfigError(f"The endpoint {_shown(endpoint)!r} is no address. {_EXAMPLE}")
    try:
        return urlsplit((text if "://" in text else f"https://{text}").rstrip("/"))
    except ValueError as cause:
        raise CssConfigError(f"The endpoint {_shown(endpoint)!r} is no address. {_EXAMPLE}") from cause


def _host(endpoint: str, host: str | None) -> str:
    if not host or not _HOST_NAME.fullmatch(host):
        raise CssConfigError(f"The endpoint {_shown(endpoint)!r} has no host name. {_EXAMPLE}")
    return f"[{host}]" if ":" in host else host


def _port(endpoint: str, netloc: str) -> str:
    try:
        port = urlsplit(f"//{netloc}").port
    except ValueError as cause:
        raise CssConfigError(f"The endpoint {_shown(endpoint)!r} has no valid port. {_EXAMPLE}") from cause
    return f":{port}" if port is not None else ""


def is_loopback(host: str) -> bool:
    """
    Return whether a host is this machine.

    :param host: A name or an address, without port and brackets.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(endpoint: str) -> str:
    # Keys that somebody put into the address are masked by nobody else.
    return re.sub(r"[?#].*", "?***", re.sub(r"[^/@]*@", "***@", endpoint), flags=re.DOTALL)
