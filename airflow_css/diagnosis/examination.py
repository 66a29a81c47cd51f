"""
The examination of a connection: one check after the other, up to the first that bars the rest.

Theory of operation. The first request is unsigned: no key is locked for it, and its answer tells the service's time.
So the one signed request that follows is dated right even where the clock of this machine is wrong. When it is refused,
nothing more is sent with these keys. Nothing is ever changed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from airflow_css.client.auth import AkSkAuth
from airflow_css.client.clock import Clock
from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient
from airflow_css.client.refusals import Refusals
from airflow_css.client.skew import LARGEST_SKEW, SkewedClock, skewed_clock_of
from airflow_css.client.visit import Visit, visit
from airflow_css.diagnosis import checks
from airflow_css.diagnosis.causes import (
    AMBIGUOUS_NAME,
    NO_SUCH_CLUSTER,
    OBSTACLES,
    Cause,
    cause_of_error,
    cause_of_no_keys,
    cause_of_unusable,
)
from airflow_css.diagnosis.findings import Finding, Report, Verdict
from airflow_css.protocol.errors import CssAuthError, CssConfigError, CssError, CssNotFoundError, CssUsageError
from airflow_css.protocol.names import is_cluster_id
from airflow_css.protocol.wire import LIST_CLUSTERS, ClusterPage, read_reply

__all__ = ["Subject", "examine"]

MOST_CLUSTERS = 10
_PAGE = {"offset": 1, "limit": 100}
_NO_KEYS = "Check the extra 'credential_source' of the connection, and whether the place can be reached from here."
_AFTER = "comes after what failed above"


class Subject(Protocol):
    """What is examined: the hook."""

    css_conn_id: str
    clock: Clock

    @property
    def settings(self) -> Any:
        """What the connection says."""
        ...

    def get_conn(self) -> CssClient:
        """Return the client."""
        ...


def examine(subject: Subject, cluster: str = "") -> Report:
    """
    Return what was found; it raises nothing that a connection or the service can cause.

    :param subject: The hook of the connection.
    :param cluster: Id or name of the cluster to look at; empty for the connection's default, or else all that are
        visible, ten at most.
    """
    examination = _Examination(subject, cluster)
    steps: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("connection", examination.connection),
        ("keys", examination.keys),
        ("region", examination.region),
        ("project", examination.project),
        ("endpoint", examination.endpoint),
        ("clock", examination.clock),
        ("signature", examination.signature),
        ("clusters", examination.clusters),
    )
    found: list[Finding] = []
    for check, step in steps:
        is_barred = any(f.verdict is Verdict.FAILED and f.check != "clock" for f in found)
        found.append(checks.not_checked(check, _AFTER) if is_barred else step())
    found += examination.each_cluster(is_barred=not examination.is_signed_in)
    found.append(examination.rights_to_write(is_barred=any(f.verdict is Verdict.FAILED for f in found)))
    return Report(tuple(examination.cleaned(finding) for finding in found))


class _Examination:
    """The facts gathered so far, and one method for each check."""

    def __init__(self, subject: Subject, cluster: str) -> None:
        self.is_signed_in = False
        self._subject = subject
        self._cluster = cluster
        self._seen: list[str] = []
        self._settings: Any = None
        self._keys: Credentials | None = None
        self._machine = subject.clock
        self._time = SkewedClock(subject.clock)
        self._skew: timedelta | None = None
        self._page = ClusterPage((), 0)
        self._failure: CssError | None = None

    def connection(self) -> Finding:
        name = f"{self._subject.css_conn_id} can be read"
        try:
            self._settings = self._subject.settings
        except CssConfigError as error:
            if not error.lacks_keys:
                return checks.failed("connection", cause_of_unusable(error))
            self._failure = error
            return checks.ok("connection", name)
        except CssError as error:
            return checks.failed("connection", cause_of_unusable(error))
        if self._settings.warnings:
            return checks.warning("connection", f"{name}. {' '.join(self._settings.warnings)}", "Mend the connection.")
        return checks.ok("connection", name)

    def keys(self) -> Finding:
        try:
            if self._failure is not None:
                raise self._failure
            self._keys = self._settings.credentials
        except CssError as error:
            return checks.failed("keys", cause_of_no_keys(error, _NO_KEYS))
        return checks.ok("keys", f"{checks.key_name(self._keys)}, from {self._settings.keys_from}")

    def region(self) -> Finding:
        return checks.region_of(self._settings.region, self._settings.endpoint)

    def project(self) -> Finding:
        return checks.ok("project", self._settings.project_id)

    def endpoint(self) -> Finding:
        seen = self._visit("/")
        self._skew = seen.skew
        return checks.reached(seen, self._settings.endpoint, is_verified=self._settings.rules.verify is not False)

    def clock(self) -> Finding:
        if self._skew is not None and abs(self._skew) > LARGEST_SKEW:
            self._time = SkewedClock(self._machine, self._skew)
            # Whatever is asked later must not spend a refusal on what is known already.
            self._subject.clock = self._time
        return checks.clock(self._skew)

    def signature(self) -> Finding:
        settings = self._settings
        auth = AkSkAuth(self._keys, settings.project_id, self._time) if self._keys else None
        seen = self._visit(LIST_CLUSTERS.path(project_id=settings.project_id), auth=auth, query=_PAGE)
        if seen.obstacle:
            facts = {"host": settings.endpoint, "endpoint": settings.endpoint, "proxy": seen.proxy}
            return checks.failed("signature", OBSTACLES[seen.obstacle].filled(detail=seen.detail, **facts))
        if seen.status == 401:
            self._remember(seen)
            skew = seen.skew - self._time.skew if seen.skew is not None else None
            return checks.refused(seen, skew, settings.keys_from)
        self.is_signed_in = True
        try:
            self._page = read_reply(LIST_CLUSTERS, seen.status, seen.headers, seen.body)
        except CssError as error:
            self._failure = error
        return checks.ok("signature", "accepted" + (", dated by the service's time" if self._time.skew else ""))

    def clusters(self) -> Finding:
        if self._failure is not None:
            return checks.failed("clusters", self._cause(self._failure))
        count = f"{self._page.total} cluster{'' if self._page.total == 1 else 's'} visible"
        if not self._page.total:
            remedy = "Check region and project: clusters of another one are not shown."
            return checks.warning("clusters", count, remedy)
        return checks.ok("clusters", count)

    def each_cluster(self, *, is_barred: bool) -> Iterator[Finding]:
        chosen = self._cluster or (self._settings.cluster_id if self._settings else "")
        ids = [chosen] if chosen else [cluster.id for cluster in self._page.clusters[:MOST_CLUSTERS]]
        if is_barred or self._is_project_wrong():
            yield checks.not_checked("cluster", _AFTER)
            return
        for cluster in ids:
            yield from self._one_cluster(cluster)
        if not chosen and (left := self._page.total - len(ids)) > 0:
            yield checks.not_checked("cluster", f"{left} more; name one with --cluster")

    def rights_to_write(self, *, is_barred: bool) -> Finding:
        if is_barred:
            return checks.not_checked("rights to write", _AFTER)
        command = "airflow-css doctor --probe"
        if self._subject.css_conn_id != "css_default":
            command += f" --conn-id {shlex.quote(self._subject.css_conn_id)}"
        cluster = self._seen[0] if len(self._seen) == 1 else "'<one of the ids above>'"
        command += f" --cluster {cluster} --indices '<one small index>'"
        finding = checks.not_checked("rights to write", "the examination changes nothing; the probe does, if you want:")
        return replace(finding, details=(command,))

    def cleaned(self, finding: Finding) -> Finding:
        """Return the finding without a key, whatever the service repeated."""
        keys = self._keys
        passwords = self._settings.proxy_secrets() if self._settings else ()

        def clean(text: str) -> str:
            for password in passwords:
                text = text.replace(password, "***")
            return keys.scrub(text).replace(keys.access_key, f"{keys.access_key[:4]}***") if keys else text

        return replace(
            finding,
            text=clean(finding.text),
            remedy=clean(finding.remedy),
            details=tuple(clean(line) for line in finding.details),
        )

    def _remember(self, seen: Visit) -> None:
        """Let this process know that its keys were refused: whoever comes next has one request less for them."""
        if self._keys is None:
            return
        body = self._keys.scrub(seen.body.decode(errors="replace")).encode()
        try:
            read_reply(LIST_CLUSTERS, seen.status, seen.headers, body)
        except CssAuthError as error:
            Refusals(skewed_clock_of(self._settings.endpoint, self._machine)).add(self._keys, error)
        except CssError:
            # A 401 in no form that is known says nothing of the keys.
            return

    def _visit(self, path: str, **signed: Any) -> Visit:
        return visit(self._settings.endpoint + path, rules=self._settings.rules, clock=self._machine, **signed)

    def _one_cluster(self, chosen: str) -> Iterator[Finding]:
        client = self._subject.get_conn()
        try:
            cluster = client.get_cluster(chosen, once=True) if is_cluster_id(chosen) else client.find_cluster(chosen)
        except CssNotFoundError:
            cluster = None
        except CssUsageError as error:
            yield checks.failed("cluster", AMBIGUOUS_NAME.filled(said=error))
            return
        except CssError as error:
            yield checks.failed("cluster", self._cause(error))
            return
        if cluster is None:
            yield checks.failed("cluster", NO_SUCH_CLUSTER.filled(cluster=chosen))
            return
        self._seen.append(cluster.id)
        yield checks.availability("cluster", cluster)
        yield checks.function("snapshot function", cluster)
        yield self._policy(client, cluster.id)

    def _policy(self, client: CssClient, cluster_id: str) -> Finding:
        try:
            policy = client.get_snapshot_policy(cluster_id, once=True)
            usual = checks.longest_of_late(client.list_snapshots(cluster_id, once=True)) if policy.enabled else None
        except CssError as error:
            return checks.warning("automatic policy", f"It cannot be read: {error}", "Tasks go on without it.")
        return checks.policy_collision("automatic policy", policy, usual, self._time.now())

    def _cause(self, error: CssError) -> Cause:
        where = self._settings.region or self._settings.endpoint
        return cause_of_error(error, project=self._settings.project_id, region=where)

    def _is_project_wrong(self) -> bool:
        return self._failure is not None and (
            isinstance(self._failure, CssConfigError) or self._cause(self._failure).name == "wrong-project"
        )
