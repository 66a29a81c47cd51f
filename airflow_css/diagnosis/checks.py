"""From facts to findings: what each check says. No request is made here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from airflow_css.client.credentials import Credentials
from airflow_css.client.skew import LARGEST_SKEW, behind_or_ahead
from airflow_css.client.visit import Visit
from airflow_css.diagnosis.causes import (
    FUNCTION_OFF,
    OBSTACLES,
    REQUEST_CHANGED,
    Cause,
    cause_of_refusal,
    clock_cause,
    unavailable_cause,
)
from airflow_css.diagnosis.findings import Finding, Verdict
from airflow_css.diagnosis.remedies import remedy_for
from airflow_css.protocol.echo import LineOfRequest, compare_requests, echoed_request
from airflow_css.protocol.models import Cluster, Snapshot, SnapshotPolicy
from airflow_css.protocol.phrases import in_words

__all__ = [
    "availability",
    "clock",
    "failed",
    "function",
    "key_name",
    "longest_of_late",
    "not_checked",
    "ok",
    "policy_collision",
    "reached",
    "refused",
    "region_of",
    "warning",
]

NOTICED = timedelta(minutes=1)
_WHEN_UNKNOWN = timedelta(hours=1)
_HOST = re.compile(r"(?:css|es)\.([a-z]{2,3}(?:-[a-z0-9]+)+)\.myhuaweicloud\.")


def ok(check: str, text: str) -> Finding:
    """
    Return a finding that all is well.

    :param check: What was checked.
    :param text: What was seen.
    """
    return Finding(check, Verdict.OK, text)


def warning(check: str, text: str, remedy: str) -> Finding:
    """
    Return a finding that works, but should not stay so.

    :param check: What was checked.
    :param text: What was seen.
    :param remedy: What to do.
    """
    return Finding(check, Verdict.WARNING, text, remedy)


def failed(check: str, cause: Cause, details: tuple[str, ...] = ()) -> Finding:
    """
    Return a finding that something does not work.

    :param check: What was checked.
    :param cause: Why.
    :param details: Further lines.
    """
    return Finding(check, Verdict.FAILED, cause.text, cause.remedy, cause.name, details)


def not_checked(check: str, reason: str) -> Finding:
    """
    Return a finding that nothing was tried.

    :param check: What was not checked.
    :param reason: Why not.
    """
    return Finding(check, Verdict.NOT_CHECKED, reason)


def key_name(keys: Credentials) -> str:
    """
    Return how keys are called in a report: enough to tell them apart.

    :param keys: The keys.
    """
    return f"{keys.access_key[:4]}***" + (", temporary" if keys.security_token else "")


def region_of(region: str, endpoint: str) -> Finding:
    """
    Return what there is to say of the region: whether it and the endpoint fit together.

    :param region: The region of the connection; empty when it names none.
    :param endpoint: Where requests go.
    """
    found = _HOST.match(urlsplit(endpoint).hostname or "")
    if region and found and found[1] != region:
        text = f"The connection names {region}, but requests go to {endpoint}, which is in {found[1]}."
        return warning("region", text, "Correct the extra 'region', or the host, of the connection.")
    return ok("region", region or (found[1] if found else "not named; the endpoint decides"))


def reached(seen: Visit, endpoint: str, *, is_verified: bool) -> Finding:
    """
    Return whether the endpoint answers.

    :param seen: What came of a request to it.
    :param endpoint: Where it went.
    :param is_verified: Whether its certificate is checked.
    """
    way = f" through the proxy {seen.proxy}" if seen.proxy else ""
    if seen.obstacle:
        facts = {"host": urlsplit(endpoint).netloc, "endpoint": endpoint, "detail": seen.detail, "proxy": seen.proxy}
        return failed("endpoint", OBSTACLES[seen.obstacle].filled(**facts))
    text = f"{endpoint} answers{way}"
    if endpoint.startswith("https:") and not is_verified:
        remedy = "Set the extra 'verify' to true, or to the path of a CA bundle."
        return warning("endpoint", f"{text}, but its certificate is not checked: anybody could be answering.", remedy)
    return ok("endpoint", text)


def clock(skew: timedelta | None) -> Finding:
    """
    Return whether the clock of this machine is right.

    :param skew: The service's time less this machine's; ``None`` when the answer did not tell.
    """
    if skew is None:
        return not_checked("clock", "the answer bore no date")
    if abs(skew) > LARGEST_SKEW:
        return failed("clock", clock_cause(skew))
    if abs(skew) > NOTICED:
        text = f"The clock of this machine is {behind_or_ahead(skew)} the service's, which tolerates 15 min."
        return warning("clock", text, "Set the clock of this machine, for example with NTP.")
    return ok("clock", "less than a minute from the service's")


def refused(seen: Visit, skew: timedelta | None, keys_from: str) -> Finding:
    """
    Return why a signature was refused.

    :param seen: The refusal.
    :param skew: The service's time less the one that the signature was dated with.
    :param keys_from: Where the keys came from, in words.
    """
    message = _message(seen.body)
    cause = cause_of_refusal(message, skew, keys_from)
    echo = echoed_request(message)
    lines = compare_requests(seen.canonical, echo) if echo else ()
    if lines and cause and cause.name == "wrong-secret":
        cause = cause if all(line.is_same for line in lines) else REQUEST_CHANGED
    if cause is None:
        words = message.partition("canonicalRequest")[0].strip() or f"HTTP {seen.status} without a reason"
        cause = Cause("refused", f"The signature was refused: {words}.", remedy_for("refused", keys_from))
    return failed("signature", cause, tuple(_compared(lines)))


def _message(body: bytes) -> str:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return body[:200].decode(errors="replace")
    words = payload.get("error_msg") or payload.get("externalMessage") if isinstance(payload, dict) else None
    return words if isinstance(words, str) else ""


def _compared(lines: Sequence[LineOfRequest]) -> list[str]:
    is_same = bool(lines) and all(line.is_same for line in lines)
    shown = ["The gateway saw the request that was signed, so it is the key:"] if is_same else []
    for line in lines:
        if line.is_same:
            shown.append(f"  {line.part}: {line.ours}")
        else:
            shown += [f"- {line.part}: {line.ours}   (signed)", f"+ {line.part}: {line.theirs}   (seen by the gateway)"]
    return shown


def availability(check: str, cluster: Cluster) -> Finding:
    """
    Return whether a cluster is up, and what runs on it.

    :param check: The name of the check.
    :param cluster: The cluster.
    """
    if cluster.is_unavailable:
        return failed(check, unavailable_cause(cluster))
    if not cluster.is_idle:
        text = f"{cluster.label} is at work: {cluster.doing}."
        return warning(check, text, "Nothing, if you know of it: tasks wait for their turn.")
    return ok(check, f"{cluster.label} is available and idle")


def function(check: str, cluster: Cluster) -> Finding:
    """
    Return whether the snapshot function of a cluster is on.

    :param check: The name of the check.
    :param cluster: The cluster.
    """
    if cluster.is_snapshot_function_on is None:
        return not_checked(check, "CSS did not say whether it is on")
    return ok(check, "on") if cluster.is_snapshot_function_on else failed(check, FUNCTION_OFF)


def longest_of_late(listed: Sequence[Snapshot]) -> float | None:
    """
    Return how long a snapshot may take, in seconds: the longest of the last five good ones; ``None`` when unknown.

    :param listed: The snapshots of the cluster.
    """
    good = [snapshot for snapshot in listed if snapshot.is_good and snapshot.duration_seconds is not None]
    good.sort(key=lambda snapshot: snapshot.ended_at.timestamp() if snapshot.ended_at else 0.0)
    return max((snapshot.duration_seconds or 0.0 for snapshot in good[-5:]), default=None)


def policy_collision(check: str, policy: SnapshotPolicy, usual: float | None, now: datetime) -> Finding:
    """
    Return when the automatic policy collides next with a snapshot of a task: CSS cancels the automatic one.

    :param check: The name of the check.
    :param policy: The policy.
    :param usual: How long a snapshot usually takes, in seconds; ``None`` when unknown.
    :param now: An aware moment.
    """
    if not policy.enabled:
        return ok(check, "off; nothing to collide with")
    due = policy.next_due(now)
    if due is None:
        text = f"It is on, but {policy.frequency} {policy.period!r} is not understood."
        return warning(check, text, "Look in the console when it is due, and start no task at that time.")
    lasts = timedelta(seconds=usual) if usual else _WHEN_UNKNOWN
    length = f"up to {in_words(usual)}" if usual else "an unknown time, say an hour"
    when = f"{policy.frequency} {policy.period}, next due {due:%Y-%m-%d %H:%M} UTC"
    text = f"on: {when}. CSS cancels it when a snapshot of a task runs then; one takes {length}"
    if due - now <= lasts:
        return warning(check, f"{text}, so one that began now would collide.", f"Begin after {due:%H:%M} UTC.")
    return ok(check, f"{text}, so begin none between {due - lasts:%H:%M} and {due:%H:%M} UTC")
