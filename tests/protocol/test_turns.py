"""Whose turn it is, and how often "busy" is believed of an idle cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssBusyError, ErrorReply
from airflow_css.protocol.turns import Contradictions, Ticket, TurnLine

BUSY = CssBusyError(ErrorReply(409, "CSS.0011"), "Wait.")
TICKETS = [Ticket(float(asked_at), name) for asked_at in range(5) for name in ("a", "b")]


def _line(*tickets: Ticket) -> TurnLine:
    line = TurnLine()
    for ticket in tickets:
        line.enter(ticket)
    return line


def test_tickets_are_served_in_the_order_of_asking() -> None:
    """The time of asking decides, and the name between equals."""
    assert sorted({*TICKETS}) == TICKETS


def test_nobody_goes_while_the_cluster_is_at_work() -> None:
    """A busy cluster lets nobody go, however long one waits."""
    line = _line(*TICKETS)
    assert not any(line.see(look, is_idle=False, now=look * 100.0) for look in range(10))


def test_only_the_first_goes() -> None:
    """An idle cluster lets the first go, and nobody else until it was busy again."""
    line = _line(*TICKETS)
    assert line.see(1, is_idle=True, now=0) == TICKETS[0]
    line.leave(TICKETS[0])
    assert line.see(2, is_idle=True, now=2) is None
    assert line.see(3, is_idle=False, now=4) is None
    assert line.see(4, is_idle=True, now=6) == TICKETS[1]


def test_every_waiter_hears_the_same_of_a_look() -> None:
    """A look counts once, however many report it."""
    line = _line(*TICKETS)
    assert {line.see(1, is_idle=True, now=0) for _ in range(10)} == {TICKETS[0]}


def test_an_unused_turn_passes_on_after_a_minute() -> None:
    """Sixty seconds of idleness after somebody was let go free the turn for the next."""
    line = _line(*TICKETS)
    line.see(1, is_idle=True, now=0)
    line.leave(TICKETS[0])
    assert line.see(2, is_idle=True, now=59.9) is None
    assert line.see(3, is_idle=True, now=60) == TICKETS[1]


def test_a_lost_turn_keeps_its_place() -> None:
    """Who comes back with the same ticket stands where they stood, before all who asked later."""
    line = _line(*TICKETS)
    line.see(1, is_idle=True, now=0)
    line.leave(TICKETS[0])
    line.see(2, is_idle=False, now=10)
    line.enter(TICKETS[0])
    assert line.see(3, is_idle=True, now=20) == TICKETS[0]


def test_a_turn_that_nobody_may_take_yet_is_kept() -> None:
    """While all are put off nobody goes; the first whose time has come does, without another minute."""
    line = TurnLine()
    line.enter(TICKETS[0], not_before=100)
    line.enter(TICKETS[1], not_before=50)
    assert line.see(1, is_idle=True, now=0) is None
    assert line.see(2, is_idle=True, now=50) == TICKETS[1]


@given(st.lists(st.tuples(st.booleans(), st.floats(0.5, 40)), max_size=60))
def test_one_goes_per_idle_time_or_minute_and_in_order(looks: list[tuple[bool, float]]) -> None:
    """Whatever a cluster shows: between two who go it was busy or a minute passed, and they go in their order."""
    line, now = _line(*TICKETS), 0.0
    went: list[tuple[float, Ticket]] = []
    was_busy = True
    for number, (is_idle, pause) in enumerate(looks):
        now += pause
        was_busy = was_busy or not is_idle
        chosen = line.see(number, is_idle=is_idle, now=now)
        if chosen is not None:
            assert is_idle
            assert was_busy or now - went[-1][0] >= 60
            line.leave(chosen)
            went.append((now, chosen))
            was_busy = False
    assert [ticket for _, ticket in went] == TICKETS[: len(went)]


def test_contradictions_double_the_pause_up_to_a_minute() -> None:
    """Five seconds, then ever twice as long, at most sixty; being seen at work begins anew."""
    counted, pauses = Contradictions(), []
    for _ in range(7):
        counted = counted.after(was_busy=False)
        pauses.append(counted.backoff_seconds)
    assert pauses == [5, 10, 20, 40, 60, 60, 60]
    assert counted.after(was_busy=True) == Contradictions()
    assert Contradictions().backoff_seconds == 0


def test_ten_contradictions_are_borne_and_eleven_are_not() -> None:
    """The eleventh in a row fails with CSS's own words and a remedy, and a retry may do."""
    Contradictions(10).refuse_too_many(BUSY)
    with pytest.raises(CssBusyError, match=r"CSS\.0011.*more than 10 times in a row") as caught:
        Contradictions(11).refuse_too_many(BUSY)
    assert caught.value.curable
