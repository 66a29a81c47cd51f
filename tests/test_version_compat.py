"""Which Airflow this is."""

from __future__ import annotations

import importlib
import secrets

import airflow
import pytest
from packaging.version import Version

from airflow_css import version_compat

# Where the masker of each line of versions keeps what it hides.
_MASKERS = (
    "airflow.sdk._shared.secrets_masker.secrets_masker",
    "airflow.sdk.execution_time.secrets_masker",
    "airflow.utils.log.secrets_masker",
)


def test_the_constants_agree_with_the_installed_airflow() -> None:
    """Each constant says whether this Airflow, a pre-release included, has reached its version."""
    release = Version(airflow.__version__).release
    assert version_compat.AIRFLOW_V_3_0_PLUS is (release >= (3, 0))
    assert version_compat.AIRFLOW_V_3_1_PLUS is (release >= (3, 1))
    assert version_compat.AIRFLOW_V_3_3_PLUS is (release >= (3, 3))


def _redacted(text: str) -> object:
    for name in _MASKERS:
        try:
            return importlib.import_module(name).redact(text)
        except ModuleNotFoundError:
            continue
    return pytest.fail("this Airflow has no masker that is known")


def test_a_masked_secret_is_masked_by_airflow() -> None:
    """What is handed over does not come out of Airflow's own redaction."""
    # Other tests may have had a single letter masked; none of them begins like this.
    secret = f"Zq{secrets.token_hex(16)}"
    assert _redacted(secret) != "***"
    version_compat.mask_secret(secret)
    assert _redacted(secret) == "***"
