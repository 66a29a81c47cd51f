"""The table of codes against a table that was written by hand from the service's documentation."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.protocol.codes import CODE_RULES, STATUS_RULES, error_from_reply, rule_for, sender_may_repeat
from airflow_css.protocol.errors import CssApiError, CssConfigError, CssReplyError, ErrorReply

# Status, code, what the documentation means by it. A code with two documented statuses has two rows.
DOCUMENTED = """
    202 CSS.0011 Busy        409 CSS.0011 Busy        400 CSS.0001 Refused     400 CSS.0006 Refused
    400 CSS.0017 Refused     400 CSS.0021 State       400 CSS.5301 State       400 CSS.0036 Server
    400 CSS.0045 Auth        400 CSS.0047 NotFound    400 CSS.0048 Refused     400 CSS.0051 Auth
    400 CSS.0077 Busy        400 CSS.0078 Busy        400 CSS.0082 NotFound    400 CSS.3011 Refused
    400 CSS.5017 Refused     400 CSS.5018 Refused     400 CSS.5020 Refused     400 CSS.5044 Refused
    400 CSS.5178 Refused     400 CSS.3016 Busy        400 CSS.3026 NotFound    400 CSS.5111 NotFound
    400 CSS.5037 Refused     400 CSS.5038 Refused     400 CSS.5039 Refused     400 CSS.5056 Refused
    400 CSS.5090 Busy        400 CSS.5130 Refused     412 CSS.5130 Refused     400 CSS.5140 State
    400 CSS.6003 Refused     400 CSS.6009 Refused     400 CSS.6010 Refused     400 CSS.6011 Refused
    400 CSS.6012 Refused     400 CSS.6013 Busy        403 CSS.0015 NotFound    403 CSS.0010 Auth
    403 CSS.5045 Auth        403 CSS.0032 Auth        404 CSS.0002 NotFound    404 CSS.0007 NotFound
    404 CSS.0016 NotFound    404 CSS.0022 NotFound    404 CSS.0028 NotFound    404 CSS.1103 NotFound
    404 CSS.3027 NotFound    404 CSS.5042 NotFound    409 CSS.0012 Busy        409 CSS.0029 Busy
    409 CSS.0031 Conflict    409 CSS.0043 Conflict    409 CSS.3004 Busy        413 CSS.0030 Quota
    415 CSS.0004 State       415 CSS.5108 Refused     419 CSS.0023 Refused     422 CSS.0040 Server
    500 CSS.0005 Server      500 CSS.1004 Server      500 CSS.9999 Server

    401 APIGW.0301 Auth      403 APIGW.0302 Auth      401 APIGW.0303 Auth      401 APIGW.0305 Auth
    403 APIGW.0304 Auth      403 APIGW.0306 Auth      401 APIGW.0307 Auth      429 APIGW.0308 Throttled
    403 APIGW.0310 Auth      403 APIGW.0401 Auth      403 APIGW.0402 Auth      403 APIGW.0404 Auth
    403 APIGW.0405 Auth      404 APIGW.0101 Config    404 APIGW.0103 Config    500 APIGW.0103 Config
    400 APIGW.0201 Refused   413 APIGW.0201 Refused   414 APIGW.0201 Refused   494 APIGW.0201 Refused
    502 APIGW.0201 Server    502 APIGW.0202 Server    502 APIGW.0610 Server    504 APIGW.0201 Server
    504 APIGW.0203 Server    500 APIGW.0601 Server    400 APIGW.0602 Refused   400 APIGW.0607 Refused
    503 APIGW.0613 Server    403 APIGW.0802 Auth

    401 IAM.0001 Auth        401 IAM.0061 Auth        401 IAM.0062 Auth        401 IAM.0063 Auth
    401 IAM.0064 Auth        401 IAM.0066 Auth        401 IAM.0067 Auth        403 IAM.0002 Auth
    403 IAM.0003 Auth        403 IAM.0080 Auth        403 IAM.0081 Auth        403 IAM.0082 Auth
    403 IAM.0083 Auth        404 IAM.0004 NotFound    409 IAM.0005 Conflict    429 IAM.0012 Throttled
    500 IAM.0006 Server
