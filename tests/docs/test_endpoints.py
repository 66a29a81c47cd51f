"""The how-to for endpoints: its addresses, sentences and extras are those of the code."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from airflow_css.client.endpoints import REGIONS, check_endpoint, endpoint_of_region, iam_endpoint_of_region
from airflow_css.client.rules import SendingRules
from airflow_css.emulator import CssEmulator
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import CssConfigError
from tests.docs.markdown import page

PAGE = page("docs/how-to/endpoints.md")
MISSPELT, UNCHECKED = (block.text.strip() for block in PAGE.blocks("text"))
CONNECTION, *EXTRAS = (json.loads(block.text) for block in PAGE.blocks("json"))
PROJECT = "6204a5bd270343b5885144cf9c8c158d"


def _settings(**fields: Any) -> Any:
    extra = {"project_id": PROJECT, **fields.pop("extra", {})}
    connection = {"conn_type": "huaweicloud_css", "login": "ak", "password": "planted", **fields, "extra": extra}
    os.environ["AIRFLOW_CONN_CSS_DEFAULT"] = json.dumps(connection)
    return CssHook().settings


def test_the_addresses_of_regions_are_those_of_the_code() -> None:
    """Each row is what the region brings, and both regions with the old name are there."""
    rows = [[cell.strip("`") for cell in row] for row in PAGE.table("region")]
    assert [[region, endpoint_of_region(region), iam_endpoint_of_region(region)] for region, *_ in rows] == rows
    assert {region for region in REGIONS if "//es." in endpoint_of_region(region)} < {row[0] for row in rows}


@pytest.mark.parametrize("host", [row[1].strip("`") for row in PAGE.table("cloud")])
def test_a_sister_cloud_is_reached_by_its_host(host: str) -> None:
    """Each host passes as it stands, without a region."""
    assert check_endpoint(host) == host
    assert _settings(host=host).endpoint == host


def test_the_connection_of_the_page_is_understood() -> None:
    """What is shown to be pasted is read, once the placeholders are filled."""
    settings = _settings(**{**CONNECTION, "login": "ak", "password": "planted", "extra": {}})
    assert (settings.endpoint, settings.region, settings.warnings) == (CONNECTION["host"], "", ())


def test_the_extras_of_the_page_are_understood() -> None:
    """Each shown extra is read as the page says."""
    proxy, bundle = (_settings(host=CONNECTION["host"], extra=extra).rules for extra in EXTRAS)
    assert proxy.proxy == EXTRAS[0]["proxy"]
    assert bundle.verify == EXTRAS[1]["verify"]


def test_a_misspelt_region_is_answered_as_shown() -> None:
    """The sentence of the page is the one that is raised."""
    with pytest.raises(CssConfigError) as caught:
        _settings(extra={"region": "cn-nroth-4"})
    assert str(caught.value) == MISSPELT


def test_an_unchecked_certificate_is_warned_about_as_shown() -> None:
    """The sentence of the page is the one that is logged, and the one that the Test button says."""
    with CssEmulator() as emulator:
        os.environ.update(emulator.connection_env(verify=False))
        assert CssHook().settings.warnings == (UNCHECKED,)
        assert UNCHECKED in CssHook().test_connection()[1]


def test_the_default_times_are_the_real_ones() -> None:
    """The table gives the seconds that are in force."""
    shown = {row[0].strip("`"): float(row[1]) for row in PAGE.table("extra")}
    rules = SendingRules()
    assert shown == {"connect_timeout_seconds": rules.connect_seconds, "timeout_seconds": rules.read_seconds}
    assert rules.for_one_look().connect_seconds + rules.for_one_look().read_seconds == 15
