"""The rules of the retry policy. Only Airflow 3.3 and later can import this module."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryRule
from airflow.sdk.definitions.retry_policy import RetryDecision

from airflow_css.protocol.errors import CssBusyError, CssError, CssThrottledError

__all__ = ["CssRetryPolicy", "rules"]

THROTTLED = timedelta(seconds=60)
BUSY = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)


def rules() -> list[RetryRule]:
    """Return one rule for each way to retry a curable error of the tree; the first that fits counts."""
    return [
        RetryRule(CssThrottledError, retry_delay=THROTTLED, reason="CSS got too many calls"),
        RetryRule(CssBusyError, retry_delay=BUSY, reason="another operation runs on the cluster"),
        RetryRule(CssError, reason="it may pass"),
    ]


class CssRetryPolicy(ExceptionRetryPolicy):
    """The rules, and what only the error itself knows: how long CSS asked to wait, and whether a retry can help."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """
        Return whether to retry, and when.

        :param exception: What ended the try.
        :param try_number: Number of the try, from 1.
        :param max_tries: How many there may be.
        :param context: Airflow's context.
        """
        if isinstance(exception, CssThrottledError) and exception.reply.retry_after is not None:
            pause = min(timedelta(seconds=max(0.0, exception.reply.retry_after)), LONGEST_PAUSE)
            return RetryDecision.retry(pause, "CSS asked to wait so long")
        if isinstance(exception, CssError) and not exception.curable:
            return RetryDecision.fail("it would fail again until somebody changes something")
        return super().evaluate(exception, try_number, max_tries, context)
