"""Answers that are not what the API promises, made out of true ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_css.emulator.exchange import Reply, json_reply

__all__ = ["HTML", "with_odd_entries", "without_backup"]

HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def without_backup(true: Reply | None, _request_id: str) -> Reply:
    """
    Return the answer of a creation without its id. One that was refused has no id that could be left out.

    :param true: The true answer.
    """
    return true if true is not None and true.status != 201 else json_reply(201, {})


def with_odd_entries(
    true: Reply | None, without: Collection[str], null: Collection[str], extra: Mapping[str, Any]
) -> Reply:
    """
    Return the list of snapshots with other fields in each entry. A list that was refused stays as it is.

    :param true: The true answer.
    :param without: The fields to leave out.
    :param null: The fields to send as null.
    :param extra: The fields to add or to change.
    """
    if true is None or true.status != 200:
        return true or Reply(200)
    entries = [
        {**{k: v for k, v in entry.items() if k not in without}, **dict.fromkeys(null), **extra}
        for entry in true.json()["backups"]
    ]
    return json_reply(200, {"backups": entries})
