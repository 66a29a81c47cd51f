"""Which Airflow this is."""

from __future__ import annotations

import secrets

import airflow
from packaging.version import Version

from airflow_css import version_compat
from tests.masking import masks_come_back, redacted


def test_the_constants_agree_with_the_installed_airflow() -> None:
    """Each constant says whether this Airflow, a pre-release included, has reached its version."""
    release = Version(airflow.__version__).release
    assert version_compat.AIRFLOW_V_3_0_PLUS is (release >= (3, 0))
    assert version_compat.AIRFLOW_V_3_1_PLUS is (release >= (3, 1))
    assert version_compat.AIRFLOW_V_3_3_PLUS is (release >= (3, 3))


def test_a_masked_secret_is_masked_by_airflow() -> None:
    """What is handed over does not come out of Airflow's own redaction."""
    secret = f"Zq{secrets.token_hex(16)}"
    assert redacted(secret) == secret
    version_compat.mask_secret(secret)
    assert redacted(secret) == "***"


def test_no_test_hides_anything_from_the_next() -> None:
    """What is masked inside is forgotten outside, so no test depends on what others had masked."""
    secret = f"Zq{secrets.token_hex(16)}"
    with masks_come_back():
        version_compat.mask_secret(secret)
        assert redacted(f"told {secret}") == "told ***"
    assert redacted(f"told {secret}") == f"told {secret}"
