"""The emulator against an outside witness: the unmodified client of the official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcss.v1 import (
    CreateSnapshotReq,
    CreateSnapshotRequest,
    CssClient,
    DeleteSnapshotRequest,
    ListClustersDetailsRequest,
    ListSnapshotsRequest,
    ShowAutoCreatePolicyRequest,
    ShowClusterDetailRequest,
    UpdateClusterNameReq,
    UpdateClusterNameRequest,
)

from airflow_css.emulator import CssEmulator

SECRET_KEY = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"


@pytest.fixture(params=[None, "TOKEN/+=="], ids=["permanent key", "temporary key"])
def emulator(request: pytest.FixtureRequest) -> Iterator[CssEmulator]:
    """Return an emulator that serves."""
    with CssEmulator(secret_key=SECRET_KEY, security_token=request.param) as emulator:
        yield emulator


def _client(emulator: CssEmulator, secret_key: str = SECRET_KEY) -> Any:
    credentials = BasicCredentials(emulator.access_key, secret_key, emulator.project_id)
    if emulator.security_token:
        credentials = credentials.with_security_token(emulator.security_token)
    return CssClient.new_builder().with_credentials(credentials).with_endpoint(emulator.url).build()


def test_the_official_client_works_with_snapshots(emulator: CssEmulator) -> None:
    """It creates, lists and deletes, and reads every field by the name it knows."""
    client, cluster_id = _client(emulator), emulator.cluster_id
    body = CreateSnapshotReq(name="snapshot_001", description="before the load", indices="orders-*,customers")
    created = client.create_snapshot(CreateSnapshotRequest(cluster_id, body)).backup
    assert created.name == "snapshot_001"
    (building,) = client.list_snapshots(ListSnapshotsRequest(cluster_id)).backups
    assert (building.id, building.status, building.end_time) == (created.id, "BUILDING", None)
    emulator.clock.advance(2)
    (listed,) = client.list_snapshots(ListSnapshotsRequest(cluster_id)).backups
    assert (listed.status, listed.total_shards, listed.failed_shards) == ("COMPLETED", 7, 0)
    assert (listed.description, listed.backup_type, listed.cluster_name) == ("before the load", "1", "search-dev")
    assert listed.end_time - listed.start_time == 2000
    client.delete_snapshot(DeleteSnapshotRequest(cluster_id, created.id))
    assert client.list_snapshots(ListSnapshotsRequest(cluster_id)).backups == []


def test_the_official_client_reads_clusters_and_the_policy(emulator: CssEmulator) -> None:
    """Cluster detail, cluster list and policy come with the values that the emulator was given."""
    client = _client(emulator)
    emulator.policy(period="16:00 GMT+08:00", keep=3)
    detail = client.show_cluster_detail(ShowClusterDetailRequest(emulator.cluster_id))
    assert (detail.name, detail.status, detail.actions, detail.backup_available) == ("search-dev", "200", [], True)
    assert {instance.status for instance in detail.instances} == {"200"}
    page = client.list_clusters_details(ListClustersDetailsRequest(offset=1, limit=5))
    assert (page.total_size, [cluster.id for cluster in page.clusters]) == (1, [emulator.cluster_id])
    policy = client.show_auto_create_policy(ShowAutoCreatePolicyRequest(emulator.cluster_id))
    assert (policy.enable, policy.period, policy.keepday) == ("true", "16:00 GMT+08:00", 3)


def test_one_byte_of_the_secret_is_enough_to_be_refused(emulator: CssEmulator) -> None:
    """With the last byte of the secret key changed, the official client gets 401 APIGW.0301."""
    with pytest.raises(ClientRequestException) as caught:
        _client(emulator, SECRET_KEY[:-1] + "d").list_snapshots(ListSnapshotsRequest(emulator.cluster_id))
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
    assert "verify aksk signature fail" in caught.value.error_msg
    assert caught.value.request_id


def test_what_is_not_emulated_is_no_success(emulator: CssEmulator) -> None:
    """Another name for a cluster, by the official client, is refused loudly."""
    request = UpdateClusterNameRequest(emulator.cluster_id, UpdateClusterNameReq("search-prod"))
    with pytest.raises(Exception, match="update_cluster_name") as caught:
        _client(emulator).update_cluster_name(request)
    assert getattr(caught.value, "status_code", None) == 501
