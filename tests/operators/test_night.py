"""The last line of a failed task, as far as nobody is asked for it, and the way into Airflow's errors."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_css.hooks.css import CssHook
from airflow_css.operators.night import raise_for_airflow, tell_the_night_reader
from airflow_css.protocol.errors import (
    CssAuthError,
    CssBusyError,
    CssConfigError,
    CssError,
    CssReplyError,
    CssSnapshotFailedError,
    CssTransportError,
    CssUsageError,
    CssWaitTimeoutError,
    ErrorReply,
)

USAGE = CssUsageError("snapshot name", "X", "it is wrong", "orders")
CONFIG = CssConfigError("no region")
AUTH = CssAuthError(ErrorReply(401, "APIGW.0301", "no", "r-1"), "Check the keys.")
BUSY = CssBusyError(ErrorReply(409, "CSS.0011"), curable=True)

KNOWN = "error Cluster: 4f3deec3. Snapshot: orders-1 (id). Run: prod/orders/backup r."

ENDINGS: dict[str, tuple[CssError, bool]] = {
    "wrong value": (USAGE, False),
    "wrong connection": (CONFIG, False),
    "refused keys": (AUTH, False),
    "busy": (BUSY, True),
    "busy, said to stay": (CssBusyError(ErrorReply(409, "CSS.0011")), False),
    "no answer": (CssTransportError("no answer"), True),
    "odd answer": (CssReplyError("odd"), True),
    "failed snapshot": (CssSnapshotFailedError("failed"), True),
    "wrong index list": (CssSnapshotFailedError("empty", curable=False), False),
    "too late": (CssWaitTimeoutError("too late"), True),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_only_what_a_retry_may_cure_is_retried(case: str) -> None:
    """A curable error is raised as it is; any other fails the task at once, with the same words and the cause."""
    error, curable = ENDINGS[case]
    with pytest.raises((CssError, AirflowException)) as caught:
        raise_for_airflow(error)
    if curable:
        assert caught.value is error
    else:
        assert isinstance(caught.value, AirflowFailException)
        assert str(caught.value) == str(error)
        assert caught.value.__cause__ is error


class Lines(list[str]):
    """Keeps what is logged."""

    def debug(self, message: str, /, *args: Any) -> None:
        """Keep nothing: the last line is for everybody."""

    def info(self, message: str, /, *args: Any) -> None:
        """Keep a line."""
        self.append(f"info {message % args}")

    def warning(self, message: str, /, *args: Any) -> None:
        """Keep a line."""
        self.append(f"warning {message % args}")

    def error(self, message: str, /, *args: Any) -> None:
        """Keep a line."""
        self.append(f"error {message % args}")


def _told(hook: CssHook | None, cluster_id: str, error: CssError) -> list[str]:
    lines = Lines()
    tell_the_night_reader(
        lines, hook, cluster_id=cluster_id, snapshot="orders-1 (id)", run="prod/orders/backup r", error=error
    )
    return lines


@pytest.mark.parametrize("error", [USAGE, CONFIG, AUTH], ids=lambda error: type(error).__name__)
def test_nobody_is_asked_when_asking_is_pointless(error: CssError) -> None:
    """After a wrong value, a wrong connection or refused keys, the line says what is known without a call."""
    # This connection does not exist: reading it would be told as a look that failed.
    (line,) = _told(CssHook("missing"), "4f3deec3", error)
    assert line == f"{KNOWN} Newest good backup: not looked up."


def test_without_a_cluster_or_a_hook_nobody_is_asked() -> None:
    """What is not known is said to be so."""
    assert "Cluster: not known." in _told(None, "", BUSY)[0]
    assert _told(CssHook("missing"), "", BUSY)[0].endswith("Newest good backup: not looked up.")


def test_a_look_that_fails_is_no_second_failure() -> None:
    """Where CSS cannot be asked, the line says so, and the first failure stays the one that counts."""
    (line,) = _told(CssHook("missing"), "4f3deec3", BUSY)
    assert line == f"{KNOWN} Newest good backup: could not be looked up."
