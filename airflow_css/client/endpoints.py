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
from airflow_css.protocol.spelling import near

__all__ = [
    "REGIONS",
    "check_endpoint",
    "check_proxy",
    "endpoint_of_region",
    "iam_endpoint_of_region",
    "is_loopback",
    "is_public_endpoint",
    "region_doubt",
]

REGIONS = frozenset(
    """
    cn-south-1 cn-south-2 cn-south-4 cn-east-2 cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-2 cn-north-4
    cn-north-9 cn-north-11 cn-north-12 cn-southwest-2 cn-southwest-3 ap-southeast-1 ap-southeast-2 ap-southeast-3
    ap-southeast-4 ap-southeast-5 sa-brazil-1 na-mexico-1 la-north-2 la-south-2 af-south-1 af-north-1 tr-west-1
    ae-ad-1 my-kualalumpur-1 me-east-1 ru-moscow-1 eu-west-101
    """.split()  # noqa: SIM905 - easier to compare with the source
)
"""The regions that have CSS."""

# The two oldest regions keep the service's first name.
_OLD_NAME = frozenset({"cn-north-1", "cn-east-2"})
_NUMBER = re.compile(r"-[0-9]+")
_PLACES = frozenset(_NUMBER.sub("", region) for region in REGIONS)
# A new region is often another wind of a known country, so that it is no slip to be two letters away.
_WINDS = frozenset({"north", "east", "south", "west", "northeast", "northwest", "southeast", "southwest", "central"})
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
# 2852039166, 0xa9fea9fe and 169.254.43518 are addresses to the resolver of the machine, though they do not look it.
_ENDS_LIKE_AN_ADDRESS = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
# Printable ASCII, percent-encoded where an address needs it: anything else breaks in the header it becomes.
_SIGN = r"(?:[\w.~!$&'()*+,;=-]|%[2-6][0-9A-Fa-f]|%7[0-9A-Ea-e])"
_USER_AND_PASSWORD = re.compile(rf"{_SIGN}+(:{_SIGN}*)?", re.ASCII)
_EXAMPLE = "For example: 'https://css.cn-north-4.myhuaweicloud.com'."
_PROXY_EXAMPLE = "For example: 'http://proxy.example.com:3128'."


def endpoint_of_region(region: str) -> str:
    """
    Return the address of CSS in a region, for example ``https://css.cn-north-4.myhuaweicloud.com``.

    A region that is not in the table gets the address that follows from its name: see ``region_doubt``.

    :param region: The region's id, for example ``cn-north-4``.
    :raises CssConfigError: if it does not look like a region id, or is a slip of one.
    """
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)+", region) or len(region) > 63:
        raise CssConfigError(f"The region {region!r} is not a region id. For example: 'cn-north-4' or 'eu-west-101'.")
    service = "es" if region in _OLD_NAME else "css"
    address = f"https://{service}.{region}.myhuaweicloud.com"
    if _is_slip(region):
        meant = near(region, REGIONS) or near(_NUMBER.sub("", region), _PLACES)
        raise CssConfigError(
            f"There is no region {region!r}. Did you mean {meant[0]!r}? If it is a new region, set the host of the "
            f"connection to {address!r}."
        )
    return address


def region_doubt(region: str) -> str:
    """
    Return a sentence for the user about a region that is not in the table, or an empty text.

    :param region: A region that ``endpoint_of_region`` took.
    """
    if region in REGIONS:
        return ""
    close = ", ".join(near(region, REGIONS))
    others = f"Near it are: {close}." if close else "None that is known is spelt nearly so."
    return (
        f"The region {region!r} is not known. Its address follows from its name: {endpoint_of_region(region)}. {others}"
    )


def _is_slip(region: str) -> bool:
    """Return whether the words of a region are those of a known one, misspelt: a new number is no slip."""
    place = _NUMBER.sub("", region)
    if place in _PLACES or set(place.split("-")[1:]) <= _WINDS:
        return False
    return bool(near(place, _PLACES) or near(region, REGIONS))


def iam_endpoint_of_region(region: str) -> str:
    """
    Return the address of the sign-in service (IAM) for a region.

    :param region: The region's id; empty for the address that serves all.

    Source: huaweicloudsdkcore 3.1.219, table of IAM addresses.
    """
    return f"https://iam.{region}.myhuaweicloud.com" if region in _WITH_OWN_IAM else "https://iam.myhuaweicloud.com"


