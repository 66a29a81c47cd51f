"""Requests and replies: headers, the shapes of refusals, what a reader may rely on."""

from __future__ import annotations

import pytest

from airflow_css.emulator.exchange import Headers, Refusal, Reply, css_refusal, gateway_refusal


@pytest.mark.parametrize(
    ("name", "value"), [("X-Once", "1"), ("x-once", "1"), ("X-Twice", "1,2"), ("X-Empty", ""), ("X-None", None)]
)
def test_a_header_is_found_in_any_case(name: str, value: str | None) -> None:
    """Its value is returned, values of a repeated one are joined, and a missing one is told from an empty one."""
    headers = Headers([("X-Once", "1"), ("x-twice", "1"), ("X-TWICE", "2"), ("X-Empty", "")])
    assert headers.get(name) == value


@pytest.mark.parametrize(
    ("refusal", "status", "body"),
    [
        (
            css_refusal("CSS.0043", "name first"),
            409,
            {"errCode": "CSS.0043", "externalMessage": "CSS.0043 : The snapshot name already exists. (name first)"},
        ),
        (
            gateway_refusal(404, "0101", "no such API"),
            404,
            {"error_msg": "no such API", "error_code": "APIGW.0101", "request_id": "r-1"},
        ),
    ],
)
def test_css_and_its_gateway_refuse_in_their_own_shapes(refusal: Refusal, status: int, body: dict[str, str]) -> None:
    """CSS says errCode and externalMessage, the gateway error_code, error_msg and request_id."""
    reply = refusal.reply("r-1")
    assert (reply.status, reply.json(), reply.headers["Content-Type"]) == (status, body, "application/json")


def test_a_header_is_added_to_a_copy() -> None:
    """The reply it is added to stays as it was."""
    reply = Reply(200, {"A": "1"})
    assert reply.with_header("B", "2").headers == {"A": "1", "B": "2"}
    assert reply.headers == {"A": "1"}
