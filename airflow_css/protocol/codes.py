"""
The one table of error codes, and the way from an answer to an error.

The code decides; the status decides only when there is no code that the table knows. The sender, the operators and the
documentation read this table; nothing else knows a code by heart.

Source: CSS API reference, "Error Codes", 2025-12-01; API Request Signing Guide, "Error Codes", read 2026-11-23.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from airflow_css.protocol.errors import (
    CssApiError,
    CssAuthError,
    CssBusyError,
    CssConfigError,
    CssConflictError,
    CssError,
    CssNotFoundError,
    CssQuotaError,
    CssRefusedError,
    CssReplyError,
    CssServerError,
    CssStateError,
    CssThrottledError,
    ErrorReply,
)

__all__ = ["CODE_RULES", "STATUS_RULES", "Rule", "error_from_reply", "rule_for", "sender_may_repeat"]


class Rule(NamedTuple):
    """
    What one kind of refusal means, and who may try again.

    ``write_repeats`` says that even a write may be sent again at once, because it was certainly not carried out.
    ``read_repeats`` says the same of a read. ``waits`` says that an operator waits for its turn.
    ``curable`` says that Airflow's own retry may succeed; otherwise the task fails at once.
    """

    error: type[CssApiError]
    codes: tuple[str, ...]
    meaning: str
    remedy: str
    write_repeats: bool = False
    read_repeats: bool = False
    waits: bool = False
    curable: bool = False


@dataclass(frozen=True)
class _Remedies:
    """The sentences that several rows share."""

    permission: str = "Give the keys the permission for this call (css:snapshot:* or css:cluster:*), then run again."
    cluster: str = "Check the cluster id, the region and the project of the connection."
    wait: str = "It ends by itself; the operator waits for its turn."
    request: str = "Correct the request; repeated as it is, it will be refused again."
    server: str = "The service failed; try again later, and quote the request id to its support if it stays."
    keys: str = (
        "Check the access key and the secret key, and the clock of this machine. "
        "More than five refusals in a row lock the key for five minutes."
    )
    frozen: str = "Settle what froze the account or the cluster in the cloud console, then run again."
    bucket: str = "Check the bucket and the agency in the snapshot settings of the cluster."
    rules: str = "Ask whoever manages the access rules of the account."


_R = _Remedies()

CODE_RULES: tuple[Rule, ...] = (
    Rule(
        CssBusyError,
        ("CSS.0011",),
        "another operation runs on the cluster, or it is faulty",
        _R.wait,
        waits=True,
        curable=True,
    ),
    Rule(
        CssBusyError,
        ("CSS.0012",),
        "not allowed while a backup or a standby instance is at work",
        _R.wait,
        waits=True,
        curable=True,
    ),
    Rule(
        CssBusyError,
        ("CSS.0029",),
        "the cluster or the snapshot is still being made",
        _R.wait,
        waits=True,
        curable=True,
    ),
    Rule(
        CssBusyError,
        ("CSS.0077", "CSS.0078"),
        "the cluster is being scaled or upgraded",
        _R.wait,
        waits=True,
        curable=True,
    ),
    Rule(CssBusyError, ("CSS.3004",), "a backup is in progress", _R.wait, waits=True, curable=True),
    Rule(CssBusyError, ("CSS.3016",), "the snapshot is being deleted", _R.wait, waits=True, curable=True),
    Rule(CssBusyError, ("CSS.5090",), "not allowed in the present status", _R.wait, waits=True, curable=True),
    Rule(CssBusyError, ("CSS.6013",), "a parameter change runs on the cluster", _R.wait, waits=True, curable=True),
    Rule(CssRefusedError, ("CSS.0001", "CSS.0006", "CSS.0017"), "a parameter is wrong", _R.request),
    Rule(
        CssRefusedError,
        ("CSS.3011", "CSS.5017", "CSS.5018", "CSS.5020", "CSS.5044", "CSS.5178"),
        "a value of the snapshot policy is wrong",
        _R.request,
    ),
    Rule(
        CssRefusedError,
        ("CSS.5037", "CSS.5038", "CSS.5039", "CSS.5056"),
        "a parameter is missing or out of range",
        _R.request,
    ),
    Rule(CssRefusedError, ("CSS.0048", "CSS.5130"), "the bucket or the agency is missing", _R.bucket),
    Rule(CssRefusedError, ("CSS.5108",), "the operation is not supported", _R.request),
    Rule(CssRefusedError, ("CSS.0023",), "the account lacks resources", "Ask for more resources in the cloud console."),
    Rule(
        CssRefusedError,
        ("CSS.6003", "CSS.6009", "CSS.6010", "CSS.6011", "CSS.6012"),
        "the operation failed inside the service",
        _R.bucket,
    ),
    Rule(CssStateError, ("CSS.0021", "CSS.5301"), "the account or the cluster is frozen", _R.frozen),
    Rule(
        CssStateError,
        ("CSS.0004",),
        "not allowed; the snapshot function of the cluster may be off",
        "Turn the snapshot function on in the console (Cluster Snapshots), then run again.",
    ),
    Rule(CssStateError, ("CSS.5140",), "the cluster does not support this now", _R.cluster),
    Rule(CssServerError, ("CSS.0036", "CSS.0040"), "CSS could not carry it out now", _R.server, curable=True),
    Rule(
        CssServerError, ("CSS.0005", "CSS.1004", "CSS.9999"), "CSS failed", _R.server, read_repeats=True, curable=True
    ),
    Rule(CssAuthError, ("CSS.0045",), "the token is wrong", _R.keys),
    Rule(CssAuthError, ("CSS.0010", "CSS.0032", "CSS.0051", "CSS.5045"), "no permission", _R.permission),
    Rule(CssNotFoundError, ("CSS.0015",), "not found, or no access to it", f"{_R.cluster} {_R.permission}"),
    Rule(CssNotFoundError, ("CSS.0047",), "the cluster is missing or deleted", _R.cluster),
    Rule(
        CssNotFoundError,
        ("CSS.0082", "CSS.3026", "CSS.5111"),
        "the snapshot is missing",
        "List the snapshots of the cluster.",
    ),
    Rule(
        CssNotFoundError,
        ("CSS.0002", "CSS.0007", "CSS.0016", "CSS.0022", "CSS.0028", "CSS.1103", "CSS.3027", "CSS.5042"),
        "the cluster, the snapshot or another resource is missing",
        _R.cluster,
    ),
    Rule(
        CssConflictError,
        ("CSS.0043",),
        "the snapshot name is taken",
        "Use a template that differs, for example with the run id.",
    ),
    Rule(CssConflictError, ("CSS.0031",), "the object exists already", "Use another name."),
    Rule(
        CssQuotaError,
        ("CSS.0030",),
        "no more snapshots are allowed",
        "Delete old snapshots of the cluster, then run again.",
    ),
    Rule(CssAuthError, ("APIGW.0301",), "the signature, the key or the token was refused", _R.keys),
    Rule(CssAuthError, ("APIGW.0303", "APIGW.0305"), "the way of signing in was refused", _R.keys),
    Rule(CssAuthError, ("APIGW.0307",), "the token must be renewed", "Renew the security token of the connection."),
    Rule(CssAuthError, ("APIGW.0302", "APIGW.0304", "APIGW.0306", "APIGW.0802"), "access is denied", _R.permission),
    Rule(
        CssAuthError,
        ("APIGW.0310",),
        "the project is not available",
        "Check the project id and the region of the connection.",
    ),
    Rule(
        CssAuthError,
        ("APIGW.0401", "APIGW.0402", "APIGW.0404", "APIGW.0405"),
        "an access rule forbids this address",
        _R.rules,
    ),
    Rule(
        CssThrottledError,
        ("APIGW.0308",),
        "too many calls",
        "Fewer tasks at once, or a longer poll_interval.",
        write_repeats=True,
        read_repeats=True,
        curable=True,
    ),
    Rule(
        CssServerError,
        ("APIGW.0202", "APIGW.0203", "APIGW.0601", "APIGW.0610"),
        "the gateway failed",
        _R.server,
        read_repeats=True,
        curable=True,
    ),
    Rule(
        CssServerError,
        ("APIGW.0613",),
        "the sign-in service is not available",
        _R.server,
        read_repeats=True,
        curable=True,
    ),
    Rule(CssRefusedError, ("APIGW.0602", "APIGW.0607"), "the gateway refused the request", _R.request),
    Rule(
        CssAuthError,
        ("IAM.0001", "IAM.0061", "IAM.0062", "IAM.0063", "IAM.0064", "IAM.0066", "IAM.0067"),
        "the sign-in service refused the keys",
        _R.keys,
    ),
    Rule(
        CssAuthError,
        ("IAM.0002", "IAM.0003", "IAM.0080", "IAM.0081", "IAM.0082", "IAM.0083"),
        "no permission",
        _R.permission,
    ),
    Rule(
        CssNotFoundError,
        ("IAM.0004",),
        "the sign-in service found nothing",
        "Check the region, the agency and the account that owns it.",
    ),
    Rule(CssConflictError, ("IAM.0005",), "the sign-in service knows it already", "Use another name."),
    Rule(
        CssThrottledError,
        ("IAM.0012",),
        "too many sign-ins",
        "Fewer tasks at once.",
        write_repeats=True,
        read_repeats=True,
        curable=True,
    ),
    Rule(CssServerError, ("IAM.0006",), "the sign-in service failed", _R.server, read_repeats=True, curable=True),
)
"""A row for every code but ``APIGW.0201``, which has many meanings, and ``APIGW.0101``/``0103``: a wrong endpoint."""

STATUS_RULES: dict[int, Rule] = {
    400: Rule(CssRefusedError, (), "the request is invalid", _R.request),
    401: Rule(CssAuthError, (), "not signed in", _R.keys),
    403: Rule(CssAuthError, (), "refused", _R.permission),
    404: Rule(CssNotFoundError, (), "missing", _R.cluster),
    406: Rule(CssRefusedError, (), "the request does not fit the service", _R.request),
    409: Rule(CssConflictError, (), "it conflicts with what is there", "Look at the cluster, then run again."),
    413: Rule(CssRefusedError, (), "the request is too large", _R.request),
    415: Rule(CssRefusedError, (), "the operation is not supported", _R.request),
    422: Rule(CssRefusedError, (), "the request cannot be processed", _R.request),
    429: Rule(
        CssThrottledError,
        (),
        "too many calls",
        "Fewer tasks at once.",
        write_repeats=True,
        read_repeats=True,
        curable=True,
    ),
    501: Rule(
        CssRefusedError, (), "the service lacks this function", "Use a cluster and a region that offer snapshots."
    ),
}
_OTHER_CLIENT_ERROR = Rule(CssRefusedError, (), "refused", _R.request)
_SERVER_ERROR = Rule(CssServerError, (), "the service failed", _R.server, read_repeats=True, curable=True)
_ODD_SUCCESS = Rule(CssServerError, (), "an unknown error code in an answer that says success", _R.server, curable=True)

_WRONG_ENDPOINT = frozenset({"APIGW.0101", "APIGW.0103"})
_BY_CODE = {code: rule for rule in CODE_RULES for code in rule.codes}


def _canonical_code(code: str) -> str:
    # Dedicated gateways print APIG.0301 where the public one prints APIGW.0301.
    return re.sub(r"^APIG\.", "APIGW.", code.strip())


def rule_for(reply: ErrorReply) -> Rule:
    """
    Return the row of the table that an answer falls under.

    :param reply: The facts of the answer.
    """
    known = _BY_CODE.get(_canonical_code(reply.code))
    if known is not None:
        return known
    if reply.status in STATUS_RULES:
        return STATUS_RULES[reply.status]
    if reply.status >= 500:
        return _SERVER_ERROR
    return _ODD_SUCCESS if reply.status < 300 else _OTHER_CLIENT_ERROR


def sender_may_repeat(reply: ErrorReply, *, is_read: bool) -> bool:
    """
    Return whether the sender may send the same call again at once.

    :param reply: The facts of the answer.
    :param is_read: Whether the call only reads.
    """
    rule = rule_for(reply)
    return rule.read_repeats if is_read else rule.write_repeats


def error_from_reply(reply: ErrorReply) -> CssError:
    """
    Return the error that an answer means.

    :param reply: The facts of the answer.
    """
    code = _canonical_code(reply.code)
    if code in _WRONG_ENDPOINT:
        return CssConfigError(
            f"The endpoint does not know this call (HTTP {reply.status} {code}). Check host and region of the "
            "connection: they must lead to the CSS endpoint of the region "
            f"(request id {reply.request_id or 'not given'})"
        )
    if 300 <= reply.status < 400:
        return CssReplyError(
            f"{reply.call} was answered with a redirect (HTTP {reply.status}), which signed requests do not follow. "
            "Put the final address into the connection's host",
            reply,
        )
    rule = rule_for(reply)
    return rule.error(reply, rule.remedy, curable=rule.curable)
