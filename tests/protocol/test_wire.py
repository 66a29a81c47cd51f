"""The calls: their paths, and what an answer to them means."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.protocol import errors, wire
from airflow_css.protocol.errors import CssError, CssReplyError, CssUsageError, ErrorReply
from airflow_css.protocol.models import CreatedSnapshot

PROJECT = "6204a5bd270343b5885144cf9c8c158d"
CLUSTER = "4f3deec3-efa8-4598-bf91-560aad1377a3"
SNAPSHOT = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
SEGMENTS = {"project_id": PROJECT, "cluster_id": CLUSTER, "snapshot_id": SNAPSHOT}

# Written from the API pages: method, path and the one status that means success.
DOCUMENTED = {
    "create_snapshot": ("POST", f"/v1.0/{PROJECT}/clusters/{CLUSTER}/index_snapshot", 201),
    "list_snapshots": ("GET", f"/v1.0/{PROJECT}/clusters/{CLUSTER}/index_snapshots", 200),
    "delete_snapshot": ("DELETE", f"/v1.0/{PROJECT}/clusters/{CLUSTER}/index_snapshot/{SNAPSHOT}", 200),
    "restore_snapshot": ("POST", f"/v1.0/{PROJECT}/clusters/{CLUSTER}/index_snapshot/{SNAPSHOT}/restore", 201),
    "get_snapshot_policy": ("GET", f"/v1.0/{PROJECT}/clusters/{CLUSTER}/index_snapshot/policy", 200),
    "get_cluster": ("GET", f"/v1.0/{PROJECT}/clusters/{CLUSTER}", 200),
    "list_clusters": ("GET", f"/v1.0/{PROJECT}/clusters", 200),
}
CALLS = {call.name: call for call in wire.CALLS}


def _needed(call: wire.Call[Any]) -> dict[str, str]:
    names = [name for _, name, _, _ in string.Formatter().parse(call.template) if name]
    return {name: SEGMENTS[name] for name in names}


def test_every_documented_call_is_there() -> None:
    """The package knows exactly these calls."""
    assert set(CALLS) == set(DOCUMENTED)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_call_goes_where_the_documentation_says(name: str) -> None:
    """Method, path and status of success are those of the API pages; only a GET counts as reading."""
    call = CALLS[name]
    assert (call.method, call.path(**_needed(call)), call.ok) == DOCUMENTED[name]
    assert call.is_read is (call.method == "GET")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_path_leads_back_to_its_call_only(name: str) -> None:
    """Each path is recognised by the call that made it, with its parameters, and by no other."""
    call, needed = CALLS[name], _needed(CALLS[name])
    path = call.path(**needed)
    assert call.match(call.method, path) == needed
    assert [c.name for c in wire.CALLS if c.match(call.method, path) is not None] == [name]
    for changed in (f"{path}/", f"{path}/x", f"/x{path}", path.replace("v1.0", "v1x0"), path.replace("/clu", "//clu")):
        assert call.match(call.method, changed) is None
    assert call.match("PATCH", path) is None


ODD_IDS = ["", " ", ".", "..", "/", "x", f"{SNAPSHOT}/", f"{SNAPSHOT}\n", f"../{SNAPSHOT}", "%2e%2e", f"{SNAPSHOT}?a=b"]


@pytest.mark.parametrize("name", DOCUMENTED)
@pytest.mark.parametrize("odd", ODD_IDS)
def test_an_odd_id_never_reaches_a_path(name: str, odd: str) -> None:
    """Each path parameter is checked, so that no id can turn one call into another."""
    call = CALLS[name]
    for segment in _needed(call):
        with pytest.raises(CssUsageError):
            call.path(**{**_needed(call), segment: odd})


@given(st.text(st.sampled_from("abcdef0123456789-/.% \n"), max_size=40) | st.sampled_from(ODD_IDS))
@example("")
def test_no_deletion_switches_snapshots_off(snapshot_id: str) -> None:
    """Whatever is given as the id, a deletion never becomes the call that turns the whole function off."""
    try:
        path = wire.DELETE_SNAPSHOT.path(project_id=PROJECT, cluster_id=CLUSTER, snapshot_id=snapshot_id)
    except CssUsageError:
        return
    assert path == f"/v1.0/{PROJECT}/clusters/{CLUSTER}/index_snapshot/{snapshot_id}"
    assert len(snapshot_id) == 36


@pytest.mark.parametrize("missing", ["project_id", "cluster_id", "snapshot_id"])
def test_a_path_without_a_parameter_is_no_path(missing: str) -> None:
    """A parameter that is left out is an error of the caller, not a shorter path."""
    with pytest.raises(KeyError):
        wire.DELETE_SNAPSHOT.path(**{name: value for name, value in SEGMENTS.items() if name != missing})


def test_the_body_of_a_creation_leaves_out_what_is_not_given() -> None:
    """Nothing is sent as null or empty."""
    assert wire.build_create_body("orders") == {"name": "orders"}
    assert wire.build_create_body("orders", indices="a,b", description="") == {"name": "orders", "indices": "a,b"}
    assert wire.build_create_body("orders", description="d") == {"name": "orders", "description": "d"}


def test_the_body_of_a_restore_leaves_out_what_is_not_given() -> None:
    """Only the target is always there, and overwriting is mentioned only when it is wanted."""
    assert wire.build_restore_body(CLUSTER) == {"target_cluster": CLUSTER}
    whole = wire.build_restore_body(
        CLUSTER, indices="a,b", rename_pattern="(.+)", rename_replacement="new-$1", replace_existing=True
    )
    assert whole == {
        "target_cluster": CLUSTER,
        "indices": "a,b",
        "rename_pattern": "(.+)",
        "rename_replacement": "new-$1",
        "replace_exist_indices": True,
    }


GOOD: dict[str, Any] = {
    "create_snapshot": {"backup": {"id": SNAPSHOT, "name": "orders"}},
    "list_snapshots": {"backups": [{"id": SNAPSHOT}]},
    "delete_snapshot": None,
    "restore_snapshot": None,
    "get_snapshot_policy": {"enable": "false"},
    "get_cluster": {"id": CLUSTER},
    "list_clusters": {"totalSize": 11, "clusters": [{"id": CLUSTER}]},
}


def _read(name: str, status: int, body: Any, **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return wire.read_reply(CALLS[name], status, {k.replace("_", "-"): v for k, v in headers.items()}, sent)


def _refusal(name: str, status: int, body: Any, **headers: str) -> CssError:
    with pytest.raises(CssError) as caught:
        _read(name, status, body, **headers)
    return caught.value


def _facts(error: CssError) -> ErrorReply:
    assert isinstance(error, errors.CssApiError | CssReplyError)
    assert error.reply is not None
    return error.reply


def test_good_answers_are_read() -> None:
    """Each call's documented answer becomes its model."""
    assert _read("create_snapshot", 201, GOOD["create_snapshot"]) == CreatedSnapshot(SNAPSHOT, "orders")
    assert [s.id for s in _read("list_snapshots", 200, GOOD["list_snapshots"])] == [SNAPSHOT]
    assert _read("list_snapshots", 200, {"backups": []}) == ()
    assert _read("delete_snapshot", 200, b"") is None
    assert _read("restore_snapshot", 201, b"") is None
    assert _read("get_cluster", 200, GOOD["get_cluster"]).id == CLUSTER
    assert not _read("get_snapshot_policy", 200, GOOD["get_snapshot_policy"]).enabled
    page = _read("list_clusters", 200, GOOD["list_clusters"])
    assert (page.total, [c.id for c in page.clusters]) == (11, [CLUSTER])
    assert _read("list_clusters", 200, {"clusters": []}).total == 0


