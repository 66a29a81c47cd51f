"""What the script of faults does to one request: it waits, gets lost, is answered wrongly, or nothing happens."""

from __future__ import annotations

from collections.abc import Callable

from airflow_css.emulator.exchange import Reply
from airflow_css.emulator.faults import FaultScript, Strike
from airflow_css.emulator.holds import When

__all__ = ["struck"]


def struck(faults: FaultScript, call: str, request_id: str, effect: Callable[[], Reply]) -> Reply:
    """
    Return the answer to a request, with what strikes it.

    :param faults: What goes wrong.
    :param call: Name of the call.
    :param request_id: What support asks for.
    :param effect: Carries the request out and returns the true answer.
    """
    strike = faults.strike(call)
    if _is_lost(faults, strike, "before"):
        return Reply(0, delivery="none")
    if strike.change is not None and strike.change_when == "before":
        return strike.change(None, request_id)
    reply = effect()
    if _is_lost(faults, strike, "after"):
        return Reply(0, delivery="none")
    return strike.change(reply, request_id) if strike.change is not None else reply


def _is_lost(faults: FaultScript, strike: Strike, when: When) -> bool:
    """Wait as long as the script says, and return whether the request got lost meanwhile."""
    faults.wait(strike.delays.get(when, 0.0))
    hold = strike.holds.get(when)
    return hold is not None and hold.stop_here()
