"""Deleting at the level of calls: which errors lead to a look, and what the look decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from airflow_css.client.removal import MOST_DELETIONS, remove
from airflow_css.emulator.clock import TurnableClock
from airflow_css.protocol.codes import error_from_reply
from airflow_css.protocol.errors import (
    CssAuthError,
    CssBusyError,
    CssError,
    CssNotFoundError,
    CssReplyError,
    CssServerError,
    CssTransportError,
    ErrorReply,
)
from airflow_css.protocol.models import Snapshot
from tests.turned_clock import TurnedClock

ID = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"


def _answer(status: int, code: str = "") -> CssError:
    return error_from_reply(ErrorReply(status, code, call="delete_snapshot"))


@dataclass
class Service:
    """Answers deletions by a script, and counts what was asked; what is not scripted succeeds."""

    script: list[CssError]
    is_listed: bool = True
    asked: list[str] = field(default_factory=list)

    def delete(self, snapshot_id: str) -> None:
        """Take note of a deletion, and answer it."""
        self.asked.append(f"delete {snapshot_id == ID}")
        if self.script:
            raise self.script.pop(0)

    def look(self) -> Sequence[Snapshot]:
        """Take note of a look, and answer it."""
        self.asked.append("look")
        return [Snapshot(ID)] if self.is_listed else []

    def remove(self) -> None:
        """Remove the snapshot."""
        clock = TurnedClock(TurnableClock(frozen=True))
        remove(ID, delete=self.delete, look=self.look, clock=clock)


def test_an_accepted_deletion_needs_no_look() -> None:
    """One call, and done."""
    service = Service([])
    service.remove()
    assert service.asked == ["delete True"]


OPEN = [
    CssTransportError("no answer"),
    CssReplyError("no JSON"),
    _answer(500, "CSS.0005"),
    _answer(404, "CSS.0016"),
    _answer(400, "CSS.3026"),
    _answer(403, "CSS.0015"),
]


@pytest.mark.parametrize("error", OPEN, ids=str)
def test_an_open_fate_is_decided_by_the_list(error: CssError) -> None:
    """What is not listed any more is gone; what is listed is deleted again."""
    gone = Service([error], is_listed=False)
    gone.remove()
    assert gone.asked == ["delete True", "look"]
    there = Service([error])
    there.remove()
    assert there.asked == ["delete True", "look", "delete True"]


@pytest.mark.parametrize("kind", [CssServerError, CssNotFoundError])
def test_it_gives_up_with_the_last_error(kind: type[CssError]) -> None:
    """An error that stays while the snapshot is listed is raised after the last try."""
    error = _answer(500, "CSS.0005") if kind is CssServerError else _answer(404, "CSS.0016")
    service = Service([error] * 9)
    with pytest.raises(kind):
        service.remove()
    assert service.asked.count("delete True") == service.asked.count("look") == MOST_DELETIONS


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_answer(409, "CSS.0011"), CssBusyError),
        (_answer(403, "CSS.0010"), CssAuthError),
        (_answer(401, "APIGW.0301"), CssAuthError),
        (CssTransportError("refused", request_may_have_arrived=False), CssTransportError),
    ],
    ids=str,
)
def test_what_was_certainly_not_done_is_raised_at_once(error: CssError, kind: type[CssError]) -> None:
    """Busy is for whoever waits; refused keys and a call that never left are not looked after."""
    service = Service([error], is_listed=False)
    with pytest.raises(kind):
        service.remove()
    assert service.asked == ["delete True"]


def test_being_deleted_counts_as_accepted() -> None:
    """Somebody's deletion, perhaps our own of an earlier try, is under way."""
    service = Service([_answer(400, "CSS.3016")])
    service.remove()
    assert service.asked == ["delete True"]