def is_public_endpoint(endpoint: str, region: str) -> bool:
    """
    Return whether an address is that of CSS in a region of the public cloud.

    :param endpoint: A checked address.
    :param region: The region's id.
    """
    return endpoint in {f"https://{service}.{region}.myhuaweicloud.com" for service in ("css", "es")}


def check_endpoint(endpoint: str, *, allow_http_hosts: Collection[str] = ()) -> str:
    """
    Return the address that signed requests go to: scheme, host and port, nothing else.

    :param endpoint: With or without ``https://``. ``http`` is for this machine and for the hosts named next.
    :param allow_http_hosts: Hosts that may be talked to without encryption.
    :raises CssConfigError: if it is not an address, has more than scheme, host and port, is plain http elsewhere, or
        is an address that only the machine itself may ask, such as the one that hands out its keys.
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


def check_proxy(proxy: str) -> str:
    """
    Return the address of a proxy: scheme, user and password if it has them, host and port.

    :param proxy: With or without ``http://``; user and password stand before an ``@``, percent-encoded.
    :raises CssConfigError: if it is no such address. The message shows neither user nor password.
    """
    text = proxy.strip()
    parts = _split(text if "://" in text else f"http://{text}", "proxy", _PROXY_EXAMPLE)
    if parts.scheme not in {"http", "https"}:
        raise CssConfigError(f"The proxy {_shown(text)!r} is neither http nor https. {_PROXY_EXAMPLE}")
    if parts.path or parts.query or parts.fragment:
        raise CssConfigError(
            f"The proxy {_shown(text)!r} has more than a host and a port. If the password has special characters, "
            f"write them percent-encoded. {_PROXY_EXAMPLE}"
        )
    user, at, _ = parts.netloc.rpartition("@")
    if at and not _USER_AND_PASSWORD.fullmatch(user):
        raise CssConfigError(
            f"The user or the password of the proxy {_shown(text)!r} has a character that must be percent-encoded, "
            f"for example '@' as '%40'. {_PROXY_EXAMPLE}"
        )
    host = _host(text, parts.hostname, "proxy", _PROXY_EXAMPLE)
    return f"{parts.scheme}://{user}{at}{host}{_port(text, parts.netloc, 'proxy', _PROXY_EXAMPLE)}"


def _split(endpoint: str, what: str = "endpoint", example: str = _EXAMPLE) -> SplitResult:
    text = endpoint.strip()
    # urlsplit drops line breaks and tabs, so that another host could be read than is shown.
    if not text.isprintable():
        raise CssConfigError(f"The {what} {_shown(endpoint)!r} is no address. {example}")
    try:
        return urlsplit((text if "://" in text else f"https://{text}").rstrip("/"))
    except ValueError:
        # The cause repeats the address, and with it what may be a secret.
        raise CssConfigError(f"The {what} {_shown(endpoint)!r} is no address. {example}") from None


def _host(endpoint: str, host: str | None, what: str = "endpoint", example: str = _EXAMPLE) -> str:
    if not host or not _HOST_NAME.fullmatch(host):
        raise CssConfigError(f"The {what} {_shown(endpoint)!r} has no host name. {example}")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if ":" in host or _ENDS_LIKE_AN_ADDRESS.fullmatch(host):
            raise CssConfigError(f"The {what} {_shown(endpoint)!r} has no host name. {example}") from None
        return host
    if _is_of_the_machine_alone(address):
        raise CssConfigError(
            f"The {what} {_shown(endpoint)!r} is an address of this machine's own network, where it asks for its keys "
            f"and not for CSS. {example}"
        )
    return f"[{host}]" if ":" in host else host


def _is_of_the_machine_alone(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether an address leads to the metadata service, or is none that one machine answers at."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inside is not None:
            return _is_of_the_machine_alone(inside)
    return address.is_link_local or address.is_multicast or address.is_unspecified


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    is_nat64 = address in ipaddress.IPv6Network("64:ff9b::/96")
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if is_nat64 else None


def _port(endpoint: str, netloc: str, what: str = "endpoint", example: str = _EXAMPLE) -> str:
    try:
        port = urlsplit(f"//{netloc}").port
    except ValueError:
        raise CssConfigError(f"The {what} {_shown(endpoint)!r} has no valid port. {example}") from None
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
    # Keys that somebody put into the address are masked by nobody else. A slash in a password must not end the mask.
    without_keys = re.sub(r"(^[a-zA-Z][a-zA-Z0-9+.-]*://)?.*@", r"\1***@", endpoint, flags=re.DOTALL)
    return re.sub(r"[?#].*", "?***", without_keys, flags=re.DOTALL)
