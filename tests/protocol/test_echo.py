"""The gateway's echo beside what was signed: every difference is found, and no token is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.echo import compare_requests, echoed_request
from airflow_css.protocol.signing import SignableRequest, canonical_request

TOKEN = "TOKENofTheEchoTest/0123"
OURS = canonical_request(
    SignableRequest(
        "GET", "/v1.0/p/clusters", (("limit", "10"),), {"Host": "css.example.com", "X-Security-Token": TOKEN}, b""
    )
)
WORDS = "Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:"


def test_an_echo_is_read_back() -> None:
    """What the gateway writes with bars is the canonical request again."""
    assert echoed_request(WORDS + OURS.replace("\n", "|")) == OURS
    assert echoed_request("signature expired") is None


def test_equal_requests_are_equal_line_by_line() -> None:
    """Each part has its name, in the order in which it was signed."""
    lines = compare_requests(OURS, OURS)
    assert all(line.is_same for line in lines)
    assert [line.part for line in lines] == [
        *("method", "path", "query", "host", "x-security-token", "signed headers", "body hash")
    ]


@given(st.sampled_from(["GET", "/v1.0/p/clusters/", "limit=10", "css.example.com", TOKEN, OURS[-64:]]), st.data())
def test_a_changed_part_is_the_only_difference(part: str, data: st.DataObject) -> None:
    """Whichever part the gateway saw otherwise, that line differs and no other; the token is never shown."""
    place = data.draw(st.integers(1, len(part) - 1))
    theirs = OURS.replace(part, f"{part[:place]}~{part[place:]}", 1)
    lines = compare_requests(OURS, theirs)
    assert [line.is_same for line in lines].count(False) == 1
    assert all("TOKEN" not in f"{line.ours}{line.theirs}" for line in lines)


def test_a_header_that_is_missing_or_came_along_is_shown() -> None:
    """What only one side has stands beside a word that says so."""
    theirs = OURS.replace("host:css.example.com\n", "via:proxy\n")
    shown = {line.part: (line.ours, line.theirs) for line in compare_requests(OURS, theirs) if not line.is_same}
    assert shown == {"host": ("css.example.com", "(absent)"), "via": ("(absent)", "proxy")}


@given(st.text())
def test_any_echo_can_be_compared(theirs: str) -> None:
    """Whatever comes back, cut off or not, is compared and does not fail."""
    assert compare_requests(OURS, theirs)