# One row for each shape: the body, the code in it, the message in it.
SHAPES: dict[str, tuple[dict[str, Any], str, str]] = {
    "CSS itself": ({"errCode": "CSS.0015", "externalMessage": "no"}, "CSS.0015", "no"),
    "its documentation": ({"error_code": "CSS.0015", "error_msg": "no"}, "CSS.0015", "no"),
    "the SDK's": ({"errorCode": "CSS.0015", "errorMsg": "no"}, "CSS.0015", "no"),
    "the gateway": ({"error_code": "APIGW.0301", "error_msg": "no", "request_id": "r-1"}, "APIGW.0301", "no"),
    "the sign-in service": ({"error": {"code": 403, "message": "no", "title": "Forbidden"}}, "", "no"),
    "a title only": ({"error": {"code": 403, "title": "Forbidden"}}, "", "Forbidden"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", DOCUMENTED)
def test_all_shapes_of_a_refusal_are_understood(name: str, shape: str) -> None:
    """Code, message, status, call and request id arrive from each known shape."""
    body, code, message = SHAPES[shape]
    reply = _facts(_refusal(name, 403, body, X_Request_Id="r-1"))
    assert reply == ErrorReply(403, code, message, "r-1", name)


@pytest.mark.parametrize("name", DOCUMENTED)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_refusal_in_the_dress_of_a_success_is_a_refusal(name: str, status: int) -> None:
    """An error code counts with any status of success, even beside a body that looks good."""
    body = {**(GOOD[name] or {}), "errCode": "CSS.0011", "externalMessage": "busy"}
    assert isinstance(_refusal(name, status, body), errors.CssBusyError)


@pytest.mark.parametrize("name", DOCUMENTED)
@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_another_success_than_documented_is_no_success(name: str, status: int) -> None:
    """Only the documented status proves that a call succeeded."""
    if status == CALLS[name].ok:
        return
    refused = _refusal(name, status, GOOD[name], X_Request_Id="r-1")
    assert isinstance(refused, CssReplyError)
    assert f"HTTP {status} where {CALLS[name].ok} is documented" in str(refused)
    assert str(refused).endswith("(request id r-1)")


UNREADABLE = [
    b"",
    b"  ",
    b"<html>Login</html>",
    b"null",
    b"[]",
    b'"x"',
    b"5",
    b"\xff\xfe",
    b"{",
    b"[" * 50_000,
    b"1" * 5_000,
]


@pytest.mark.parametrize("name", [name for name in DOCUMENTED if GOOD[name] is not None])
@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:12]))
def test_an_unreadable_answer_is_said_to_be_one(name: str, body: bytes) -> None:
    """A success without what was promised is an odd answer, never an empty result."""
    refused = _refusal(name, CALLS[name].ok, body, X_Request_Id="r-1")
    assert isinstance(refused, CssReplyError)
    assert name in str(refused)
    assert str(refused).endswith("(request id r-1)")


