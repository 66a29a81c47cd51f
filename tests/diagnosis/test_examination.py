"""The examination against the emulator: for each way in which a connection can be wrong, the right cause."""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_css.diagnosis.examination import MOST_CLUSTERS, examine
from airflow_css.diagnosis.findings import Finding, Report, Verdict
from airflow_css.protocol.errors import CssAuthError
from tests.diagnosis.ailments import CASES, SECRET, TOKEN, closed_port, connect, examined
from tests.key_places import AGENCY, key_place
from tests.tls_server import make_certificate, serving_tls
from tests.world import World, new_world


def _finding(report: Report, check: str) -> Finding:
    return next(finding for finding in report.findings if finding.check == check)


def _refused(world: World) -> int:
    """Return how many signed requests were refused."""
    return sum(seen.status == 401 and seen.path != "/" for seen in world.emulator.requests)


@pytest.mark.parametrize("case", CASES)
def test_the_right_cause_is_named(case: str) -> None:
    """Whatever is wrong, the first finding that failed names it, with a way out, and no key is in the report."""
    check, cause, spoil = CASES[case]
    with new_world(secret_key=SECRET, security_token=TOKEN, identity=True) as world:
        spoil(world)
        report = examined(world)
    assert [(finding.check, finding.cause) for finding in report.failed][:1] == [(check, cause)], report.lines()
    assert len(report.failed[0].sentence.split(". ")) > 1
    shown = json.dumps(report.as_json()) + "\n".join(report.lines())
    assert [secret for secret in (SECRET, TOKEN, world.emulator.access_key, "hidden") if secret in shown] == []


def test_a_secret_would_be_seen() -> None:
    """What the test above looks for stands in the gateway's own words, so that it could have been found."""
    with new_world(secret_key=SECRET, security_token=TOKEN) as world:
        world.emulator.faults.answer(401, "APIGW.0301", message=f"of {TOKEN} and {SECRET}: refused")
        finding = _finding(examined(world), "signature")
    assert finding.text == "The signature was refused: of *** and ***: refused."


def test_a_sound_connection_has_nothing_but_ok(world: World) -> None:
    """Where all is well every line says so; only rights to write are not checked."""
    report = examined(world)
    assert {finding.check for finding in report.findings if finding.verdict is not Verdict.OK} == {"rights to write"}
    assert _finding(report, "rights to write").verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize(
    ("minutes", "words"), [(-20, "20 min behind"), (20, "20 min ahead of"), (-300, "300 min behind")]
)
def test_a_wrong_clock_is_measured_and_made_up_for(world: World, minutes: int, words: str) -> None:
    """A clock beyond what the gateway tolerates is the one thing that failed, and no key is refused for it."""
    report = examined(world, skew=timedelta(minutes=minutes))
    assert [(finding.check, finding.cause) for finding in report.failed] == [("clock", "clock-off")]
    assert words in report.failed[0].text
    assert _finding(report, "signature").verdict is Verdict.OK
    assert _refused(world) == 0


def test_a_clock_that_is_a_little_off_is_a_warning(world: World) -> None:
    """Three minutes do no harm yet."""
    finding = _finding(examined(world, skew=timedelta(minutes=3)), "clock")
    assert finding.verdict is Verdict.WARNING
    assert "3 min ahead" in finding.text


@pytest.mark.parametrize("case", ["wrong secret", "token of another key", "token expired", "temporary key expired"])
def test_a_refused_key_is_not_sent_again(case: str) -> None:
    """One signed request is refused, and the examination ends with it."""
    with new_world(secret_key=SECRET, security_token=TOKEN) as world:
        CASES[case][2](world)
        report = examined(world)
        assert _refused(world) == 1
    assert _finding(report, "clusters").verdict is Verdict.NOT_CHECKED
    assert _finding(report, "cluster").verdict is Verdict.NOT_CHECKED


def test_what_the_doctor_was_refused_counts_for_the_process(world: World) -> None:
    """A wrong secret that the doctor tried goes out once more at most, whoever makes the next calls."""
    CASES["wrong secret"][2](world)
    assert [finding.cause for finding in examine(world.hook_class()).failed] == ["wrong-secret"]
    for _ in range(3):
        with pytest.raises(CssAuthError):
            world.hook_class().list_clusters()
    assert _refused(world) == 2


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("connection", ("password of the connection", "login of the connection", "'security_token' of the connection")),
        ("environment", ("into HUAWEICLOUD_SDK_SK", "Check HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SECURITY_TOKEN")),
        ("pod", ("The identity of this pod",) * 3),
        ("metadata", ("The metadata service of this server",) * 3),
        ("agency", ("The agency css-loader",) * 3),
    ],
)
def test_the_way_out_is_where_the_keys_came_from(place: str, words: tuple[str, ...]) -> None:
    """Whoever keeps keys elsewhere is not sent to the connection; a task's error names the place too."""
    refusals = ("verify aksk signature fail", "AK not exist", "token expires")
    with key_place(place) as there:
        for said, word in zip(refusals, words, strict=True):
            there.world.emulator.faults.answer(401, "APIGW.0301", message=said)
            (finding,) = examined(there.world).failed
            assert word in finding.remedy
            assert ("of the connection" in finding.remedy.replace("keys of the connection", "")) is (
                place == "connection"
            )
        there.world.emulator.faults.answer(401, "APIGW.0301", message=refusals[0], times=None)
        error = str(there.world.run(retries=1).error)
    assert re.search(rf"The keys came from the .*{place}.*\. Check the access key", error), error


