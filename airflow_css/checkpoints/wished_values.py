"""What a checkpoint may be given: each value has its kind, and none is taken for another one's meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_css.checkpoints.plan import has_template
from airflow_css.protocol.errors import CssUsageError

__all__ = ["check_asking", "check_flag", "check_list", "check_new_names", "check_safety"]

_LIKE_A_FLAG = frozenset({"true", "false", "yes", "no", "on", "off", "none", "0", "1"})
_OF_THE_QUESTION = ("response_timeout", "assigned_users", "notifiers")


def check_flag(what: str, value: object) -> None:
    """
    Return if a value is a truth value: the word ``false`` would count as true.

    :param what: Name of the parameter.
    :param value: What the user gave.
    :raises CssUsageError: if it is anything but ``True`` or ``False``.
    """
    if not isinstance(value, bool):
        raise CssUsageError(what, value, "it is True or False, and no text or number", False)  # noqa: FBT003 - legal


def check_list(what: str, value: object, legal: object) -> None:
    """
    Return if a value can be a list of indices: what has no order, or can be read once only, is none.

    :param what: Name of the parameter.
    :param value: What the user gave; what a task returns stands for a list that is known later.
    :param legal: A legal value.
    :raises CssUsageError: if it is no text, no list of texts and no output of a task, or is empty.
    """
    rule = "it is a text with commas or a list of texts, and none of them is empty"
    if value is None or hasattr(value, "iter_references"):
        return
    if not isinstance(value, str | list | tuple):
        raise CssUsageError(what, value, rule, legal)
    items = value.split(",") if isinstance(value, str) else value
    # What an item of a list is may be known later; a blank is a mistake already.
    if not items or not all(
        item.strip() if isinstance(item, str) else hasattr(item, "iter_references") for item in items
    ):
        raise CssUsageError(what, value, rule, legal)


def check_safety(value: object) -> None:
    """
    Return if a value says whether the damaged state is backed up, or what more of it.

    :param value: What the user gave.
    :raises CssUsageError: if it is neither, or a word that looks like the one and would be taken for the other.
    """
    if isinstance(value, bool):
        return
    if value is None or (isinstance(value, str) and value.strip().lower() in _LIKE_A_FLAG):
        rule = "it is True or False, or names and patterns of what more is backed up, such as '*'"
        raise CssUsageError("safety_snapshot", value, rule, True)  # noqa: FBT003 - the legal value
    # Both snapshots hold it, so it stands in the DAG.
    if hasattr(value, "iter_references"):
        raise CssUsageError("safety_snapshot", value, "it is a text or a list of texts", "*")
    check_list("safety_snapshot", value, "*")


def check_new_names(pattern: Any, replacement: Any) -> None:
    """
    Return if indices can be renamed so. It is not first said when the way back is needed.

    :param pattern: What is replaced.
    :param replacement: By what.
    :raises CssUsageError: if one of them breaks a rule; templates are judged when they are rendered.
    """
    # Loaded only where somebody renames.
    from airflow_css.protocol.preview import Renaming
    from airflow_css.protocol.renaming import check_renaming

    texts = {"rename_pattern": pattern, "rename_replacement": replacement}
    if any(isinstance(text, str) and has_template(text) for text in texts.values()):
        return
    for what, text in texts.items():
        if not isinstance(text, str):
            raise CssUsageError(what, text, "it is a text", "before-$1")
    check_renaming(pattern, replacement)
    Renaming(pattern, replacement).apply("orders")


def check_asking(value: object) -> None:
    """
    Return if a question can be asked like this.

    :param value: Its parameters by name; ``None`` for none.
    :raises CssUsageError: if one of them is none that a checkpoint leaves to the user.
    """
    if value is None:
        return
    unknown = [name for name in value if name not in _OF_THE_QUESTION] if isinstance(value, Mapping) else [value]
    if unknown:
        rule = f"it holds some of {', '.join(_OF_THE_QUESTION)} by name, and {unknown[0]!r} is none"
        raise CssUsageError("confirm_options", value, rule, "{'response_timeout': timedelta(hours=1)}")
