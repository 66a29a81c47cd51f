"""Ways in which a connection can be wrong, each with the finding that must name it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow_css.client.skew import SkewedClock
from airflow_css.diagnosis.examination import examine
from airflow_css.diagnosis.findings import Report
from tests.world import World

__all__ = ["CASES", "SECRET", "TOKEN", "closed_port", "connect", "examined"]

MISSING = "00000000-0000-4000-8000-000000000000"
TOKEN = "TOKENofTheDoctorsTest/0123456789"
SECRET = "SECRETofTheDoctorsTest0123456789"


def connect(world: World, *, extra: dict[str, Any] | None = None, **fields: Any) -> None:
    """Write the connection anew, with other fields than those that work."""
    connection = json.loads(world.emulator.connection_json(**(extra or {})))
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps({**connection, **fields})


def examined(world: World, cluster_id: str = "", *, skew: timedelta = timedelta()) -> Report:
    """Return what is found of the connection, by a clock that is so far off."""
    hook = world.hook_class()
    hook.clock = SkewedClock(world.clock, skew)
    return examine(hook, cluster_id)


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _behind_a_dead_proxy(world: World) -> None:
    os.environ["HTTPS_PROXY"] = f"http://somebody:hidden@127.0.0.1:{closed_port()}"
    connect(world, host="https://css.example.invalid")


def _locked_out(world: World) -> None:
    connect(world, password="wrong")
    for _ in range(6):
        examined(world)
    world.connect()


def _without_the_function(world: World) -> None:
    world.emulator.change_cluster(snapshot_function=False)


def _disconnect(_world: World) -> None:
    del os.environ["AIRFLOW_CONN_CSS_DEFAULT"]


def _metadata_down(world: World) -> None:
    os.environ["AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT"] = f"http://127.0.0.1:{closed_port()}"
    connect(world, login="", password="", extra={"credential_source": "metadata", "security_token": None})


def _nothing_but_a_stranger(world: World) -> None:
    identity = world.emulator.identity
    identity.faults.answer(403, body="<html></html>", call="get_metadata_token", times=None)
    os.environ["AIRFLOW__AIRFLOW_CSS__METADATA_ENDPOINT"] = identity.metadata_url
    connect(world, login="", password="", extra={**_no_project(world), "security_token": None})


def _no_project(world: World) -> dict[str, Any]:
    return {"project_id": None, "iam_endpoint": world.emulator.identity.iam_url}


def _agency(world: World) -> dict[str, Any]:
    agency = {"agency_name": "css-loader", "agency_domain_name": "emulator-account"}
    return {**agency, "iam_endpoint": world.emulator.identity.iam_url}


def _old_for_sign_in(world: World) -> None:
    words = "calc ak sk signature fail:signature expired"
    world.emulator.identity.faults.answer(401, body=json.dumps({"error_msg": words}), call="list_projects")
    connect(world, extra=_no_project(world))


EXPIRED = "Incorrect IAM authentication information: token expires, expires_at: 2026-11-23T10:00:00Z"
CASES: dict[str, tuple[str, str, Callable[[World], None]]] = {
    "wrong secret": ("signature", "wrong-secret", lambda world: connect(world, password="wrong")),
    "unknown access key": ("signature", "unknown-access-key", lambda world: connect(world, login="AKUNKNOWN")),
    "wrong project": ("clusters", "wrong-project", lambda world: connect(world, extra={"project_id": "0" * 32})),
    "wrong region": (
        "clusters",
        "wrong-project",
        lambda world: connect(world, extra={"region": "cn-north-9", "project_id": "0" * 32}),
    ),
    "no such cluster": ("cluster", "no-such-cluster", lambda world: connect(world, extra={"cluster_id": MISSING})),
    "function off": ("snapshot function", "function-off", _without_the_function),
    "cluster down": ("cluster", "cluster-unavailable", lambda world: world.emulator.change_cluster(status="303")),
    "proxy failure": ("endpoint", "proxy", _behind_a_dead_proxy),
    "proxy of the connection": (
        "endpoint",
        "proxy",
        lambda world: connect(
            world,
            host="https://css.example.invalid",
            extra={"proxy": f"http://somebody:hidden@127.0.0.1:{closed_port()}"},
        ),
    ),
    "nobody there": (
        "endpoint",
        "connection",
        lambda world: connect(world, host=f"http://127.0.0.1:{closed_port()}"),
    ),
    "no TLS there": (
        "endpoint",
        "tls",
        lambda world: connect(world, host=world.emulator.url.replace("http:", "https:")),
    ),
    "CA bundle missing": (
        "endpoint",
        "ca-bundle",
        lambda world: connect(world, host="https://127.0.0.1:1", extra={"verify": "/nowhere/ca.pem"}),
    ),
    "lock-out": ("signature", "locked-out", _locked_out),
    "token of another key": (
        "signature",
        "token-expired",
        lambda world: connect(world, extra={"security_token": f"{TOKEN}old"}),
    ),
    "token missing": ("signature", "token-expired", lambda world: connect(world, extra={"security_token": None})),
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
    "source of keys down": ("keys", "no-keys", _metadata_down),
    "no keys, and a stranger where a metadata service would be": ("keys", "no-keys", _nothing_but_a_stranger),
    "sign-in service down": (
        "connection",
        "no-answer",
        lambda world: connect(world, extra={"project_id": None, "iam_endpoint": f"http://127.0.0.1:{closed_port()}"}),
    ),
    "no such agency": (
        "keys",
        "no-keys",
        lambda world: connect(world, extra={**_agency(world), "agency_name": "nobody"}),
    ),
    "agency asked for with a wrong secret": (
        "keys",
        "wrong-secret",
        lambda world: connect(world, password="wrong", extra=_agency(world)),
    ),
    "project asked for with a wrong secret": (
        "connection",
        "wrong-secret",
        lambda world: connect(world, password="wrong", extra=_no_project(world)),
    ),
    "sign-in service finds the signature old": ("connection", "clock-or-end", _old_for_sign_in),
    "connection missing": (
        "connection",
        "connection-unusable",
        _disconnect,
    ),
}
