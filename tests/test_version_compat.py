"""Which Airflow this is."""

from __future__ import annotations

import secrets

import airflow
from packaging.version import Version

from airflow_css import version_compat
from tests.masking import redacted


def test_the_constants_agree_with_the_installed_airflow() -> None:
    """Each constant says whether this Airflow, a pre-release included, has reached its version."""
    release = Version(airflow.__version__).release
    assert version_compat.AIRFLOW_V_3_0_PLUS is (release >= (3, 0))
    assert version_compat.AIRFLOW_V_3_1_PLUS is (release >= (3, 1))
    assert version_compat.AIRFLOW_V_3_3_PLUS is (release >= (3, 3))


def test_a_masked_secret_is_masked_by_airflow() -> None:
    """What is handed over does not come out of Airflow's own redaction."""
    # Other tests may have had a single letter masked; none of them begins like this.
    secret = f"Zq{secrets.token_hex(16)}"
    assert redacted(secret) != "***"
    version_compat.mask_secret(secret)
    assert redacted(secret) == "***"