"""
ROWS = re.findall(r"(\d{3}) (\w+\.\d{4}) (\w+)", DOCUMENTED)
WITHOUT_A_ROW = {"APIGW.0201", "APIGW.0101", "APIGW.0103"}

CURABLE = {"Busy", "Server", "Throttled"}
# Certainly not carried out, so that a write may go out again at once.
WRITE_REPEATS = {"Throttled"}
# The gateway or the service stumbled: a read may ask again at once. Two codes ask for patience instead.
READ_REPEATS = {"Throttled", "Server"}
PATIENT = {"CSS.0036", "CSS.0040"}


def _reply(status: int, code: str = "") -> ErrorReply:
    return ErrorReply(status, code, "said", "req-1", "create_snapshot")


def test_the_table_was_read_in_full() -> None:
    """The comparison below covers as many rows as the documentation lists."""
    assert len(ROWS) == len(DOCUMENTED.split()) // 3 == 110


@pytest.mark.parametrize(("status", "code", "kind"), ROWS)
def test_a_documented_code_has_its_class(status: str, code: str, kind: str) -> None:
    """Each documented pair of status and code means what the documentation says, also in the other spelling."""
    for spelled in (code, code.replace("APIGW.", "APIG."), f" {code} "):
        error = error_from_reply(_reply(int(status), spelled))
        assert type(error).__name__ == f"Css{kind}Error"
        assert error.curable is (kind in CURABLE)


@pytest.mark.parametrize(("status", "code", "kind"), ROWS)
def test_who_may_repeat_what(status: str, code: str, kind: str) -> None:
    """A write goes out again only when it was certainly not carried out; a wait is for what is busy only."""
    if kind == "Config":
        return
    reply = _reply(int(status), code)
    assert sender_may_repeat(reply, is_read=False) is (kind in WRITE_REPEATS)
    assert sender_may_repeat(reply, is_read=True) is (kind in READ_REPEATS and code not in PATIENT)
    assert rule_for(reply).waits is (kind == "Busy")


def test_the_table_knows_the_documented_codes_and_no_other() -> None:
    """No code is missing, none was invented, and none stands in two rows."""
    known = [code for rule in CODE_RULES for code in rule.codes]
    assert len(known) == len(set(known))
    assert set(known) == {code for _, code, _ in ROWS} - WITHOUT_A_ROW


@pytest.mark.parametrize("code", ["CSS.0011", "CSS.0001", "CSS.0043", "APIGW.0301", "CSS.9999"])
@pytest.mark.parametrize("status", [200, 201, 202, 400, 404, 409, 429, 500])
def test_the_code_decides_and_not_the_status(code: str, status: int) -> None:
    """A known code means the same with any status, success included."""
    assert type(error_from_reply(_reply(status, code))) is rule_for(_reply(0, code)).error


STATUSES = {
    400: "Refused",
    401: "Auth",
    403: "Auth",
    404: "NotFound",
    406: "Refused",
    409: "Conflict",
    413: "Refused",
    415: "Refused",
    419: "Refused",
    422: "Refused",
    429: "Throttled",
    500: "Server",
    501: "Refused",
    502: "Server",
    503: "Server",
    504: "Server",
    599: "Server",
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("code", ["", "CSS.7777", "garbage"])
def test_the_status_decides_where_no_code_does(status: int, code: str) -> None:
    """Without a known code the status alone leads to the class, and to whether time may cure it."""
    error = error_from_reply(_reply(status, code))
    assert type(error).__name__ == f"Css{STATUSES[status]}Error"
    assert error.curable is (STATUSES[status] in CURABLE)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_lets_reads_repeat_and_writes_look(status: int) -> None:
    """After a 5xx a read is repeated; the fate of a write is open, so it is not."""
    assert sender_may_repeat(_reply(status), is_read=True)
    assert not sender_may_repeat(_reply(status), is_read=False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_odd_answer(status: int) -> None:
    """A redirect is not followed and not taken for a refusal of the service."""
    error = error_from_reply(_reply(status))
    assert isinstance(error, CssReplyError)
    assert "redirect" in str(error)


@pytest.mark.parametrize("code", ["APIGW.0101", "APIGW.0103", "APIG.0101"])
def test_an_unknown_call_points_to_the_endpoint(code: str) -> None:
    """The gateway's "no such API" is a wrong connection, and keeps the request id."""
    error = error_from_reply(_reply(404, code))
    assert isinstance(error, CssConfigError)
    assert "host and region" in str(error)
    assert "req-1" in str(error)


def test_every_row_helps() -> None:
    """Each row says what is meant and what to do, and only a row that may be cured is repeated or waited for."""
    for rule in (*CODE_RULES, *STATUS_RULES.values()):
        assert rule.meaning
        assert rule.remedy.endswith(".")
        assert issubclass(rule.error, CssApiError)
        assert rule.curable or not (rule.waits or rule.write_repeats or rule.read_repeats)
        assert rule.read_repeats or not rule.write_repeats


@given(st.integers(100, 599), st.text(max_size=12) | st.sampled_from([code for _, code, _ in ROWS]), st.booleans())
@example(200, "CSS.7777", True)  # noqa: FBT003 - positional by hypothesis
def test_any_answer_becomes_an_error_with_its_request_id(status: int, code: str, is_read: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """No status and no code falls through the table."""
    reply = _reply(status, code)
    error = error_from_reply(reply)
    assert "req-1" in str(error)
    assert str(error).rstrip(")").endswith("request id req-1")
    if sender_may_repeat(reply, is_read=is_read) and isinstance(error, CssApiError):
        assert error.curable