def test_keys_that_ask_for_others_are_named_as_their_own_place() -> None:
    """The secret key of the environment asks for an agency, or for the project: the variable is named."""
    with key_place("environment") as there:
        os.environ["HUAWEICLOUD_SDK_SK"] = "wrong"
        iam = {"iam_endpoint": there.world.emulator.identity.iam_url}
        for extra in ({"project_id": None}, AGENCY):
            there.connect(**iam, **extra)
            (finding,) = examined(there.world).failed
            assert finding.cause == "wrong-secret"
            assert "into HUAWEICLOUD_SDK_SK" in finding.remedy


def test_a_request_that_was_changed_is_shown_line_by_line() -> None:
    """Where the gateway saw another request, the differing lines stand side by side and the token is cut out."""
    with new_world(security_token=TOKEN) as world:
        echo = f"GET|/v1.0/other/clusters/|limit=100&offset=1|host:proxy.example.com|x-security-token:{TOKEN}x||host|ab"
        world.emulator.faults.answer(401, "APIGW.0301", message=f"verify aksk signature fail, canonicalRequest:{echo}")
        finding = _finding(examined(world), "signature")
    assert finding.cause == "request-changed"
    assert "  method: GET" in finding.details
    assert "+ host: proxy.example.com   (seen by the gateway)" in finding.details
    assert "- x-security-token: ***   (signed)" in finding.details
    assert TOKEN not in str(finding)


def test_a_wrong_secret_shows_that_the_request_is_the_same() -> None:
    """Where only the secret is wrong, all lines are equal, so that nobody looks for a proxy."""
    with new_world(security_token=TOKEN) as world:
        connect(world, password="wrong")
        details = _finding(examined(world), "signature").details
    assert "  method: GET" in details
    assert [line for line in details if not line.startswith("  ")] == [
        "The gateway saw the request that was signed, so it is the key:"
    ]


def test_a_certificate_that_nobody_trusts_is_named(world: World, tmp_path: Path) -> None:
    """A self-signed certificate fails at TLS; with it as CA bundle, or unchecked with a warning, all is well."""
    certificate = make_certificate(tmp_path)
    with serving_tls(world.emulator, certificate) as url:
        connect(world, host=url)
        distrusted = examined(world)
        connect(world, host=url, extra={"verify": str(certificate)})
        trusted = examined(world)
        connect(world, host=url, extra={"verify": "false"})
        with pytest.warns(match="Unverified HTTPS request"):
            unchecked = examined(world)
    assert [(f.check, f.cause) for f in distrusted.failed] == [("endpoint", "tls-certificate")]
    assert "self-signed certificate" in distrusted.failed[0].text
    assert trusted.failed == trusted.warnings == ()
    assert [f.check for f in unchecked.warnings] == ["connection", "endpoint"]


def test_region_and_endpoint_that_disagree_are_a_warning(world: World) -> None:
    """A region beside an endpoint of another one is told before anything is sent."""
    os.environ["HTTPS_PROXY"] = f"http://127.0.0.1:{closed_port()}"
    connect(world, host="https://css.cn-north-4.myhuaweicloud.com")
    finding = _finding(examined(world), "region")
    assert finding.verdict is Verdict.WARNING
    assert "which is in cn-north-4" in finding.text


def test_all_visible_clusters_are_looked_at_but_not_without_end() -> None:
    """Without a default cluster ten are looked at, and the report says how many are left."""
    with new_world(clusters=[f"search-{number}" for number in range(MOST_CLUSTERS + 2)]) as world:
        world.connect(cluster_id=None)
        report = examined(world)
        assert world.emulator.count("get_cluster") == MOST_CLUSTERS
    assert [f.text for f in report.findings if f.check == "cluster"][-1] == "2 more; name one with --cluster"


def test_the_policy_says_when_it_collides(world: World) -> None:
    """An automatic policy is told with its next time, and with the time in which no snapshot should begin."""
    world.emulator.policy(enabled=True, period="16:00 GMT+08:00")
    assert "next due" in _finding(examined(world), "automatic policy").text
    world.emulator.policy(enabled=True, frequency="HOUR")
    assert "would collide" in _finding(examined(world), "automatic policy").text
