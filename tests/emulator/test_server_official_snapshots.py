"""Every snapshot call of the official SDK, unmodified, against the emulator, with its effect looked at."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcss import v1, v2

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.calls import EMULATED

SOURCE = "11111111-2222-4333-8444-555555555555"
TARGET = "22222222-2222-4333-8444-555555555555"


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """Return an emulator that serves two clusters."""
    with CssEmulator(
        clusters=[f"source={SOURCE}", f"target={TARGET}"], creation_takes=60, restore_takes=60
    ) as emulator:
        yield emulator


def _built(emulator: CssEmulator, builder: Any) -> Any:
    credentials = BasicCredentials(emulator.access_key, "emulator-sk", emulator.project_id)
    return builder.with_credentials(credentials).with_endpoint(emulator.url).build()


@pytest.fixture
def client(emulator: CssEmulator) -> Any:
    """Return the official client."""
    return _built(emulator, v1.CssClient.new_builder())


@pytest.fixture
def second(emulator: CssEmulator) -> Any:
    """Return the official client of the second version of the API."""
    return _built(emulator, v2.CssClient.new_builder())


def _listed(client: Any, cluster_id: str = SOURCE) -> Any:
    return client.list_snapshots(v1.ListSnapshotsRequest(cluster_id)).backups


def _policy(client: Any) -> Any:
    return client.show_auto_create_policy(v1.ShowAutoCreatePolicyRequest(SOURCE))


def _detail(client: Any, cluster_id: str = SOURCE) -> Any:
    return client.show_cluster_detail(v1.ShowClusterDetailRequest(cluster_id))


def _made(emulator: CssEmulator, client: Any) -> str:
    request = v1.CreateSnapshotRequest(SOURCE, v1.CreateSnapshotReq(name="before", indices="orders-*"))
    snapshot_id: str = client.create_snapshot(request).backup.id
    emulator.clock.advance(60)
    return snapshot_id


def test_it_creates_lists_and_deletes(emulator: CssEmulator, client: Any) -> None:
    """What it creates is listed as it asked, and what it deletes is listed no longer."""
    snapshot_id = _made(emulator, client)
    (listed,) = _listed(client)
    assert (listed.id, listed.name, listed.status, listed.restore_status) == (
        snapshot_id,
        "before",
        "COMPLETED",
        "none",
    )
    client.delete_snapshot(v1.DeleteSnapshotRequest(SOURCE, snapshot_id))
    assert _listed(client) == []


def test_it_restores_to_another_cluster_under_new_names(emulator: CssEmulator, client: Any) -> None:
    """The target shows that it is at work, the source's list how it goes, and the new indices are there at the end."""
    snapshot_id = _made(emulator, client)
    body = v1.RestoreSnapshotReq(
        target_cluster=TARGET,
        indices="orders-*",
        rename_pattern="orders-(.+)",
        rename_replacement="restored-$1",
        replace_exist_indices=False,
    )
    client.restore_snapshot(v1.RestoreSnapshotRequest(SOURCE, snapshot_id, body))
    assert (_detail(client, TARGET).actions, _detail(client).actions) == (["RESTORING"], [])
    assert [entry.restore_status for entry in _listed(client)] == ["restoring"]
    emulator.clock.advance(60)
    assert _detail(client, TARGET).actions == []
    assert [entry.restore_status for entry in _listed(client)] == ["success"]
    assert set(emulator.indices(TARGET)) - set(emulator.indices(SOURCE)) == {"restored-2026-10", "restored-2026-11"}


def test_it_sets_the_bucket_and_turns_the_function_on(emulator: CssEmulator, client: Any) -> None:
    """The settings are shown by the policy call, the function by the cluster, the bucket by the next snapshot."""
    emulator.change_cluster(SOURCE, snapshot_function=False)
    body = v1.UpdateSnapshotSettingReq(
        bucket="other-bucket", agency="css_agency", base_path="backups/prod", max_snapshot_bytes_per_seconds="20MB"
    )
    client.update_snapshot_setting(v1.UpdateSnapshotSettingRequest(SOURCE, body))
    policy = _policy(client)
    assert (policy.bucket, policy.agency, policy.base_path) == ("other-bucket", "css_agency", "backups/prod")
    assert (policy.max_snapshot_bytes_per_seconds, policy.enable) == ("20MB", "false")
    assert _detail(client).backup_available is True
    _made(emulator, client)
    assert _listed(client)[0].bucket_name == "other-bucket"


