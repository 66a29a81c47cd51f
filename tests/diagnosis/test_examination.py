"""The examination against the emulator: for each way in which a connection can be wrong, the right cause."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_css.client.skew import SkewedClock
from airflow_css.diagnosis.examination import MOST_CLUSTERS, examine
from airflow_css.diagnosis.findings import Finding, Report, Verdict
from tests.tls_server import make_certificate, serving_tls
from tests.world import World, new_world

MISSING = "00000000-0000-4000-8000-000000000000"
TOKEN = "TOKENofTheDoctorsTest/0123456789"
SECRET = "SECRETofTheDoctorsTest0123456789"


def _connect(world: World, *, extra: dict[str, Any] | None = None, **fields: Any) -> None:
    """Write the connection anew, with other fields than those that work."""
    connection = json.loads(world.emulator.connection_json(**(extra or {})))
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps({**connection, **fields})


def _examined(world: World, cluster_id: str = "", *, skew: timedelta = timedelta()) -> Report:
    hook = world.hook_class()
    hook.clock = SkewedClock(world.clock, skew)
    return examine(hook, cluster_id)


def _finding(report: Report, check: str) -> Finding:
    return next(finding for finding in report.findings if finding.check == check)


def _refused(world: World) -> int:
    """Return how many signed requests were refused."""
    return sum(seen.status == 401 and seen.path != "/" for seen in world.emulator.requests)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _behind_a_dead_proxy(world: World) -> None:
    os.environ["HTTPS_PROXY"] = f"http://somebody:hidden@127.0.0.1:{_closed_port()}"
    _connect(world, host="https://css.example.invalid")


def _locked_out(world: World) -> None:
    _connect(world, password="wrong")
    for _ in range(6):
        _examined(world)
    world.connect()


def _without_the_function(world: World) -> None:
    world.emulator.change_cluster(snapshot_function=False)


def _disconnect(_world: World) -> None:
    del os.environ["AIRFLOW_CONN_CSS_DEFAULT"]


EXPIRED = "Incorrect IAM authentication information: token expires, expires_at: 2026-11-23T10:00:00Z"
CASES: dict[str, tuple[str, str, Callable[[World], None]]] = {
    "wrong secret": ("signature", "wrong-secret", lambda world: _connect(world, password="wrong")),
    "unknown access key": ("signature", "unknown-access-key", lambda world: _connect(world, login="AKUNKNOWN")),
    "wrong project": ("clusters", "wrong-project", lambda world: _connect(world, extra={"project_id": "0" * 32})),
    "wrong region": (
        "clusters",
        "wrong-project",
        lambda world: _connect(world, extra={"region": "cn-north-9", "project_id": "0" * 32}),
    ),
    "no such cluster": ("cluster", "no-such-cluster", lambda world: _connect(world, extra={"cluster_id": MISSING})),
    "function off": ("snapshot function", "function-off", _without_the_function),
    "cluster down": ("cluster", "cluster-unavailable", lambda world: world.emulator.change_cluster(status="303")),
    "proxy failure": ("endpoint", "proxy", _behind_a_dead_proxy),
    "nobody there": (
        "endpoint",
        "connection",
        lambda world: _connect(world, host=f"http://127.0.0.1:{_closed_port()}"),
    ),
    "no TLS there": (
        "endpoint",
        "tls",
        lambda world: _connect(world, host=world.emulator.url.replace("http:", "https:")),
    ),
    "CA bundle missing": (
        "endpoint",
        "ca-bundle",
        lambda world: _connect(world, host="https://127.0.0.1:1", extra={"verify": "/nowhere/ca.pem"}),
    ),
    "lock-out": ("signature", "locked-out", _locked_out),
    "token of another key": (
        "signature",
        "token-expired",
        lambda world: _connect(world, extra={"security_token": f"{TOKEN}old"}),
    ),
    "token missing": ("signature", "token-expired", lambda world: _connect(world, extra={"security_token": None})),
    "token expired": (
        "signature",
        "token-expired",
        lambda world: world.emulator.faults.answer(401, "APIGW.0301", message=EXPIRED),
    ),
    "temporary key expired": (
        "signature",
        "token-expired",
        lambda world: world.emulator.faults.answer(
            401, "APIGW.0301", message="calc ak sk signature fail:signature expired"
        ),
    ),
    "no permission": (
        "clusters",
        "CSS.0010",
        lambda world: world.emulator.faults.answer(403, "CSS.0010", call="list_clusters"),
    ),
    "another service": (
        "clusters",
        "wrong-endpoint",
        lambda world: world.emulator.faults.answer(404, "APIGW.0101", call="list_clusters"),
    ),
    "service failing": ("clusters", "HTTP 503", lambda world: world.emulator.faults.answer(503, call="list_clusters")),
    "connection missing": (
        "connection",
        "connection-unusable",
        _disconnect,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_right_cause_is_named(case: str) -> None:
    """Whatever is wrong, the first finding that failed names it, with a way out, and no key is in the report."""
    check, cause, spoil = CASES[case]
    with new_world(secret_key=SECRET, security_token=TOKEN) as world:
        spoil(world)
        report = _examined(world)
    assert [(finding.check, finding.cause) for finding in report.failed][:1] == [(check, cause)], report.lines()
    assert len(report.failed[0].sentence.split(". ")) > 1
    shown = json.dumps(report.as_json()) + "\n".join(report.lines())
    assert [secret for secret in (SECRET, TOKEN, world.emulator.access_key, "hidden") if secret in shown] == []


def test_a_secret_would_be_seen() -> None:
    """What the test above looks for stands in the gateway's own words, so that it could have been found."""
    with new_world(secret_key=SECRET, security_token=TOKEN) as world:
        world.emulator.faults.answer(401, "APIGW.0301", message=f"of {TOKEN} and {SECRET}: refused")
        finding = _finding(_examined(world), "signature")
    assert finding.text == "The signature was refused: of *** and ***: refused."


