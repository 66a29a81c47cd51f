"""The retry policy: what each error of the tree leads to, through Airflow's own task runner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_css.protocol import errors
from airflow_css.protocol.errors import CssApiError, CssConfigError, CssError, CssUsageError, ErrorReply
from airflow_css.retry_policy import css_retry_policy
from airflow_css.version_compat import AIRFLOW_V_3_3_PLUS
from tests.world import World

with_policies = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="Airflow 3.3 brought retry policies")


@pytest.mark.skipif(AIRFLOW_V_3_3_PLUS, reason="this Airflow has retry policies")
def test_an_older_airflow_is_told_so_while_the_dag_is_parsed() -> None:
    """The message says from which version on, and what to do instead."""
    with pytest.raises(CssConfigError, match=r"needs Airflow 3\.3 or later\. Leave retry_policy out"):
        css_retry_policy()


def _error(kind: type[CssError], *, curable: bool) -> CssError:
    if issubclass(kind, CssApiError):
        return kind(ErrorReply(400, "CSS.0001"), curable=curable)
    error = kind("what", "value", "rule", "legal") if issubclass(kind, CssUsageError) else kind("it happened")
    error.curable = curable
    return error


# The class, whether the error says that a retry may cure it, and what follows: the pause in seconds, or no retry.
USUAL = None
ROWS: dict[str, tuple[bool, str, float | None]] = {
    "CssThrottledError": (True, "retry", 60),
    "CssBusyError": (True, "retry", 300),
    "CssServerError": (True, "retry", USUAL),
    "CssTransportError": (True, "retry", USUAL),
    "CssReplyError": (True, "retry", USUAL),
    "CssSnapshotFailedError": (True, "retry", USUAL),
    "CssWaitTimeoutError": (True, "retry", USUAL),
    "CssSnapshotError": (True, "retry", USUAL),
    "CssAuthError": (False, "fail", None),
    "CssUsageError": (False, "fail", None),
    "CssConfigError": (False, "fail", None),
    "CssRefusedError": (False, "fail", None),
    "CssQuotaError": (False, "fail", None),
    "CssStateError": (False, "fail", None),
    "CssNotFoundError": (False, "fail", None),
    "CssConflictError": (False, "fail", None),
}


def test_every_error_has_a_row() -> None:
    """The rows below name all classes that are raised."""
    kinds = {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}
    assert set(ROWS) == kinds - {"CssError", "CssApiError", "ErrorReply"}


@with_policies
@pytest.mark.parametrize("name", ROWS)
def test_an_error_leads_to_its_decision(name: str) -> None:
    """Each class has its pause or its end, with a reason for the log."""
    curable, action, pause = ROWS[name]
    decision = css_retry_policy().evaluate(_error(getattr(errors, name), curable=curable), 1, 3)
    assert decision.action.value == action
    assert decision.retry_delay == (None if pause is None else timedelta(seconds=pause))
    assert decision.reason


@with_policies
@pytest.mark.parametrize("name", ROWS)
def test_whatever_its_class_what_is_curable_is_retried(name: str) -> None:
    """A cluster that is down for the moment, for example, is an error of state that a retry may find better."""
    assert css_retry_policy().evaluate(_error(getattr(errors, name), curable=True), 1, 3).action.value == "retry"


@with_policies
def test_what_the_error_itself_says_goes_first() -> None:
    """A snapshot that no retry can better ends the task; an error of others is left to Airflow."""
    hopeless = _error(errors.CssSnapshotFailedError, curable=False)
    assert css_retry_policy().evaluate(hopeless, 1, 3).action.value == "fail"
    assert css_retry_policy().evaluate(ValueError("not ours"), 1, 3).action.value == "default"


@with_policies
@pytest.mark.parametrize(("asked", "pause"), [(77.0, 77), (0.0, 0), (-5.0, 0), (1e6, 3600)])
def test_what_css_asked_for_is_waited_for(asked: float, pause: float) -> None:
    """The pause is that of the answer, at most an hour."""
    error = errors.CssThrottledError(ErrorReply(429, "APIGW.0308", retry_after=asked), curable=True)
    assert css_retry_policy().evaluate(error, 1, 3).retry_delay == timedelta(seconds=pause)


@pytest.fixture
def decided(world: World) -> Iterator[Any]:
    """Return a function that plays a task with the policy and returns Airflow's message about its retry."""
    from unittest import mock

    from airflow.sdk.execution_time import task_runner

    seen: list[Any] = []
    original = task_runner._finalize_task_failure  # noqa: SLF001 - what Airflow sends is looked at where it is made

    def finalize(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        seen.append(result[0])
        return result

    with mock.patch.object(task_runner, "_finalize_task_failure", finalize):
        yield lambda **parameters: (world.run(retries=2, retry_policy=css_retry_policy(), **parameters), seen)


@with_policies
def test_airflow_s_task_runner_takes_the_pause(world: World, decided: Any) -> None:
    """A creation that CSS throttles for good is retried by Airflow after the time that CSS asked for."""
    world.emulator.faults.throttle(retry_after=77, times=None)
    outcome, (message,) = decided()
    assert outcome.state == "up_for_retry"
    assert message.retry_delay_seconds == 77
    assert message.retry_reason == "CSS asked to wait so long"


@with_policies
def test_airflow_s_task_runner_does_not_retry_what_is_hopeless(world: World, decided: Any) -> None:
    """Refused keys end the task although it has retries left."""
    world.emulator.faults.answer(401, "APIGW.0301", times=None)
    outcome, messages = decided()
    assert outcome.state == "failed"
    assert messages == []