def test_it_turns_the_function_on_without_settings(emulator: CssEmulator, client: Any) -> None:
    """The older call needs no body."""
    emulator.change_cluster(SOURCE, snapshot_function=False)
    with warnings.catch_warnings():
        # The SDK itself says that the call is no longer recommended.
        warnings.simplefilter("ignore", DeprecationWarning)
        client.start_auto_setting(v1.StartAutoSettingRequest(SOURCE))
    assert _detail(client).backup_available is True


def test_it_sets_a_policy_by_which_snapshots_are_made(emulator: CssEmulator, client: Any) -> None:
    """The policy is shown as it was set, makes snapshots, and takes them along when it is turned off like that."""
    # At half past, so that one full hour comes within the next 61 minutes, whenever the test runs.
    emulator.clock.advance(5400 - emulator.clock.now().timestamp() % 3600)
    order = v1.SetRDSBackupCnfReq(
        enable="true", prefix="nightly", period="16:00 GMT+08:00", keepday=7, frequency="HOUR", indices="orders-*"
    )
    client.create_auto_create_policy(v1.CreateAutoCreatePolicyRequest(SOURCE, order))
    policy = _policy(client)
    assert (policy.enable, policy.prefix, policy.period, policy.keepday) == ("true", "nightly", "16:00 GMT+08:00", 7)
    assert (policy.frequency, policy.indices) == ("HOUR", "orders-*")
    emulator.clock.advance(3600)
    emulator.clock.advance(60)
    (made,) = _listed(client)
    assert (made.backup_type, made.backup_method, made.name.rpartition("-")[0]) == ("0", "auto", "nightly")
    order = v1.SetRDSBackupCnfReq(enable="false", delete_auto="true")
    client.create_auto_create_policy(v1.CreateAutoCreatePolicyRequest(SOURCE, order))
    assert (_policy(client).enable, _listed(client)) == ("false", [])


def test_it_turns_the_function_off_once(emulator: CssEmulator, client: Any) -> None:
    """Then no snapshot can be made, those that there are stay listed, and a second time is refused with 415."""
    _made(emulator, client)
    client.stop_snapshot(v1.StopSnapshotRequest(SOURCE))
    assert (_detail(client).backup_available, len(_listed(client))) == (False, 1)
    with pytest.raises(ClientRequestException, match=r"CSS\.0004") as caught:
        client.stop_snapshot(v1.StopSnapshotRequest(SOURCE))
    assert caught.value.status_code == 415


def test_it_opens_and_closes_the_policy_by_the_second_version(emulator: CssEmulator, client: Any, second: Any) -> None:
    """Both calls of the second version change the one policy that the first version shows."""
    order = v2.StartAutoCreateSnapshotsReq(keepday=3, prefix="auto", period="01:00 GMT+08:00", indices="customers")
    second.start_auto_create_snapshots(v2.StartAutoCreateSnapshotsRequest(SOURCE, order))
    policy = _policy(client)
    assert (policy.enable, policy.keepday, policy.prefix, policy.period) == ("true", 3, "auto", "01:00 GMT+08:00")
    second.stop_auto_create_snapshots(v2.StopAutoCreateSnapshotsRequest(SOURCE))
    assert (_policy(client).enable, _policy(client).keepday) == ("false", 3)
    assert emulator.count("stop_auto_create_snapshots") == 1


def test_it_reads_clusters(client: Any) -> None:
    """Detail and list agree."""
    page = client.list_clusters_details(v1.ListClustersDetailsRequest(offset=1, limit=10))
    assert {cluster.id for cluster in page.clusters} == {SOURCE, TARGET}
    assert [(cluster.name, cluster.status) for cluster in page.clusters if cluster.id == SOURCE] == [
        (_detail(client).name, _detail(client).status)
    ]


def test_no_snapshot_call_of_the_sdk_is_left_out() -> None:
    """Whatever call of the SDK speaks of snapshots, the emulator has one with its method and path."""
    known = {(call.method, call.template) for call in EMULATED}
    found = {
        tuple(source.split(f'"{key}": "')[1].split('"')[0] for key in ("method", "resource_path"))
        for client in (v1.CssClient, v2.CssClient)
        for name, function in inspect.getmembers(client, inspect.isroutine)
        if name.endswith("_http_info")
        and "snapshot" in (source := inspect.getsource(function)).split('"resource_path"')[1]
    }
    assert len(found) == 11
    assert found <= known