def test_a_sound_connection_has_nothing_but_ok(world: World) -> None:
    """Where all is well every line says so; only rights to write are not checked."""
    report = _examined(world)
    assert {finding.check for finding in report.findings if finding.verdict is not Verdict.OK} == {"rights to write"}
    assert _finding(report, "rights to write").verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize(
    ("minutes", "words"), [(-20, "20 min behind"), (20, "20 min ahead of"), (-300, "300 min behind")]
)
def test_a_wrong_clock_is_measured_and_made_up_for(world: World, minutes: int, words: str) -> None:
    """A clock beyond what the gateway tolerates is the one thing that failed, and no key is refused for it."""
    report = _examined(world, skew=timedelta(minutes=minutes))
    assert [(finding.check, finding.cause) for finding in report.failed] == [("clock", "clock-off")]
    assert words in report.failed[0].text
    assert _finding(report, "signature").verdict is Verdict.OK
    assert _refused(world) == 0


def test_a_clock_that_is_a_little_off_is_a_warning(world: World) -> None:
    """Three minutes do no harm yet."""
    finding = _finding(_examined(world, skew=timedelta(minutes=3)), "clock")
    assert finding.verdict is Verdict.WARNING
    assert "3 min ahead" in finding.text


@pytest.mark.parametrize("case", ["wrong secret", "token of another key", "token expired", "temporary key expired"])
def test_a_refused_key_is_not_sent_again(case: str) -> None:
    """One signed request is refused, and the examination ends with it."""
    with new_world(secret_key=SECRET, security_token=TOKEN) as world:
        CASES[case][2](world)
        report = _examined(world)
        assert _refused(world) == 1
    assert _finding(report, "clusters").verdict is Verdict.NOT_CHECKED
    assert _finding(report, "cluster").verdict is Verdict.NOT_CHECKED


def test_a_request_that_was_changed_is_shown_line_by_line() -> None:
    """Where the gateway saw another request, the differing lines stand side by side and the token is cut out."""
    with new_world(security_token=TOKEN) as world:
        echo = f"GET|/v1.0/other/clusters/|limit=100&offset=1|host:proxy.example.com|x-security-token:{TOKEN}x||host|ab"
        world.emulator.faults.answer(401, "APIGW.0301", message=f"verify aksk signature fail, canonicalRequest:{echo}")
        finding = _finding(_examined(world), "signature")
    assert finding.cause == "request-changed"
    assert "  method: GET" in finding.details
    assert "+ host: proxy.example.com   (seen by the gateway)" in finding.details
    assert "- x-security-token: ***   (signed)" in finding.details
    assert TOKEN not in str(finding)


def test_a_wrong_secret_shows_that_the_request_is_the_same() -> None:
    """Where only the secret is wrong, all lines are equal, so that nobody looks for a proxy."""
    with new_world(security_token=TOKEN) as world:
        _connect(world, password="wrong")
        details = _finding(_examined(world), "signature").details
    assert "  method: GET" in details
    assert [line for line in details if not line.startswith("  ")] == []


def test_a_certificate_that_nobody_trusts_is_named(world: World, tmp_path: Path) -> None:
    """A self-signed certificate fails at TLS; with it as CA bundle, or unchecked with a warning, all is well."""
    certificate = make_certificate(tmp_path)
    with serving_tls(world.emulator, certificate) as url:
        _connect(world, host=url)
        distrusted = _examined(world)
        _connect(world, host=url, extra={"verify": str(certificate)})
        trusted = _examined(world)
        _connect(world, host=url, extra={"verify": "false"})
        with pytest.warns(match="Unverified HTTPS request"):
            unchecked = _examined(world)
    assert [(f.check, f.cause) for f in distrusted.failed] == [("endpoint", "tls-certificate")]
    assert "self-signed certificate" in distrusted.failed[0].text
    assert trusted.failed == trusted.warnings == ()
    assert [f.check for f in unchecked.warnings] == ["endpoint"]


def test_region_and_endpoint_that_disagree_are_a_warning(world: World) -> None:
    """A region beside an endpoint of another one is told before anything is sent."""
    os.environ["HTTPS_PROXY"] = f"http://127.0.0.1:{_closed_port()}"
    _connect(world, host="https://css.cn-north-4.myhuaweicloud.com")
    finding = _finding(_examined(world), "region")
    assert finding.verdict is Verdict.WARNING
    assert "which is in cn-north-4" in finding.text


def test_all_visible_clusters_are_looked_at_but_not_without_end() -> None:
    """Without a default cluster ten are looked at, and the report says how many are left."""
    with new_world(clusters=[f"search-{number}" for number in range(MOST_CLUSTERS + 2)]) as world:
        world.connect(cluster_id=None)
        report = _examined(world)
        assert world.emulator.count("get_cluster") == MOST_CLUSTERS
    assert [f.text for f in report.findings if f.check == "cluster"][-1] == "2 more; name one with --cluster"


def test_the_policy_says_when_it_collides(world: World) -> None:
    """An automatic policy is told with its next time, and with the time in which no snapshot should begin."""
    world.emulator.policy(enabled=True, period="16:00 GMT+08:00")
    assert "next due" in _finding(_examined(world), "automatic policy").text
    world.emulator.policy(enabled=True, frequency="HOUR")
    assert "would collide" in _finding(_examined(world), "automatic policy").text
