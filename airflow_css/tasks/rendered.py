"""
What a template came to: checked before anything is sent.

Only Python's ``None``, given in the DAG, means "default". A template that renders to nothing, to the word ``None`` or
to a printed list is a mistake in the DAG that would back up the wrong thing, or everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from airflow_css.protocol.errors import CssUsageError

__all__ = ["check_flag", "check_number", "check_rendered"]

LONGEST_SECONDS = 31_536_000

# A list always counts, since nothing legal begins so; a tuple, a set or a dictionary when a quoted item follows.
_PRINTED = re.compile(r"\[|[({]\s*['\"].*[)}]$", re.DOTALL)

_LEGAL = {
    "cluster_id": "4f3deec3-efa8-4598-bf91-560aad1377a3",
    "cluster_name": "search-prod",
    "snapshot_name": "orders-20261123t000000z",
    "indices": "orders-*",
    "description": "before the nightly load",
    "css_conn_id": "css_default",
    "snapshot_id": "9dc4f5c9-33c0-45c7-9378-ae35ae350682",
    "name_prefix": "orders-",
    "name_regex": "orders-.*",
    "hold_ids": "9dc4f5c9-33c0-45c7-9378-ae35ae350682",
    "hold_names": "orders-20261123t000000z",
    "target_cluster_id": "same",
    "rename_pattern": "(.+)",
    "rename_replacement": "restored_$1",
}


# A regular expression may well begin with a bracket.
_PATTERNS = ("name_regex", "rename_pattern")
_PRINTED_PATTERN = re.compile(r"\[\s*['\"].*\]$", re.DOTALL)
_LISTS = ("indices", "hold_ids", "hold_names")
_NO_HOLD = "write {}=[] in the DAG if nothing is held; a template that may find none gives {} that no snapshot has"
_WAYS_OUT = {
    "css_conn_id": "name a connection",
    "target_cluster_id": "say 'same' for the snapshot's own cluster",
    "hold_ids": _NO_HOLD.format("hold_ids", "an id such as '00000000-0000-0000-0000-000000000000'"),
    "hold_names": _NO_HOLD.format("hold_names", "a name such as 'nothing-is-held'"),
}


def check_rendered(field: str, value: Any) -> Any:
    """
    Return the rendered value of a template field, which says something: a list as it is, everything else as text.

    :param field: Name of the operator's parameter.
    :param value: What it was rendered to.
    :raises CssUsageError: if it is empty, ``None``-like, a list that was printed into a text, or a list where a text
        is needed.
    """
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if not is_list and isinstance(value, Iterable) and not isinstance(value, str):
        raise CssUsageError(field, value, f"it is a {type(value).__name__}; a text or a list is needed", _LEGAL[field])
    if is_list and value and field not in _LISTS:
        raise CssUsageError(field, value, "it is a list where one value is needed", _LEGAL[field])
    for part in value if is_list and value else [value]:
        rule = _rule_broken_by(field, part)
        if rule:
            raise CssUsageError(field, value, rule, _LEGAL[field])
    # Native rendering also makes numbers and truth values out of templates.
    return list(value) if is_list else str(value)


def _rule_broken_by(field: str, part: Any) -> str:
    way_out = _WAYS_OUT.get(field, "leave the parameter out to use the default")
    if part is None or (isinstance(part, list | tuple) and not part):
        return f"it was rendered to nothing; give a value, or {way_out}"
    text = str(part).strip()
    if not text:
        return f"it was rendered to an empty text; give a value, or {way_out}"
    if text.lower() == "none":
        return f"it was rendered to the word {text}, so the value it refers to is missing; give one, or {way_out}"
    if (_PRINTED if field not in _PATTERNS else _PRINTED_PATTERN).match(text):
        return (
            "it was rendered to a list printed as text; set render_template_as_native_obj=True on the DAG, "
            "or join the items with commas in the template"
        )
    return ""


def check_flag(what: str, value: Any) -> bool:
    """
    Return a truth value, which is one: the word ``false`` would count as true.

    :param what: Name of the operator's parameter.
    :param value: What the user gave.
    :raises CssUsageError: if it is anything but ``True`` or ``False``.
    """
    if not isinstance(value, bool):
        raise CssUsageError(what, value, "it is True or False, and no text", True)  # noqa: FBT003 - the legal value
    return value


def check_number(what: str, value: Any, *, at_least: float) -> float:
    """
    Return a number of seconds, which is one.

    :param what: Name of the operator's parameter.
    :param value: What the user gave.
    :param at_least: The smallest legal value.
    :raises CssUsageError: if it is no number, or smaller.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not at_least <= value <= LONGEST_SECONDS:
        rule = f"it is a number of seconds, at least {at_least:g} and at most {LONGEST_SECONDS:,} (a year)"
        raise CssUsageError(what, value, rule, max(at_least, 60.0))
    return float(value)
