"""
The rules for what a user may call things: snapshot names, descriptions, index lists, ids.

``check_*`` returns the value or raises ``CssUsageError``; ``fold_name`` makes a legal name out of a nearly legal one;
``derive_name`` makes one out of a run.

Source: CSS API reference, "Manually Creating a Snapshot", 2025-08-15.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.fingerprint import short_hash

__all__ = [
    "NAME_PATTERN",
    "check_cluster_id",
    "check_description",
    "check_name",
    "check_project_id",
    "check_snapshot_id",
    "derive_name",
    "fold_name",
    "fold_prefix",
    "is_cluster_id",
    "join_indices",
    "sibling_name",
]

NAME_PATTERN = re.compile(r"[a-z][a-z0-9_-]{3,63}")
LONGEST_NAME = 64
SHORTEST_NAME = 4
LONGEST_DESCRIPTION = 256
LONGEST_USER_DESCRIPTION = 200
"""Leaves room for the mark, which must never be cut."""
LONGEST_INDICES = 1024

# The API page forbids the first seven; the console guide and the official SDK add the backslash.
FORBIDDEN_IN_DESCRIPTION = "!<>=&\"'\\"
FORBIDDEN_IN_INDICES = '"\\<|>/?'

_NAME_RULE = (
    f"a snapshot name has {SHORTEST_NAME} to {LONGEST_NAME} characters, starts with a lower-case letter, "
    "and has only lower-case letters, digits, - and _"
)
# CSS writes its ids in small letters; one in capitals would match nothing in a list, and so hold or find nothing.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ILLEGAL_IN_NAME = re.compile(r"[^a-z0-9_-]+")


def check_name(name: str) -> str:
    """
    Return the snapshot name, which obeys the rule of CSS.

    :param name: 4 to 64 characters, starting with a lower-case letter; lower-case letters, digits, ``-``, ``_``.
    :raises CssUsageError: if it breaks the rule; the suggestion is the folded name.
    """
    if not NAME_PATTERN.fullmatch(str(name)):
        raise CssUsageError("snapshot name", name, _NAME_RULE, _legal_name_like(name))
    return name


def _legal_name_like(name: object) -> str:
    try:
        return fold_name(str(name))
    except CssUsageError:
        return "orders-20261123t000000z"


def fold_name(text: str) -> str:
    """
    Return the legal snapshot name that is nearest to a text.

    A legal name stays as it is. Otherwise: lower case; each run of illegal characters becomes one ``-``; ``-`` at both
    ends goes; ``s-`` comes in front if no letter leads; more than 64 characters become the first 55, ``-`` and 8
    characters of a fingerprint of the whole text.

    :param text: What the user gave, for example a rendered template.
    :raises CssUsageError: if fewer than 4 characters are left.
    """
    if NAME_PATTERN.fullmatch(text):
        return text
    folded = _ILLEGAL_IN_NAME.sub("-", text.lower()).strip("-")
    if not "a" <= folded[:1] <= "z":
        folded = f"s-{folded}"
    if len(folded) > LONGEST_NAME:
        folded = f"{folded[:55]}-{short_hash(text)}"
    if len(folded) < SHORTEST_NAME:
        raise CssUsageError("snapshot name", text, _NAME_RULE, "orders-20261123t000000z")
    return folded


def fold_prefix(text: str) -> str:
    """
    Return what the names begin with that ``fold_name`` makes out of texts that begin like this one.

    Lower case; each run of illegal characters becomes one ``-``; ``-`` in front goes, at the end it stays.

    :param text: What the user gave, for example a rendered template. At most 64 characters are left.
    :raises CssUsageError: if no legal name can begin with it.
    """
    folded = _ILLEGAL_IN_NAME.sub("-", text.lower()).lstrip("-")
    if not "a" <= folded[:1] <= "z" or len(folded) > LONGEST_NAME:
        rule = f"a snapshot name starts with a lower-case letter and has at most {LONGEST_NAME} characters"
        raise CssUsageError("name prefix", text, rule, "orders-")
    return folded


def derive_name(dag_id: str, moment: datetime, *identity: object) -> str:
    """
    Return the default snapshot name of a run, for example ``orders-etl-20261123t000000z-3f9c2a1b``.

    :param dag_id: The DAG; folded and cut to fit.
    :param moment: What the run stands for; shown in UTC.
    :param identity: What makes the run unique; only its fingerprint enters the name.
    """
    tail = f"{moment.astimezone(UTC):%Y%m%dt%H%M%Sz}-{short_hash(*identity)}"
    # Two characters stay free for a sibling's "-2", so that a sibling's name still shows the whole fingerprint.
    head = _ILLEGAL_IN_NAME.sub("-", dag_id.lower())[: LONGEST_NAME - len(tail) - 5].strip("-")
    head = head if head and "a" <= head[0] <= "z" else f"s-{head}".rstrip("-")
    return f"{head}-{tail}"


def sibling_name(name: str, taken: Sequence[str]) -> str:
    """
    Return a name for a second snapshot of the same run: ``<name>-2``, or the first free number after it.

    :param name: A legal snapshot name.
    :param taken: The names that exist on the cluster.
    """
    number = 2
    while (sibling := fold_name(f"{name}-{number}")) in taken:
        number += 1
    return sibling


def check_description(text: str, *, longest: int = LONGEST_USER_DESCRIPTION) -> str:
    """
    Return the description, which obeys the rule of CSS and leaves room for the mark.

    :param text: The user's own words.
    :param longest: Number of characters allowed, 0 to 256; default 200.
    :raises CssUsageError: if it is longer, or has a forbidden character; the message names the place.
    """
    if len(text) > longest:
        rule = f"a description has at most {longest} characters, this one has {len(text)}"
        raise CssUsageError("description", text, rule, _legal_description(text[:longest]).strip())
    for place, character in enumerate(text):
        if character in FORBIDDEN_IN_DESCRIPTION or not character.isprintable():
            rule = (
                f"the character {character!r} at position {place + 1} is forbidden in a description; so are "
                f"all of {FORBIDDEN_IN_DESCRIPTION} and line breaks"
            )
            raise CssUsageError("description", text, rule, _legal_description(text))
    return text


def _legal_description(text: str) -> str:
    return "".join("_" if c in FORBIDDEN_IN_DESCRIPTION or not c.isprintable() else c for c in text)


def join_indices(indices: str | Sequence[str]) -> str:
    """
    Return the index list as CSS wants it: names and patterns, separated by commas.

    Blanks around each item are stripped; otherwise the items and their order stay as given, because an exclusion such
    as ``-tmp-*`` counts from where it stands.

    :param indices: A list, or a text with commas. At most 1,024 characters once joined.
    :raises CssUsageError: if nothing is left, an item is illegal, or the whole is too long.
    """
    items = indices.split(",") if isinstance(indices, str) else [str(item) for item in indices]
    items = [item.strip() for item in items]
    if not items or not all(items):
        raise CssUsageError(
            "index list", indices, "every item needs a name or a pattern; leave indices out to back up all", "orders-*"
        )
    for item in items:
        _check_index(item)
    joined = ",".join(items)
    if len(joined) > LONGEST_INDICES:
        rule = (
            f"the list has {len(joined):,} characters in {len(items)} items, at most {LONGEST_INDICES:,} are allowed; "
            "use a pattern, or several tasks"
        )
        raise CssUsageError("index list", joined, rule, _pattern_like(items))
    return joined


def _check_index(item: str) -> None:
    bad = [
        c for c in item if c in FORBIDDEN_IN_INDICES or c.isspace() or c.isupper() or not c.isprintable() or c == ","
    ]
    if bad:
        rule = (
            f"the character {bad[0]!r} is forbidden; an index name or pattern has no upper-case letter, no space and "
            f"none of {FORBIDDEN_IN_INDICES}"
        )
        # A few capital letters of mathematics have no small one.
        legal = "".join("_" if c in bad and c.lower() == c else c.lower() for c in item)
        raise CssUsageError("index", item, rule, legal[:LONGEST_INDICES])


def _pattern_like(items: Sequence[str]) -> str:
    first = items[0].split("*")[0].lstrip("-")[:40]
    return f"{first}*"


def check_cluster_id(cluster_id: str) -> str:
    """
    Return the cluster id, which looks like one.

    :param cluster_id: 36 characters, for example ``4f3deec3-efa8-4598-bf91-560aad1377a3``.
    :raises CssUsageError: if it does not; a cluster's *name* goes into ``cluster_name``.
    """
    return _check_uuid(
        "cluster id", cluster_id, "a cluster id is a UUID of 36 characters; a name goes into cluster_name"
    )


def is_cluster_id(text: str) -> bool:
    """
    Return whether a text is an id of a cluster, and not a name.

    :param text: Either of the two.
    """
    return _UUID.fullmatch(text) is not None


def check_snapshot_id(snapshot_id: str) -> str:
    """
    Return the snapshot id, which looks like one.

    :param snapshot_id: 36 characters, for example ``9dc4f5c9-33c0-45c7-9378-ae35ae350682``.
    :raises CssUsageError: if it does not. An empty one would change the meaning of the call.
    """
    return _check_uuid("snapshot id", snapshot_id, "a snapshot id is a UUID of 36 characters")


def _check_uuid(what: str, value: str, rule: str) -> str:
    if not _UUID.fullmatch(str(value)):
        small = str(value).lower()
        legal = small if _UUID.fullmatch(small) else "4f3deec3-efa8-4598-bf91-560aad1377a3"
        raise CssUsageError(what, value, f"{rule}, in small letters", legal)
    return value


def check_project_id(project_id: str) -> str:
    """
    Return the project id, which looks like one.

    :param project_id: 32 lower-case letters and digits.
    :raises CssUsageError: if it does not.
    """
    if not re.fullmatch(r"[0-9a-z]{32}", str(project_id)):
        rule = "a project id has 32 lower-case letters and digits"
        raise CssUsageError("project id", project_id, rule, "6204a5bd270343b5885144cf9c8c158d")
    return project_id
