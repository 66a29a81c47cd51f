"""The console's address: which templates are taken, and what they become."""

from __future__ import annotations

import pytest

from airflow_css.hooks.console_url import PLACEHOLDERS, check_template, fill_template
from airflow_css.protocol.errors import CssConfigError

VALUES = dict.fromkeys(PLACEHOLDERS, "x")


@pytest.mark.parametrize(
    "template",
    [
        "https://console.example.com/css/?region={region}#/{project_id}/{cluster_id}/{snapshot_id}",
        "https://{region}.console.example.com/css",
        "https://console.example.com/css?braces={{}}",
    ],
)
def test_a_good_template_is_taken(template: str) -> None:
    """Any of the placeholders may stand anywhere, and none must."""
    assert fill_template(check_template(template), **VALUES).startswith("https://")


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("http://console.example.com/{cluster_id}", "no https address"),
        ("javascript:alert(1)", "no https address"),
        ("https://", "no https address"),
        ("https://user@console.example.com/", "no https address"),
        ("https://[console/", "no address"),
        ("https://console.example.com/{cluster}", "{cluster} is no placeholder"),
        ("https://console.example.com/{}", "{} is no placeholder"),
        ("https://console.example.com/{0}", "{0} is no placeholder"),
        ("https://console.example.com/{cluster_id.__class__}", "is no placeholder"),
        ("https://console.example.com/{cluster_id!r}", "is no placeholder"),
        ("https://console.example.com/{cluster_id:>9}", "is no placeholder"),
        ("https://console.example.com/{cluster_id", "braces"),
        ("https://console.example.com/a b", "blanks"),
        ("https://console.example.com/\x00", "blanks"),
    ],
)
def test_a_bad_template_is_refused_with_its_rule(template: str, rule: str) -> None:
    """The message says what is wrong and what would be right."""
    with pytest.raises(CssConfigError) as caught:
        check_template(template)
    assert rule in str(caught.value)


def test_values_cannot_change_the_address() -> None:
    """What stands for a placeholder is encoded."""
    filled = fill_template("https://console.example.com/{cluster_id}", **{**VALUES, "cluster_id": "../a?b#c"})
    assert filled == "https://console.example.com/..%2Fa%3Fb%23c"
