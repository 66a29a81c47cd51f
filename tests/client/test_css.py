"""The client's calls against the emulator: what they send, what they give, what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient
from airflow_css.emulator import CssEmulator
from airflow_css.protocol.errors import (
    CssBusyError,
    CssConfigError,
    CssConflictError,
    CssError,
    CssNotFoundError,
    CssQuotaError,
    CssRefusedError,
    CssStateError,
    CssUsageError,
)
from airflow_css.protocol.models import SnapshotStatus

NAME = "orders-20261123"
OTHER = "0f3deec3-efa8-4598-bf91-560aad1377a3"
MISSING = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """A CSS on this machine."""
    with CssEmulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: CssEmulator) -> CssClient:
    """A client with the right keys."""
    return CssClient(emulator.url, Credentials(emulator.access_key, emulator.secret_key), emulator.project_id)


def test_a_creation_carries_name_indices_and_description(emulator: CssEmulator, client: CssClient) -> None:
    """What the call is given stands in the list afterwards."""
    made = client.create_snapshot(
        emulator.cluster_id, NAME, indices=["orders-*", "-orders-2026-10"], description="before the load"
    )
    (listed,) = client.list_snapshots(emulator.cluster_id)
    assert (listed.id, listed.name) == (made.id, made.name) == (made.id, NAME)
    assert listed.indices == ("orders-2026-11",)
    assert listed.description == "before the load"
    assert listed.status is SnapshotStatus.BUILDING


@pytest.mark.parametrize("indices", [None, "*", ["*"]])
def test_no_index_list_backs_up_all(emulator: CssEmulator, client: CssClient, indices: list[str] | str | None) -> None:
    """Without indices everything is in it."""
    client.create_snapshot(emulator.cluster_id, NAME, indices=indices)
    assert len(client.list_snapshots(emulator.cluster_id)[0].indices) == 4


Spoil = Callable[[CssEmulator], object]
REFUSED: dict[str, tuple[Spoil, type[CssError]]] = {
    "busy": (lambda emulator: emulator.add_snapshot("other", status="BUILDING"), CssBusyError),
    "taken": (lambda emulator: emulator.add_snapshot(NAME), CssConflictError),
    "quota": (lambda emulator: emulator.change_cluster(quota=0), CssQuotaError),
    "function off": (lambda emulator: emulator.change_cluster(snapshot_function=False), CssStateError),
    "frozen": (lambda emulator: emulator.change_cluster(frozen=True), CssStateError),
    "refused": (lambda emulator: emulator.faults.answer(406), CssRefusedError),
    "no such call": (lambda emulator: emulator.faults.answer(404, "APIGW.0101"), CssConfigError),
}


@pytest.mark.parametrize(("spoil", "error"), REFUSED.values(), ids=REFUSED)
def test_a_refused_creation_raises_its_error(
    emulator: CssEmulator, client: CssClient, spoil: Spoil, error: type[CssError]
) -> None:
    """Each refusal is its own error, whose text ends with the request id, and the creation is sent once."""
    spoil(emulator)
    with pytest.raises(error, match=r"\(request id [0-9a-f]{32}\)$"):
        client.create_snapshot(emulator.cluster_id, NAME)
    assert emulator.count("create_snapshot") == 1


BAD: dict[str, Callable[[CssClient, str], object]] = {
    "name": lambda client, cluster_id: client.create_snapshot(cluster_id, "Orders"),
    "indices": lambda client, cluster_id: client.create_snapshot(cluster_id, NAME, indices="A"),
    "description": lambda client, cluster_id: client.create_snapshot(cluster_id, NAME, description="<"),
    "long description": lambda client, cluster_id: client.create_snapshot(cluster_id, NAME, description="x" * 257),
    "cluster": lambda client, _: client.list_snapshots("search-dev"),
    "empty cluster": lambda client, _: client.get_cluster(""),
    "path in a cluster": lambda client, cluster_id: client.get_snapshot_policy(f"{cluster_id}/x"),
    "empty snapshot": lambda client, cluster_id: client.delete_snapshot(cluster_id, ""),
    "snapshot": lambda client, cluster_id: client.delete_snapshot(cluster_id, "../policy"),
    "nothing to find": lambda client, cluster_id: client.find_snapshot(cluster_id),
    "two to find": lambda client, cluster_id: client.find_snapshot(cluster_id, snapshot_id=MISSING, name=NAME),
}


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_a_bad_value_is_refused_before_anything_is_sent(
    emulator: CssEmulator, client: CssClient, call: Callable[[CssClient, str], object]
) -> None:
    """What breaks a rule costs no request; an empty snapshot id would even be another call."""
    with pytest.raises(CssUsageError):
        call(client, emulator.cluster_id)
    assert emulator.requests == ()


def test_a_snapshot_is_found_by_id_and_by_name(emulator: CssEmulator, client: CssClient) -> None:
    """Finding gives the snapshot or ``None``; getting gives it or raises."""
    there = emulator.add_snapshot(NAME)
    cluster_id = emulator.cluster_id
    by_id, by_name = client.find_snapshot(cluster_id, snapshot_id=there), client.find_snapshot(cluster_id, name=NAME)
    assert by_id == by_name == client.get_snapshot(cluster_id, there)
    assert client.find_snapshot(cluster_id, snapshot_id=MISSING) is None
    assert client.find_snapshot(cluster_id, name="other-name") is None
    with pytest.raises(CssNotFoundError, match=f"has no snapshot {MISSING}"):
        client.get_snapshot(cluster_id, MISSING)


def test_a_deletion_removes_the_snapshot(emulator: CssEmulator, client: CssClient) -> None:
    """A deleted snapshot is no longer listed, and deleting it again says that it is missing."""
    there = emulator.add_snapshot(NAME)
    client.delete_snapshot(emulator.cluster_id, there)
    assert client.list_snapshots(emulator.cluster_id) == ()
    with pytest.raises(CssNotFoundError):
        client.delete_snapshot(emulator.cluster_id, there)


def test_one_that_is_being_made_cannot_be_deleted(emulator: CssEmulator, client: CssClient) -> None:
    """CSS refuses to delete a snapshot that is being made."""
    made = client.create_snapshot(emulator.cluster_id, NAME)
    with pytest.raises(CssBusyError):
        client.delete_snapshot(emulator.cluster_id, made.id)


def test_a_missing_cluster_may_be_hidden(client: CssClient) -> None:
    """CSS does not tell a missing cluster from a hidden one, so the error says both."""
    with pytest.raises(CssNotFoundError, match=r"Check the cluster id.*Give the keys the permission"):
        client.list_snapshots(OTHER)


def test_a_cluster_shows_what_runs_on_it(emulator: CssEmulator, client: CssClient) -> None:
    """A cluster's name, state, action and engine are read."""
    cluster = client.get_cluster(emulator.cluster_id)
    assert (cluster.name, cluster.is_idle, cluster.is_snapshot_function_on) == ("search-dev", True, True)
    client.create_snapshot(emulator.cluster_id, NAME)
    cluster = client.get_cluster(emulator.cluster_id)
    assert cluster.actions == ("SNAPSHOTTING",)
    assert not cluster.is_idle


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 250])
def test_the_list_of_clusters_is_read_over_all_pages(number: int) -> None:
    """However many clusters there are, each is listed once, by as few calls as possible."""
    with CssEmulator(clusters=[f"c-{n:03}" for n in range(number)]) as emulator:
        client = CssClient(emulator.url, Credentials(emulator.access_key, emulator.secret_key), emulator.project_id)
        names = [cluster.name for cluster in client.list_clusters()]
        calls = emulator.count("list_clusters")
    assert sorted(names) == [f"c-{n:03}" for n in range(number)]
    assert calls == max(1, -(-number // 100))


def test_a_cluster_is_found_by_its_exact_name(emulator: CssEmulator, client: CssClient) -> None:
    """A name finds its cluster, a part of it none, and one of two is refused with both ids."""
    found = client.find_cluster("search-dev")
    assert found is not None
    assert found.id == emulator.cluster_id
    assert client.find_cluster("search") is None
    emulator.add_cluster("search-dev", OTHER)
    with pytest.raises(CssUsageError) as caught:
        client.find_cluster("search-dev")
    assert {OTHER, emulator.cluster_id} <= set(
        str(caught.value).replace("(", " ").replace(")", " ").replace(",", "").split()
    )
    assert client.get_cluster(caught.value.legal).name == "search-dev"


def test_the_policy_is_read(emulator: CssEmulator, client: CssClient) -> None:
    """The policy for automatic snapshots says whether it is on, and when."""
    assert not client.get_snapshot_policy(emulator.cluster_id).enabled
    emulator.policy(period="16:00 GMT+08:00", frequency="SUN", keep=3, prefix="auto")
    policy = client.get_snapshot_policy(emulator.cluster_id)
    assert (policy.enabled, policy.period, policy.frequency, policy.keep, policy.prefix) == (
        True,
        "16:00 GMT+08:00",
        "SUN",
        3,
        "auto",
    )


def test_an_endpoint_that_cannot_be_used_is_refused_at_once() -> None:
    """A client is not made for an endpoint without encryption, unless the host is allowed."""
    keys, project_id = Credentials("AKID", "secret"), "6204a5bd270343b5885144cf9c8c158d"
    with pytest.raises(CssConfigError):
        CssClient("http://css.example.com", keys, project_id)
    client = CssClient("http://css.example.com", keys, project_id, allow_http_hosts=("css.example.com",))
    assert repr(client) == f"CssClient(http://css.example.com, project_id={project_id})"
