"""``create_snapshot`` on a kept connection, over bare ``requests`` and over the official SDK."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcss.v1 import CreateSnapshotReq, CreateSnapshotRequest
from huaweicloudsdkcss.v1 import CssClient as OfficialClient

from airflow_css.client.css import Credentials, CssClient
from tests.benchmarks.measuring import Row, interleaved

__all__ = ["measure"]

CLUSTER_ID = "4f3deec3-efa8-4598-bf91-560aad1377a3"
PROJECT_ID = "6204a5bd270343b5885144cf9c8c158d"
ACCESS_KEY, SECRET_KEY = "QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.fixed_server"], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield f"http://127.0.0.1:{int(line)}"
    finally:
        process.kill()
        process.wait()


def measure() -> list[Row]:
    """Return both comparisons, measured in the same rounds against the same server."""
    with _server() as url:
        client = CssClient(url, Credentials(ACCESS_KEY, SECRET_KEY), PROJECT_ID)
        session = requests.Session()
        path = f"{url}/v1.0/{PROJECT_ID}/clusters/{CLUSTER_ID}/index_snapshot"
        official = (
            OfficialClient.new_builder()
            .with_credentials(BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT_ID))
            .with_endpoint(url)
            .build()
        )
        request = CreateSnapshotRequest(
            cluster_id=CLUSTER_ID, body=CreateSnapshotReq(name="snapshot_001", indices="myindex1,myindex2")
        )
        body = {"name": "snapshot_001", "indices": "myindex1,myindex2"}
        seen = interleaved(
            {
                "ours": lambda: client.create_snapshot(CLUSTER_ID, "snapshot_001", indices="myindex1,myindex2"),
                "bare": lambda: session.post(path, json=body).json(),
                "official": lambda: official.create_snapshot(request),
            },
            rounds=30,
            calls=40,
        )
    ours, bare, sdk = (seen[name] * 1e6 for name in ("ours", "bare", "official"))
    return [
        Row("create_snapshot on a kept connection / bare requests", ours, bare, "us", ours / bare, 1.10),
        Row("the same / the official SDK", ours, sdk, "us", ours / sdk, 0.65),
    ]
