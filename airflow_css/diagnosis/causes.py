"""
The table of causes: what an obstacle or a refusal means, and the way out. No request is made here.

Source: API Request Signing Guide, "Error Codes", read 2026-11-23, for the gateway's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from airflow_css.client.skew import LARGEST_SKEW, behind_or_ahead
from airflow_css.client.visit import Obstacle
from airflow_css.diagnosis.remedies import remedy_for
from airflow_css.protocol.errors import CssApiError, CssAuthError, CssConfigError, CssError, CssNotFoundError
from airflow_css.protocol.models import Cluster

__all__ = [
    "CLOCK_OFF",
    "CLOCK_OR_END",
    "FUNCTION_OFF",
    "NO_SUCH_CLUSTER",
    "OBSTACLES",
    "REFUSALS",
    "REQUEST_CHANGED",
    "UNAVAILABLE",
    "Cause",
    "cause_of_error",
    "cause_of_no_keys",
    "cause_of_refusal",
    "cause_of_unusable",
    "clock_cause",
    "unavailable_cause",
]


@dataclass(frozen=True)
class Cause:
    """
    Why something does not work.

    :param name: For programs, for example ``wrong-secret``.
    :param text: In one sentence; may have places for facts in braces.
    :param remedy: What to do, likewise.
    """

    name: str
    text: str
    remedy: str

    def filled(self, **facts: object) -> Cause:
        """
        Return the cause with the facts in their places.

        :param facts: By the names of the places.
        """
        return replace(self, text=self.text.format(**facts), remedy=self.remedy.format(**facts))


OBSTACLES: dict[Obstacle, Cause] = {
    Obstacle.NAME: Cause(
        "dns",
        "The name {host} cannot be resolved ({detail}).",
        "Check the region, or the host of the connection, for a slip; then the name service of this machine. Behind a "
        "proxy set the extra 'proxy'.",
    ),
    Obstacle.PROXY: Cause(
        "proxy",
        "The proxy {proxy} does not let the request through to {host} ({detail}).",
        "Check the extra 'proxy' of the connection, or else HTTPS_PROXY in the environment of this process; NO_PROXY "
        "names hosts that need none.",
    ),
    Obstacle.CONNECTION: Cause(
        "connection",
        "There is no connection to {endpoint}: its name is known, but nobody answers there ({detail}).",
        "Check the port of the host, the firewall and the route of this machine; behind a proxy set the extra 'proxy'.",
    ),
    Obstacle.CERTIFICATE: Cause(
        "tls-certificate",
        "The certificate of {host} is not trusted: {detail}.",
        "If a proxy of yours opens TLS, set the extra 'verify' of the connection to the path of its CA bundle. If not, "
        "do not go on: somebody else may be answering.",
    ),
    Obstacle.ENCRYPTION: Cause(
        "tls",
        "No encrypted connection to {host} comes about: {detail}.",
        "Check scheme and port of the host: this port may not speak TLS.",
    ),
    Obstacle.SETTING: Cause(
        "ca-bundle",
        "The request could not be prepared: {detail}.",
        "Check the extra 'verify' of the connection: true, false, or the path of a CA bundle on this machine.",
    ),
    Obstacle.ANSWER: Cause(
        "no-answer",
        "{host} took the request, but no whole answer came ({detail}).",
        "Try again; if it stays, raise the extra 'timeout_seconds', or look at what stands in between.",
    ),
}
"""One for each step at which a request can fail."""

_EXPIRED = Cause(
    "token-expired",
    "The temporary key or its security token has expired, or the two do not belong together.",
    "",
)
_PROJECT = Cause(
    "wrong-project",
    "The project {project} is not one of region {region}, or not open to these keys: the project, or the region, is "
    "wrong.",
    "Compare both with My Credentials in the console: each region has a project id of its own.",
)

REFUSALS: tuple[tuple[str, Cause], ...] = (
    (
        r"reach the limit",
        Cause(
            "locked-out",
            "The gateway has locked this access key, after more than five refused signatures in a row, by whomever.",
            "Stop every task that uses the key, wait five minutes, mend what was refused, then try once.",
        ),
    ),
    (
        r"ak not exist",
        Cause(
            "unknown-access-key",
            "The gateway does not know this access key.",
            "",
        ),
    ),
    (
        r"verify aksk signature fail",
        Cause(
            "wrong-secret",
            "The signature is wrong: the secret key is not the one of this access key.",
            "",
        ),
    ),
    (r"token expires|decrypt token fail|X-Security-Token|security ?token", _EXPIRED),
    (r"signature expired", _EXPIRED),
    (
        r"x-auth-token not found|Authorization format",
        Cause(
            "signature-lost",
            "The gateway saw no signature: something on the way took it out of the request.",
            "Look for a proxy that removes the header Authorization, and go past it.",
        ),
    ),
)
"""By the gateway's words for a 401; the first that fits decides. Where the remedy is empty, the keys' place decides."""

REQUEST_CHANGED = Cause(
    "request-changed",
    "The signature is wrong, because the gateway saw another request than was signed; the lines that differ follow.",
    "Look for a proxy or a gateway of yours that rewrites requests, and go past it.",
)
CLOCK_OFF = Cause(
    "clock-off",
    "The clock of this machine is {skew} the service's; signatures more than 15 min off are refused.",
    "Set the clock of this machine, for example with NTP. Until then each client signs by the service's time, after "
    "one refusal.",
)
CLOCK_OR_END = Cause(
    "clock-or-end",
    "The sign-in service takes the signature for an old one: the clock of this machine is more than a day off, or the "
    "keys are temporary and have ended.",
    "Set the clock of this machine, for example with NTP; if it is right, get new temporary keys.",
)
NO_SUCH_CLUSTER = Cause(
    "no-such-cluster",
    "There is no cluster {cluster} in this project and region, or these keys may not see it: CSS does not tell which.",
    "Check id or name, the region and the project: without --cluster the doctor lists what is visible. If they are "
    "right, give the keys css:cluster:get.",
)
FUNCTION_OFF = Cause(
    "function-off",
    "The snapshot function is off, so no snapshot can be made.",
    "Turn it on in the console (Cluster Snapshots).",
)
UNAVAILABLE = Cause(
    "cluster-unavailable",
    "The cluster is unavailable (status {status}{reason}).",
    "Repair it in the console; waiting for it is pointless.",
)


def cause_of_refusal(message: str, skew: timedelta | None, keys_from: str) -> Cause | None:
    """
    Return why a signature was refused, or ``None`` when the words are unknown.

    :param message: The gateway's words.
    :param skew: The service's time less the one that the signature was dated with; ``None`` when unknown.
    :param keys_from: Where the keys came from, in words; it decides what to do.
    """
    if skew is not None and abs(skew) > LARGEST_SKEW and "signature expired" in message:
        return CLOCK_OFF.filled(skew=behind_or_ahead(skew))
    cause = next((cause for words, cause in REFUSALS if re.search(words, message, re.IGNORECASE)), None)
    return replace(cause, remedy=cause.remedy or remedy_for(cause.name, keys_from)) if cause else None


def cause_of_error(error: CssError, *, project: str, region: str) -> Cause:
    """
    Return why a call failed.

    :param error: What it raised.
    :param project: The project.
    :param region: The region, or where the request went.
    """
    if isinstance(error, CssConfigError):
        return Cause("wrong-endpoint", str(error), "")
    if isinstance(error, CssApiError):
        if error.reply.code.endswith(".0310"):
            return _PROJECT.filled(project=project, region=region)
        name = "not-found" if isinstance(error, CssNotFoundError) else error.reply.code or f"HTTP {error.reply.status}"
        return Cause(name, str(error), "")
    return Cause("no-answer", str(error), "")


def cause_of_unusable(error: CssError) -> Cause:
    """
    Return why a connection cannot be read to its end: it may have to ask for its project.

    :param error: What reading it raised.
    """
    if isinstance(error, CssConfigError):
        return Cause("connection-unusable", str(error), "")
    return _refused_by_sign_in(error) or cause_of_error(error, project="", region="")


def cause_of_no_keys(error: CssError, remedy: str) -> Cause:
    """
    Return why no keys came: another service may have refused those that ask for them.

    :param error: What was raised.
    :param remedy: What to do when the error itself is all there is to say.
    """
    if isinstance(error, CssConfigError) and error.lacks_keys:
        text, _, way_out = str(error).partition(". ")
        return Cause("no-keys", f"{text}.", f"{way_out}.")
    return _refused_by_sign_in(error) or Cause("no-keys", str(error), remedy)


def _refused_by_sign_in(error: CssError) -> Cause | None:
    if not isinstance(error, CssApiError) or error.reply.status != 401:
        return None
    # A clock that is less than a day off was made up for.
    if "signature expired" in error.reply.message:
        return CLOCK_OR_END
    keys_from = error.keys_from if isinstance(error, CssAuthError) else ""
    return cause_of_refusal(error.reply.message, None, keys_from) or Cause("refused", str(error), "")


def clock_cause(skew: timedelta) -> Cause:
    """
    Return what a clock that differs means.

    :param skew: The service's time less this machine's.
    """
    return CLOCK_OFF.filled(skew=behind_or_ahead(skew))


def unavailable_cause(cluster: Cluster) -> Cause:
    """
    Return why nothing can be done with a cluster.

    :param cluster: One that is unavailable.
    """
    return UNAVAILABLE.filled(
        status=cluster.status, reason=f", {cluster.failed_reason}" if cluster.failed_reason else ""
    )