@pytest.mark.parametrize("body", [{"backups": None}, {"backups": {}}, {}, {"backups": [{"name": "no id"}]}])
def test_a_list_without_its_array_is_not_an_empty_list(body: Any) -> None:
    """Nobody may conclude from an odd list that a snapshot is gone."""
    assert isinstance(_refusal("list_snapshots", 200, body), CssReplyError)


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"\xff" * 500, b"x" * 500])
def test_a_refusal_that_is_no_json_keeps_its_words(body: bytes) -> None:
    """What a proxy says in place of CSS is shown, cut to a readable length."""
    reply = _facts(_refusal("create_snapshot", 502, body))
    assert reply.code == ""
    assert body[:20].decode(errors="replace") in reply.message
    assert len(reply.message) <= 200


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused(status: int) -> None:
    """A signed request follows nobody."""
    refused = _refusal("list_snapshots", status, b"", Location="https://elsewhere.example.com/")
    assert isinstance(refused, CssReplyError)
    assert "redirect" in str(refused)


TOKEN = "gQpjbi1ub3J0aC00temporary"
ECHOES = [
    f"verify aksk signature fail, canonicalRequest:GET|/v1.0/|x-security-token:{TOKEN}||e3b0c4",
    f"verify aksk signature fail, canonical request: GET\n/v1.0/\nx-security-token:{TOKEN}\n",
    f"verify aksk signature fail, CanonicalRequest :GET|x-security-token:{TOKEN}",
    f"verify aksk signature fail, canonical_request:GET|x-security-token:{TOKEN}|canonicalRequest:again {TOKEN}",
]


@pytest.mark.parametrize("message", ECHOES)
def test_the_echo_of_a_signed_request_is_cut_out(message: str) -> None:
    """The gateway repeats what it saw, token included; neither text nor attributes nor arguments keep it."""
    for body in ({"error_code": "APIGW.0301", "error_msg": message}, message.encode()):
        refused = _refusal("list_snapshots", 401, body)
        assert isinstance(refused, errors.CssAuthError)
        assert "verify aksk signature fail" in str(refused)
        assert TOKEN not in f"{refused} {refused!r} {refused.args} {vars(refused)}"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
    ],
)
def test_the_time_to_wait_is_read(header: str, seconds: float | None) -> None:
    """Seconds are understood; a date or nonsense counts as not said; no wait is negative."""
    assert _facts(_refusal("list_snapshots", 429, b"", Retry_After=header)).retry_after == seconds


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id", "X-REQUEST-ID", "X-IAM-Trace-Id"])
def test_the_request_id_is_found_under_each_name(name: str) -> None:
    """Header names are read in any case, and the sign-in service has a name of its own."""
    assert wire.read_error("c", 500, {name: "r-9"}, None).request_id == "r-9"


payloads = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text() | st.sampled_from(["errCode", "error", "error_msg", "backup", "backups", "id"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(list(DOCUMENTED)), st.integers(100, 599), st.binary(max_size=60) | payloads)
def test_any_answer_is_read_or_refused_in_our_words(name: str, status: int, body: Any) -> None:
    """Any answer ends in the model of its call or in an error of the tree, and a model only with the right status."""
    try:
        _read(name, status, body)
    except CssError:
        return
    assert status == CALLS[name].ok


@pytest.mark.parametrize("body", [b"<html>login</html>", b'{"error": {"code": 401, "message": "no"}}', b"[]"])
def test_a_deletion_is_believed_only_when_nothing_speaks_against_it(body: bytes) -> None:
    """A page of a proxy or an error in a success is no proof that something was deleted."""
    with pytest.raises(CssReplyError):
        wire.read_reply(wire.DELETE_SNAPSHOT, 200, {}, body)
