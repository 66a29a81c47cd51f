"""The sign-in service (IAM): keys of an agency, and the project of a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_css.client.clock import Clock
from airflow_css.client.key_ring import KeyRing, ring_of
from airflow_css.client.rules import SendingRules
from airflow_css.client.shared import Shared, shared_by_process
from airflow_css.client.skew import skewed_clock_of
from airflow_css.client.sources import CredentialSource, FetchedKeys, from_temporary
from airflow_css.protocol.errors import (
    CssApiError,
    CssAuthError,
    CssConfigError,
    CssReplyError,
    CssUsageError,
    ErrorReply,
)
from airflow_css.protocol.names import check_project_id
from airflow_css.protocol.sign_in import ASSUME_AGENCY, LIST_PROJECTS, Project, build_assume_body

__all__ = ["PROJECTS", "AgencyKeys", "find_project_id"]

# Assumed: an hour. The service allows 900 to 86400 seconds; a short life costs more calls, a long one more if it leaks.
AGENCY_KEYS_LIVE_SECONDS = 3600

PROJECTS: Shared[tuple[CredentialSource, str, str, str], str] = shared_by_process(256)
"""What was found, by source, access key, region and sign-in service."""


@dataclass(frozen=True)
class AgencyKeys:
    """
    Keys of an agency, asked for with the keys of another source.

    Source: IAM API reference, "Obtaining a Temporary Access Key Through an Agency", read 2026-11-24. Assumed: the
    request may be signed with keys instead of carrying a token, as the Terraform provider huaweicloud does.

    :param base: Where the keys come from that ask.
    :param endpoint: The sign-in service.
    :param agency_name: The agency.
    :param domain_name: The account that owns the agency.
    :param rules: How patient to be.
    :param keep_secret: Is told the secrets of ``base``.
    """

    base: CredentialSource
    endpoint: str
    agency_name: str
    domain_name: str
    rules: SendingRules = field(default_factory=SendingRules)
    keep_secret: Callable[[str], object] = field(default=str, repr=False, compare=False)
    is_local: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """The agency and whose keys ask for it, in words."""
        return f"the agency {self.agency_name} (asked for with the keys of {self.base.name})"

    def fetch(self, clock: Clock) -> FetchedKeys:
        """
        Return keys of the agency.

        :raises CssConfigError: if the agency is missing, or may not be used with these keys.
        :raises CssError: if the sign-in service refuses the keys, or does not answer.
        """
        from airflow_css.client.sender import Sender

        ring = ring_of(self.base, clock, self.keep_secret)
        sender = Sender(self.endpoint, ring, None, rules=self.rules, clock=clock)
        body = build_assume_body(self.agency_name, self.domain_name, AGENCY_KEYS_LIVE_SECONDS)
        try:
            keys = sender.send(ASSUME_AGENCY, body=body)
            return from_temporary(keys, skewed_clock_of(self.endpoint, clock).skew)
        except CssApiError as error:
            if error.reply.status not in {400, 403, 404}:
                raise
            raise CssConfigError.of_no_keys(self._refused(error.reply)) from None
        finally:
            sender.close()

    def _refused(self, reply: ErrorReply) -> str:
        # Not the error's own words on what to do: those are about clusters and their permissions.
        said = f"(HTTP {reply.status} {reply.code}, request id {reply.request_id or 'not given'})"
        if reply.status == 404:
            return (
                f"There is no agency {self.agency_name!r} in the account {self.domain_name!r} {said}. Check the extras "
                "'agency_name' and 'agency_domain_name' of the connection"
            )
        return (
            f"The keys of {self.base.name} may not take on the agency {self.agency_name!r} of {self.domain_name!r} "
            f"{said}. Give them the permission Agent Operator, and check both names; the sign-in service says: "
            f"{reply.message.rstrip('. ') or 'nothing'}"
        )


def find_project_id(ring: KeyRing, region: str, endpoint: str, *, rules: SendingRules, clock: Clock) -> str:
    """
    Return the id of the project that a region has in the account, asked for once per source and process.

    :param ring: The keys.
    :param region: The region.
    :param endpoint: The sign-in service.
    :param rules: How patient to be.
    :param clock: Where the time comes from.
    :raises CssConfigError: if there is none, or more than one, or the keys may not ask.
    :raises CssError: if the sign-in service refuses the keys, or does not answer.

    Source: IAM API reference, "Querying a Project List", read 2026-11-24.
    """
    # Keys of the environment may be exchanged for those of another account; a renewed pair belongs to the same one.
    key = (ring.source, ring.current().access_key if ring.source.is_local else "", region, endpoint)
    known = PROJECTS.find(key)
    if known is not None:
        return known
    found = _only_one(_projects_of(ring, region, endpoint, rules, clock), region)
    return PROJECTS.get(key, lambda: found)


def _projects_of(ring: KeyRing, region: str, endpoint: str, rules: SendingRules, clock: Clock) -> tuple[Project, ...]:
    from airflow_css.client.sender import Sender

    sender = Sender(endpoint, ring, None, rules=rules, clock=clock)
    try:
        return sender.send(LIST_PROJECTS, query={"name": region})
    except CssAuthError as error:
        if error.reply.status == 401:
            raise
        raise CssConfigError(
            f"The project of region {region!r} cannot be looked up, because the keys may not list projects. Set the "
            f"extra 'project_id' of the connection, or give the keys iam:projects:listProjects. {error}"
        ) from None
    finally:
        sender.close()


def _only_one(found: tuple[Project, ...], region: str) -> str:
    fitting = [project for project in found if project.name in {region, ""}]
    if not fitting:
        raise CssConfigError(
            f"The account has no project in the region {region!r}. Check the region; if it is right, open it once in "
            "the console, or set the extra 'project_id' of the connection"
        )
    if len(fitting) > 1:
        ids = ", ".join(project.id for project in fitting)
        raise CssConfigError(
            f"The account has more than one project in the region {region!r}: {ids}. Set the extra 'project_id' of the "
            "connection to one of them"
        )
    try:
        return check_project_id(fitting[0].id)
    except CssUsageError as error:
        raise CssReplyError(f"The sign-in service names a project that cannot be one. {error}") from None
