"""The address of a snapshot in the console, as the connection describes it: CSS documents none."""

from __future__ import annotations

from string import Formatter
from urllib.parse import quote, urlsplit

from airflow_css.protocol.errors import CssConfigError

__all__ = ["PLACEHOLDERS", "check_template", "fill_template"]

PLACEHOLDERS = ("region", "project_id", "cluster_id", "snapshot_id")


def check_template(template: str) -> str:
    """
    Return the template, which gives an https address.

    :param template: For example ``https://console.example.com/css/?region={region}#/clusters/{cluster_id}``.
    :raises CssConfigError: if it is none; the message names the rule.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as cause:
        raise CssConfigError(f"its braces do not fit together ({cause})") from cause
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            known = ", ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
            raise CssConfigError(f"{{{name}}} is no placeholder; legal are {known}")
    if any(c.isspace() or not c.isprintable() for c in template):
        raise CssConfigError("it has blanks or control characters")
    try:
        address = urlsplit(template)
    except ValueError as cause:
        raise CssConfigError(f"it is no address ({cause})") from cause
    if address.scheme != "https" or not address.hostname or "@" in address.netloc:
        raise CssConfigError("it is no https address such as https://console.example.com/css/{cluster_id}")
    return template


def fill_template(template: str, **values: str) -> str:
    """
    Return the address.

    :param template: As ``check_template`` returned it.
    :param values: One for each placeholder.
    """
    return template.format(**{name: quote(value, safe="") for name, value in values.items()})
