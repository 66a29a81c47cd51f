"""One service: how it reads its target, and what its log holds."""

from __future__ import annotations

import pytest

from airflow_css.emulator.exchange import Headers, Request
from tests.emulator.asking import KEY_PATH, TOKEN_PATH, Asker


@pytest.mark.parametrize("target", ["http://169.254.169.254", "http://169.254.169.254:80", "HTTP://metadata"])
def test_a_target_may_name_its_authority(target: str) -> None:
    """A client that takes the service for a proxy is served, and the log holds the path alone."""
    asker = Asker()
    headers = Headers({"X-Metadata-Token-Ttl-Seconds": "60"})
    assert asker.identity.handle("metadata", Request("PUT", f"{target}{TOKEN_PATH}", "", headers)).status == 200
    assert asker.identity.handle("metadata", Request("GET", target)).status == 404
    assert [seen.path for seen in asker.identity.requests] == [TOKEN_PATH, "/"]


def test_every_request_is_in_the_log_without_its_secrets() -> None:
    """Call, path and status are there in their order, for all services together, and are counted by call."""
    asker = Asker()
    asker.security_key()
    asker.pod("wrong")
    asker.assume()
    asker.projects(secret_key="wrong")
    asker.metadata("GET", "/nothing")
    assert [(seen.call, seen.status) for seen in asker.identity.requests] == [
        ("get_metadata_token", 200),
        ("get_security_key", 200),
        ("get_pod_credentials", 401),
        ("assume_agency", 201),
        ("list_projects", 401),
        ("", 404),
    ]
    assert asker.identity.count("get_security_key") == 1
    assert asker.identity.count("list_clusters") == 0
    secrets = {part for key in asker.identity.issued for part in (key.secret_key, key.security_token)}
    assert not [secret for secret in secrets if str(secret) in repr(asker.identity.requests)]


def test_a_dropped_connection_is_in_the_log_as_no_answer() -> None:
    """Its status is 0, as in the log of CSS."""
    asker = Asker()
    asker.identity.metadata.wants_token = False
    asker.identity.faults.drop(call="get_security_key")
    asker.metadata("GET", KEY_PATH)
    assert [seen.status for seen in asker.identity.requests] == [0]


def test_the_log_of_css_holds_nothing_of_this() -> None:
    """Each side counts its own requests."""
    asker = Asker()
    asker.projects()
    assert asker.emulator.requests == ()
