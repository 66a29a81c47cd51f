"""Signing one request, over the official signer."""

from __future__ import annotations

import json

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from airflow_css.protocol.signing import SignableRequest, authorization_header
from tests.benchmarks.measuring import Row, interleaved

__all__ = ["measure"]

HOST = "css.eu-west-101.myhuaweicloud.com"
PATH = "/v1.0/6204a5bd270343b5885144cf9c8c158d/clusters/4f3deec3-efa8-4598-bf91-560aad1377a3/index_snapshot"
BODY = json.dumps({"name": "snapshot_001", "indices": "myindex1,myindex2"})
DATE = "20250815T000000Z"
ACCESS_KEY, SECRET_KEY = "QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"


def _ours() -> str:
    headers = {"Host": HOST, "X-Sdk-Date": DATE, "Content-Type": "application/json"}
    request = SignableRequest("POST", PATH, (), headers, BODY.encode())
    return authorization_header(request, access_key=ACCESS_KEY, secret_key=SECRET_KEY, date=DATE)


def _official() -> str:
    request = SdkRequest(
        method="POST",
        schema="https",
        host=HOST,
        resource_path=PATH,
        uri=PATH,
        query_params=[],
        header_params={"Host": HOST, "X-Sdk-Date": DATE, "Content-Type": "application/json"},
        body=BODY,
    )
    return str(Signer(BasicCredentials(ACCESS_KEY, SECRET_KEY)).sign(request).header_params["Authorization"])


def measure() -> list[Row]:
    """Return the comparison; both must come to the same signature."""
    if _ours().rpartition("Signature=")[2] != _official().rpartition("Signature=")[2]:
        raise ValueError("the two signers disagree, so their speed cannot be compared")
    seen = interleaved({"ours": _ours, "other": _official}, rounds=30, calls=300)
    ours, other = seen["ours"] * 1e6, seen["other"] * 1e6
    return [Row("signing one request / the official signer", ours, other, "us", ours / other, 0.4)]
