"""
The bodies of a creation and of a restore, read and checked.

Source: CSS API reference, "Manually Creating a Snapshot", 2025-08-15, and "Restoring a Snapshot", 2025-12-01.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_css.emulator.bodies import check_indices, read_body, wrong
from airflow_css.emulator.exchange import Refusal
from airflow_css.emulator.renaming import is_beyond_python
from airflow_css.emulator.restores import RestoreOrder
from airflow_css.protocol.names import FORBIDDEN_IN_DESCRIPTION, LONGEST_DESCRIPTION, NAME_PATTERN
from airflow_css.protocol.renaming import FORBIDDEN_IN_RENAMING, LONGEST_RENAMING

__all__ = ["CreationOrder", "read_creation", "read_restore"]


@dataclass(frozen=True)
class CreationOrder:
    """
    What a creation asks for.

    :param name: The snapshot name.
    :param description: The description; empty for none.
    :param indices: Names and patterns, separated by commas; empty for all.
    """

    name: str
    description: str = ""
    indices: str = ""


def read_creation(body: bytes) -> CreationOrder:
    """
    Return what a creation asks for.

    :param body: The bytes sent.
    :raises Refusal: if it breaks a rule; the detail names the field.
    """
    fields = read_body(body)
    name, description, indices = fields.text("name"), fields.text("description"), fields.text("indices")
    if not NAME_PATTERN.fullmatch(name):
        raise wrong("name has 4 to 64 characters: a lower-case letter, then lower-case letters, digits, - and _")
    if len(description) > LONGEST_DESCRIPTION:
        raise wrong(f"description is longer than {LONGEST_DESCRIPTION} characters")
    if set(description) & set(FORBIDDEN_IN_DESCRIPTION):
        raise wrong(f"description contains one of {FORBIDDEN_IN_DESCRIPTION}")
    return CreationOrder(name, description, check_indices(indices))


def read_restore(body: bytes) -> RestoreOrder:
    """
    Return what a restore asks for.

    Source: as above for the keys with underscores. Up to mid-2025 the same page had them in camelCase, and clients
    that still send these report no refusal, so both are read. Assumed: of two spellings the newer counts.

    :param body: The bytes sent.
    :raises Refusal: if it breaks a rule; the detail names the field.
    """
    fields = read_body(body)
    return RestoreOrder(
        target_cluster=fields.needed("target_cluster", "targetCluster"),
        indices=check_indices(fields.text("indices")),
        rename_pattern=_known_to_python(_renaming("rename_pattern", fields.text("rename_pattern", "renamePattern"))),
        rename_replacement=_renaming("rename_replacement", fields.text("rename_replacement", "renameReplacement")),
        replace_existing=fields.flag("replace_exist_indices"),
    )


def _renaming(what: str, text: str) -> str:
    if len(text) > LONGEST_RENAMING:
        raise wrong(f"{what} is longer than {LONGEST_RENAMING} characters")
    if text != text.lower() or any(c.isspace() or c in FORBIDDEN_IN_RENAMING for c in text):
        raise wrong(f"{what} contains an upper-case letter, a space or one of {FORBIDDEN_IN_RENAMING}")
    return text


def _known_to_python(pattern: str) -> str:
    if is_beyond_python(pattern):
        raise Refusal(501, "EMULATOR.0501", "The engine knows such sets and repetitions, this emulator does not.")
    return pattern
