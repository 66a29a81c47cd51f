"""The client's restore against the emulator: what it sends, what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_css.client.credentials import Credentials
from airflow_css.client.css import CssClient
from airflow_css.emulator import CssEmulator
from airflow_css.protocol.errors import CssUsageError

SNAPSHOT = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"


@pytest.fixture
def emulator() -> Iterator[CssEmulator]:
    """A CSS on this machine."""
    with CssEmulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: CssEmulator) -> CssClient:
    """A client with the right keys."""
    return CssClient(emulator.url, Credentials(emulator.access_key, emulator.secret_key), emulator.project_id)


Restore = Callable[[CssClient, str], None]
BAD: dict[str, Restore] = {
    "cluster": lambda client, target: client.restore_snapshot("search-dev", SNAPSHOT, target_cluster_id=target),
    "snapshot": lambda client, target: client.restore_snapshot(target, "", target_cluster_id=target),
    "target": lambda client, cluster_id: client.restore_snapshot(cluster_id, SNAPSHOT, target_cluster_id="search-dev"),
    "indices": lambda client, target: client.restore_snapshot(target, SNAPSHOT, target_cluster_id=target, indices="A"),
    "no indices": lambda client, target: client.restore_snapshot(
        target, SNAPSHOT, target_cluster_id=target, indices=[]
    ),
    "half a renaming": lambda client, target: client.restore_snapshot(
        target, SNAPSHOT, target_cluster_id=target, rename_pattern="(.+)"
    ),
    "renaming": lambda client, target: client.restore_snapshot(
        target, SNAPSHOT, target_cluster_id=target, rename_pattern="a,b", rename_replacement="c"
    ),
}


@pytest.mark.parametrize("restore", BAD.values(), ids=BAD)
def test_a_bad_value_is_refused_before_anything_is_sent(
    emulator: CssEmulator, client: CssClient, restore: Restore
) -> None:
    """What breaks a rule costs no request."""
    with pytest.raises(CssUsageError):
        restore(client, emulator.cluster_id)
    assert emulator.requests == ()
