"""What no input may bring about, and how it would be seen: strange errors, strange hosts, secrets that are shown."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from airflow_css.protocol.errors import CssError

__all__ = ["PLANTED", "hosts_of", "is_ours", "shown_by", "strangers"]

PLANTED = "PLANTEDkeyOfTheFuzzer"
"""Stands at the beginning of every secret that is handed in."""


# What the resolver makes of a name without asking anybody.
_ADDRESSES = {"localhost": ("127.0.0.1", "::1")}


def is_ours(error: BaseException | None) -> bool:
    """Return whether an error is of our tree, or Airflow's own for tasks: none that only happened to be raised."""
    return isinstance(error, CssError | AirflowFailException | AirflowSensorTimeout)


def hosts_of(contacts: Iterable[tuple[str, Any]]) -> set[tuple[str, int]]:
    """
    Return whom a process asked the system for, as host and port.

    :param contacts: Events of ``sys.addaudithook`` about sockets and names, with their addresses.
    """
    found = set()
    for _, (host, *rest) in contacts:
        text = host.decode() if isinstance(host, bytes) else str(host or "")
        port = rest[0] if rest else 0
        found.add((text.lower(), int(port or 0)))
    return found


def strangers(contacts: Iterable[tuple[str, Any]], *urls: str) -> set[tuple[str, int]]:
    """
    Return whom nobody configured.

    :param contacts: As for ``hosts_of``.
    :param urls: The configured endpoint and proxy; an empty one is none.
    """
    # Airflow asks for the name of this machine, to say where a task ran.
    known = {(socket.gethostname().lower(), 0)}
    for url in filter(None, urls):
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        known |= {(host, port) for host in (parts.hostname or "", *_ADDRESSES.get(parts.hostname or "", ()))}
    return hosts_of(contacts) - known


def shown_by(*things: Any) -> str:
    """
    Return everything that may be printed of these, errors with all that is behind them.

    :param things: Errors, hooks, texts.
    """
    parts = []
    for thing in things:
        parts += [str(thing), repr(thing)]
        if isinstance(thing, BaseException):
            parts += ["".join(traceback.format_exception(thing)), repr(thing.args), repr(vars(thing))]
    return "\n".join(parts)
