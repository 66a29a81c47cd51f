"""
Keys that the place where a task runs has: a pod of CCE by its identity, a server (ECS) by its agency.

Both are asked without a signature, at an address that neither a connection nor a DAG can change.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from airflow_css.client.clock import Clock
from airflow_css.client.endpoints import is_loopback
from airflow_css.client.skew import skew_to_make_up_for
from airflow_css.client.sources import FetchedKeys, from_temporary
from airflow_css.client.unsigned import PlainAnswer, ask_plainly
from airflow_css.protocol.errors import CssConfigError, CssReplyError, CssTransportError
from airflow_css.protocol.sign_in import read_temporary_keys

__all__ = [
    "METADATA_ADDRESS",
    "METADATA_OFF",
    "POD_TOKEN_FILE",
    "POD_URI",
    "MetadataKeys",
    "PodIdentityKeys",
    "check_metadata_address",
]

METADATA_ADDRESS = "http://169.254.169.254"
METADATA_OFF = "off"
POD_URI = "HC_CONTAINER_CREDENTIALS_FULL_URI"
POD_TOKEN_FILE = "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - the name of a variable, not a secret

_TOKEN_PATH = "/meta-data/latest/api/token"  # noqa: S105 - a path, not a secret
_KEYS_PATH = "/openstack/latest/securitykey"
_TOKEN_LIVES_SECONDS = 21_600
# Metadata services from before the token was invented answer with one of these.
_KNOWS_NO_TOKEN = frozenset({404, 405, 503})
_COME_AGAIN = frozenset({408, 429})
_IF_THERE_IS_NONE = (
    "It was asked because nothing else has keys. If this is no server of the cloud, set the connection's login to the "
    "access key and its password to the secret key, or set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the "
    "environment of the workers"
)
_NO_AGENCY = b"Please configure Cloud Service Agency first"
_METADATA_SECONDS = 3.0
_POD_SECONDS = 5.0
# Who looks for keys everywhere may be on a laptop, where nothing ever answers at that address.
_QUICK_SECONDS = 1.0
_LARGEST_TOKEN_FILE = 65_536


@dataclass(frozen=True)
class MetadataKeys:
    """
    Keys of the agency that a server (ECS) was given, from its metadata service.

    Source: huaweicloudsdkcore 3.1.219, metadata credentials: the token and its fallbacks, and 3 seconds of patience.

    :param address: Where the service answers.
    :param is_found: Whether it is asked because nothing else had keys. Then it is asked quickly, and its silence
        means that there are no keys at all.
    """

    address: str = METADATA_ADDRESS
    is_found: bool = False
    name: str = field(default="the metadata service of this server", init=False)
    is_local: bool = field(default=False, init=False)
    _token: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def fetch(self, clock: Clock) -> FetchedKeys:
        """
        Return the keys of the server's agency.

        :raises CssConfigError: if the server has none.
        :raises CssTransportError: if the service does not answer.
        :raises CssReplyError: if it answers with something else.
        """
        try:
            answer = self._keys(self._token[0] if self._token else self._new_token(must=False))
            if answer.status == 401 and _NO_AGENCY not in answer.body:
                answer = self._keys(self._new_token(must=True))
            return _keys_in(self._good(answer), clock)
        except (CssTransportError, CssReplyError) as error:
            if self.is_found:
                error.args = (f"{error.args[0]}. {_IF_THERE_IS_NONE}", *error.args[1:])
            raise

    def _keys(self, token: str) -> PlainAnswer:
        return self._ask("GET", _KEYS_PATH, {"X-Metadata-Token": token} if token else {})

    def _new_token(self, *, must: bool) -> str:
        answer = self._ask("PUT", _TOKEN_PATH, {"X-Metadata-Token-Ttl-Seconds": str(_TOKEN_LIVES_SECONDS)})
        self._token.clear()
        if answer.status in _KNOWS_NO_TOKEN and not must:
            return ""
        token = self._good(answer).body.decode("latin-1").strip()
        if not token.isascii() or not token.isprintable():
            raise CssTransportError("The metadata service gave a token that cannot be sent")
        self._token.append(token)
        return token

    def _good(self, answer: PlainAnswer) -> PlainAnswer:
        """Return the answer, unless it is a refusal: asking again will not help where others answer at the address."""
        if not 400 <= answer.status < 500 or answer.status in _COME_AGAIN:
            return _good(answer, "The metadata service")
        if self.is_found:
            raise _no_keys_at_all(f" (the metadata service answered HTTP {answer.status})")
        raise CssConfigError.of_no_keys(
            f"The metadata service of this server has no keys (HTTP {answer.status}). Give the server an agency "
            "that may use CSS, in its details in the console, or choose another credential_source"
        )

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> PlainAnswer:
        seconds = _QUICK_SECONDS if self.is_found else _METADATA_SECONDS
        try:
            return ask_plainly(
                method,
                self.address + path,
                headers=headers,
                whom="The metadata service of this server",
                connect_seconds=seconds,
                read_seconds=_METADATA_SECONDS,
            )
        except CssTransportError as error:
            if self.is_found and not error.request_may_have_arrived:
                raise _no_keys_at_all() from None
            raise


@dataclass(frozen=True)
class PodIdentityKeys:
    """
    Keys that a pod of CCE gets for its identity.

    Source: huaweicloudsdkcore 3.1.219, pod identity: the variables, the request, and 5 seconds of patience.

    :param uri: Where the keys are asked for: https, or http on this machine or its link.
    :param token_file: Holds what proves the identity. It is read each time, because it is exchanged from time to time.
    """

    uri: str
    token_file: str
    name: str = field(default="the identity of this pod", init=False)
    is_local: bool = field(default=False, init=False)

    def fetch(self, clock: Clock) -> FetchedKeys:
        """
        Return the keys of the pod's identity.

        :raises CssConfigError: if the address or the file cannot be used, or the identity has no keys.
        :raises CssTransportError: if nobody answers.
        :raises CssReplyError: if the answer is something else.
        """
        answer = ask_plainly(
            "POST",
            _checked_pod_uri(self.uri),
            headers={"Authorization": self._proof(), "Content-Type": "application/json"},
            body=b"{}",
            whom="The identity agent of this pod",
            connect_seconds=_POD_SECONDS,
            read_seconds=_POD_SECONDS,
        )
        if answer.status in {400, 401, 403, 404}:
            raise CssConfigError.of_no_keys(
                f"The identity of this pod has no keys (HTTP {answer.status}). Bind its service account to an agency "
                "that may use CSS, or choose another credential_source"
            )
        return _keys_in(_good(answer, "The identity agent of this pod"), clock)

    def _proof(self) -> str:
        try:
            with Path(self.token_file).open("rb") as file:
                proof = file.read(_LARGEST_TOKEN_FILE).decode("latin-1").strip()
        except OSError as cause:
            raise CssConfigError(
                f"The file that {POD_TOKEN_FILE} names cannot be read: {cause.strerror}. Run the task in a pod whose "
                "service account has an identity, or choose another credential_source"
            ) from cause
        if not proof or not proof.isascii() or not proof.isprintable():
            raise CssConfigError(
                f"The file that {POD_TOKEN_FILE} names holds no token. Run the task in a pod whose service account has "
                "an identity, or choose another credential_source"
            )
        return proof


def check_metadata_address(address: str) -> str:
    """
    Return the address of the metadata service, or an empty text when it is never to be asked.

    :param address: What the deployment says: nothing for the usual one, ``off``, or an address for tests.
    :raises CssConfigError: if it is another one that is not on this machine.
    """
    text = address.strip().rstrip("/") or METADATA_ADDRESS
    if text.lower() == METADATA_OFF:
        return ""
    if text != METADATA_ADDRESS and not (text.startswith("http://") and is_loopback(_host(text))):
        raise CssConfigError(
            f"The option [airflow_css] metadata_endpoint cannot be used. Leave it empty for {METADATA_ADDRESS}, set it "
            "to 'off', or for tests to an address of this machine, for example 'http://127.0.0.1:8100'"
        )
    return text


def _checked_pod_uri(uri: str) -> str:
    host = _host(uri.strip())
    # An address without a readable host is refused below.
    parts = urlsplit(uri.strip() if host else "")
    is_near = is_loopback(host) or _is_link_local(host)
    is_legal = parts.scheme == "https" or (parts.scheme == "http" and is_near)
    # The metadata service is asked by its own source alone, and never with the proof of a pod.
    if not host or not is_legal or "@" in parts.netloc or parts.fragment or host == _host(METADATA_ADDRESS):
        raise CssConfigError(
            f"The variable {POD_URI} holds no address that a pod's identity may be shown to. It is https, or http on "
            "this machine or its link (127.0.0.1, 169.254.x.x), for example 'http://169.254.170.23/v1/credentials'"
        )
    return uri.strip()


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _good(answer: PlainAnswer, whom: str) -> PlainAnswer:
    if answer.status != 200:
        raise CssTransportError(f"{whom} cannot give keys now (HTTP {answer.status})", request_may_have_arrived=False)
    return answer


def _keys_in(answer: PlainAnswer, clock: Clock) -> FetchedKeys:
    return from_temporary(read_temporary_keys(answer.body), skew_to_make_up_for(answer.date, clock))


def _no_keys_at_all(answered: str = "") -> CssConfigError:
    return CssConfigError.of_no_keys(
        "The connection has no keys, and neither the environment, nor a pod's identity, nor a server's metadata "
        f"service has any{answered}. Set the connection's login to the access key and its password to the secret key, "
        "or set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment of the workers"
    )
