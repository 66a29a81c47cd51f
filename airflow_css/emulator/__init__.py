"""
A CSS of one's own: the service's calls on this machine, with its rules, its signature check and faults on demand.

::

    with CssEmulator() as emulator:
        os.environ.update(emulator.connection_env())

Theory of operation. ``handle(request) -> reply`` (``app``) is a function over a state (``state``) and a clock that
can be turned (``clock``). A signature check (``gate``) stands before it, a script of faults (``faults``) around it,
and a small HTTP server (``server``) is its coat. What the emulator does not know it refuses with HTTP 501 instead of
guessing.

Where the service's behaviour is documented, the docstring says ``Source:``. Where nothing was found, it says
``Assumed:``.
"""

from __future__ import annotations

from airflow_css.emulator.emulator import CssEmulator

__all__ = ["CssEmulator"]
