"""IAM against an outside witness: the unmodified client of the official SDK for IAM, where it is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from airflow_css.emulator import CssEmulator
from airflow_css.emulator.iam import DEFAULT_DOMAIN_ID, RefusalShape
from airflow_css.emulator.keys import Key
from tests.emulator.asking import Asker
from tests.emulator.recording import Recorder, recording

iam_sdk = pytest.importorskip("huaweicloudsdkiam.v3", reason="the official SDK for IAM is not installed")

VECTOR = Path(__file__).parents[1] / "vectors" / "identity" / "assume_agency.json"


@pytest.fixture
def iam() -> Iterator[Recorder]:
    """Return IAM, noting what it is sent."""
    with CssEmulator(identity=True) as emulator, recording(emulator.identity, "iam") as recorder:
        yield recorder


def _client(iam: Recorder, secret_key: str = "emulator-sk") -> Any:
    credentials = GlobalCredentials("emulator-ak", secret_key, DEFAULT_DOMAIN_ID)
    return iam_sdk.IamClient.new_builder().with_credentials(credentials).with_endpoint(iam.url).build()


def _order(**changes: Any) -> Any:
    fields = {"agency_name": "css-loader", "domain_name": "emulator-account", "duration_seconds": 3600, **changes}
    user = iam_sdk.AssumeroleSessionuser(name="css_night_load")
    role = iam_sdk.IdentityAssumerole(session_user=user, **fields)
    auth = iam_sdk.AgencyAuth(iam_sdk.AgencyAuthIdentity(methods=["assume_role"], assume_role=role))
    body = iam_sdk.CreateTemporaryAccessKeyByAgencyRequestBody(auth=auth)
    return iam_sdk.CreateTemporaryAccessKeyByAgencyRequest(body=body)


def test_a_key_of_an_agency(iam: Recorder) -> None:
    """The client reads every field of the key, which signs for CSS."""
    credential = _client(iam).create_temporary_access_key_by_agency(_order()).credential
    assert iam.sent == json.loads(VECTOR.read_text())["requests"]
    (issued,) = iam.identity.issued
    assert issued.expires_at is not None
    assert credential.expires_at == issued.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    key = Key(credential.access, credential.secret, credential.securitytoken)
    asker = Asker(CssEmulator())
    asker.emulator.keys.add(issued)
    assert asker.css(key).status == 200


def test_the_projects_of_a_region(iam: Recorder) -> None:
    """The client for IAM reads the same list as the one that looks projects up by itself."""
    request = iam_sdk.KeystoneListProjectsRequest(name="eu-west-101")
    (project,) = _client(iam).keystone_list_projects(request).projects
    assert (project.id, project.name, project.enabled) == (iam.identity.iam.projects[0].id, "eu-west-101", True)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [({"agency_name": "other"}, (404, "IAM.0004")), ({"duration_seconds": 60}, (400, "IAM.0007"))],
)
def test_a_wrong_order(iam: Recorder, changes: dict[str, Any], answer: tuple[int, str]) -> None:
    """The client reads the code and the words of a refusal."""
    with pytest.raises(ClientRequestException) as caught:
        _client(iam).create_temporary_access_key_by_agency(_order(**changes))
    assert (caught.value.status_code, caught.value.error_code) == answer
    assert caught.value.error_msg


@pytest.mark.parametrize(("shape", "code"), [("gateway", "APIGW.0301"), ("iam", "IAM.0001"), ("keystone", "401")])
def test_a_wrong_secret(iam: Recorder, shape: RefusalShape, code: str) -> None:
    """The client understands each of the three shapes."""
    iam.identity.iam.sign_in_refusals = shape
    with pytest.raises(ClientRequestException) as caught:
        _client(iam, "wrong").create_temporary_access_key_by_agency(_order())
    assert (caught.value.status_code, str(caught.value.error_code)) == (401, code)
