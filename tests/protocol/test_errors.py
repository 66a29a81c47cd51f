"""The tree of errors: as it is drawn, and fit to cross process borders."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol import errors
from airflow_css.protocol.errors import (
    CssApiError,
    CssConfigError,
    CssError,
    CssReplyError,
    CssSnapshotError,
    CssTransportError,
    CssUsageError,
    ErrorReply,
)
from airflow_css.protocol.models import Snapshot, SnapshotStatus

REPLY = ErrorReply(409, "CSS.0043", "The name exists. ", "req-1", "create_snapshot", 1.5)
SNAPSHOT = Snapshot("id", "orders", SnapshotStatus.FAILED, "FAILED")
CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, CssError)]


def _made(kind: type[CssError]) -> CssError:
    # The deepest class that is known decides how the constructor is called.
    ways: dict[type[CssError], Callable[[Any], CssError]] = {
        CssUsageError: lambda k: k("snapshot name", "X", "it is wrong", "orders"),
        CssTransportError: lambda k: k("no answer", request_may_have_arrived=False),
        CssApiError: lambda k: k(REPLY, "Do this.", curable=True),
        CssReplyError: lambda k: k("odd", REPLY),
        CssSnapshotError: lambda k: k("failed", SNAPSHOT, curable=False),
        CssError: lambda k: k("said"),
    }
    return next(make for base, make in ways.items() if issubclass(kind, base))(kind)


def _facts(error: CssError) -> tuple[Any, ...]:
    return type(error), error.args, vars(error), str(error), error.curable


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling(kind: type[CssError], protocol: int) -> None:
    """Every error comes out of a pickle with its text and all it carries."""
    error = _made(kind)
    # The pickle is the one made in this line.
    assert _facts(pickle.loads(pickle.dumps(error, protocol))) == _facts(error)  # noqa: S301 - our own


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_copying(kind: type[CssError]) -> None:
    """Every error can be copied, also deeply, and a note that was added comes along."""
    error = _made(kind)
    error.add_note("seen twice")
    assert _facts(copy.copy(error)) == _facts(error)
    assert _facts(copy.deepcopy(error)) == _facts(error)
    assert copy.deepcopy(error).__notes__ == ["seen twice"]
    assert copy.copy(error).__dict__ is not error.__dict__


def test_the_drawn_tree_is_the_real_one() -> None:
    """The picture at the top of the module shows every class, below its base."""
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)(Css\w+)(?: \((\w+)\))?", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = " ".join(filter(None, [path[depth - 1] if depth else "Exception", found[3]]))
    assert drawn == {c.__name__: " ".join(b.__name__ for b in c.__bases__) for c in CLASSES}


def test_every_error_is_public() -> None:
    """Whoever wants to catch an error can import it by its documented name."""
    assert {c.__name__ for c in CLASSES} | {"ErrorReply"} == set(errors.__all__)


@pytest.mark.parametrize("kind", [c for c in CLASSES if issubclass(c, CssApiError)])
def test_the_text_of_an_answer_ends_with_the_request_id(kind: type[CssApiError]) -> None:
    """What CSS said, what to do, and at the end what its support asks for."""
    text = str(kind(REPLY, "Do this."))
    assert text == ("create_snapshot was answered with HTTP 409 CSS.0043: The name exists. Do this. (request id req-1)")
    assert str(kind(ErrorReply(500))).endswith("(request id not given)")


@given(st.builds(ErrorReply, st.integers(100, 599), st.text(), st.text(), st.text(min_size=1)), st.text())
def test_the_request_id_is_last_whatever_was_said(reply: ErrorReply, remedy: str) -> None:
    """No message and no remedy can push the request id from its place."""
    assert str(CssApiError(reply, remedy)).endswith(f"(request id {reply.request_id})")
    assert str(CssReplyError("odd", reply)).endswith(f"(request id {reply.request_id})")


def test_what_was_found_by_looking_has_no_status() -> None:
    """An error that no answer caused speaks of no HTTP status and no request."""
    assert str(CssApiError(ErrorReply(0, message="It is taken."), "Use another.")) == "It is taken. Use another."
    assert str(CssReplyError("odd")) == "odd (request id not given)"


@pytest.mark.parametrize("kind", [CssUsageError, CssConfigError])
def test_a_wrong_value_is_a_value_error(kind: type[CssError]) -> None:
    """Callers who know nothing of this package catch ``ValueError``."""
    assert isinstance(_made(kind), ValueError)
    assert not _made(kind).curable


def test_what_a_retry_may_cure() -> None:
    """No answer and an odd one may be cured by time; a wrong value and a wrong connection never."""
    assert CssTransportError("x").curable
    assert CssTransportError("x").request_may_have_arrived
    assert CssReplyError("x").curable
    assert CssSnapshotError("x").curable
    assert CssSnapshotError("x").snapshot is None
    assert not CssApiError(REPLY).curable
    assert not CssError("x").curable
