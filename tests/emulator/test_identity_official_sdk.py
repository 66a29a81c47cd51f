"""
The services that hand keys out against an outside witness: the unmodified sources of keys of the official SDK.

What the SDK sends is kept in ``tests/vectors/identity``, so that our own client can be held to it.

The SDK knows the metadata service under a fixed address. An HTTP proxy in the environment leads it to the emulator.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.auth.provider import (
    CredentialProviderChain,
    EnvCredentialProvider,
    MetadataCredentialProvider,
    PodIdentityCredentialProvider,
)
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcss.v1 import CssClient, ListSnapshotsRequest

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.iam import Project
from tests.emulator.recording import Recorder, recording

VECTORS = Path(__file__).parents[1] / "vectors" / "identity"
METADATA = "http://169.254.169.254"


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """Return an emulator whose services hand out keys that the SDK renews each time: it does so 40 minutes ahead."""
    with CssEmulator(identity=True) as emulator:
        emulator.identity.metadata.key.lasts = emulator.identity.pod.key.lasts = 60
        yield emulator


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what this machine's environment says about keys and proxies, the profile in its home included."""
    for name in tuple(os.environ):
        if name.startswith(("HUAWEICLOUD_", "HC_CONTAINER_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def iam(emulator: CssEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Lead the SDK to IAM, and note what it sends there."""
    with recording(emulator.identity, "iam") as recorder:
        monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", recorder.url)
        yield recorder


@pytest.fixture
def metadata(emulator: CssEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Lead the SDK to the metadata service, and note what it sends there."""
    with recording(emulator.identity, "metadata") as recorder:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, recorder.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "127.0.0.1")
        yield recorder


@pytest.fixture
def pod(emulator: CssEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Recorder]:
    """Lead the SDK to the pod identity, and note what it sends there."""
    with recording(emulator.identity, "pod") as recorder:
        env = emulator.identity.pod_environment(tmp_path / "token")
        for name, value in env.items():
            monkeypatch.setenv(name, value.replace(emulator.identity.pod_url, f"{recorder.url}/v1/credentials"))
        yield recorder


def _lists_snapshots(emulator: CssEmulator, credentials: Any) -> bool:
    region = Region("eu-west-101", emulator.url)
    client = CssClient.new_builder().with_credentials(credentials).with_region(region).build()
    return list(client.list_snapshots(ListSnapshotsRequest(emulator.cluster_id)).backups) == []


def _vector(name: str) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())["requests"]
    return requests


def _on_its_own_host(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the requests without the address that they name because they went to a proxy."""
    assert all(request["path"].startswith(METADATA) for request in sent)
    own = [{**request, "path": request["path"].removeprefix(METADATA)} for request in sent]
    return [{**one, "headers": {k: v for k, v in one["headers"].items() if k != "proxy-connection"}} for one in own]


def test_keys_from_the_environment_and_a_project_that_is_looked_up(
    emulator: CssEmulator, iam: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK finds the project of its region with a signed call, and works with snapshots then."""
    emulator.change_keys("AK-OF-ENVIRONMENT", "secret of the environment", "token-of-environment")
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", emulator.access_key)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", emulator.secret_key)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SECURITY_TOKEN", "token-of-environment")
    credentials = EnvCredentialProvider.get_basic().get_credentials()
    assert _lists_snapshots(emulator, credentials)
    assert credentials.project_id == emulator.project_id
    assert iam.sent == _vector("list_projects")


def test_keys_of_a_server(emulator: CssEmulator, metadata: Recorder, iam: Recorder) -> None:
    """The SDK gets a token, then the key, and signs with it for IAM and CSS."""
    credentials = MetadataCredentialProvider.get_basic().get_credentials()
    assert _on_its_own_host(metadata.sent) == _vector("metadata")
    assert _lists_snapshots(emulator, credentials)
    assert credentials.ak in {key.access_key for key in emulator.identity.issued}
    assert [request["path"] for request in iam.sent] == ["/v3/projects"]


@pytest.mark.parametrize("status", [404, 405, 503])
def test_keys_of_a_server_with_an_older_metadata_service(
    emulator: CssEmulator, metadata: Recorder, status: int
) -> None:
    """The SDK goes on without a token."""
    emulator.identity.metadata.token_status = status
    MetadataCredentialProvider.get_basic().get_credentials()
    assert _on_its_own_host(metadata.sent) == _vector("metadata_older")


def test_a_token_that_the_metadata_service_forgot(emulator: CssEmulator, metadata: Recorder) -> None:
    """After a 401 the SDK gets another token, once, and asks again."""
    credentials = MetadataCredentialProvider.get_basic().get_credentials()
    emulator.identity.metadata.forget_tokens()
    metadata.sent.clear()
    credentials.process_sts(None)
    assert _on_its_own_host(metadata.sent) == _vector("metadata_token_refused")


def test_a_server_without_an_agency(emulator: CssEmulator, metadata: Recorder) -> None:
    """The SDK knows the words, and does not ask for another token."""
    emulator.identity.metadata.has_agency = False
    with pytest.raises(ClientRequestException, match="Please configure Cloud Service Agency first"):
        MetadataCredentialProvider.get_basic().get_credentials()
    assert _on_its_own_host(metadata.sent) == _vector("metadata")


def test_keys_of_a_pod(emulator: CssEmulator, pod: Recorder, iam: Recorder) -> None:
    """The SDK shows the token from the file, and signs with the key for IAM and CSS."""
    credentials = PodIdentityCredentialProvider.get_basic().get_credentials()
    assert pod.sent == _vector("pod")
    assert _lists_snapshots(emulator, credentials)
    assert [request["path"] for request in iam.sent] == ["/v3/projects"]


def test_a_pod_with_another_token(emulator: CssEmulator, pod: Recorder) -> None:
    """The SDK reports the refusal."""
    emulator.identity.pod.token = "another"
    with pytest.raises(SdkException, match="401 Client Error"):
        PodIdentityCredentialProvider.get_basic().get_credentials()
    assert len(pod.sent) == 1


def test_the_sdk_prefers_the_server_to_the_pod(emulator: CssEmulator, metadata: Recorder, pod: Recorder) -> None:
    """Where both would give keys, its chain asks the metadata service."""
    credentials = CredentialProviderChain.get_basic().get_credentials()
    assert [key.access_key for key in emulator.identity.issued] == [credentials.ak]
    assert (len(metadata.sent), len(pod.sent)) == (2, 0)


@pytest.mark.parametrize(
    ("projects", "words"),
    [
        ([], "Failed to get project id of region 'eu-west-101'"),
        ([Project("1" * 32, "eu-west-101"), Project("2" * 32, "eu-west-101")], "Multiple project ids found"),
    ],
)
def test_no_project_or_several(emulator: CssEmulator, iam: Recorder, projects: list[Project], words: str) -> None:
    """The SDK reads either list as it is meant."""
    emulator.identity.iam.projects = projects
    # The SDK remembers projects by key and region, so this key must be one of its own.
    emulator.change_keys(f"AK-OF-{len(projects)}-PROJECTS", "secret")
    with pytest.raises(SdkException, match=words):
        _lists_snapshots(emulator, BasicCredentials(emulator.access_key, emulator.secret_key))
    assert len(iam.sent) == 1
