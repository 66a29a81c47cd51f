"""Looks that survive a bad moment: what every wait in a worker asks through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from airflow_css.hooks.css import CssHook
from airflow_css.protocol.errors import (
    CssAuthError,
)
from airflow_css.protocol.waiting import FORGIVEN_ERRORS, Forgiveness
from airflow_css.triggers.log import Log

if TYPE_CHECKING:
    from airflow_css.client.css import CssClient

__all__ = ["PatientLooks", "renews_refused_keys", "with_other_keys"]

T = TypeVar("T")


def renews_refused_keys(hook: CssHook, error: CssAuthError) -> bool:
    """
    Return whether the connection has other keys by now than the refused ones.

    :param hook: The hook.
    :param error: The refusal. Only a 401 speaks of the keys; a missing permission does not change by reading again.
    """
    return error.reply.status == 401 and hook.renew_keys()


def with_other_keys(hook: CssHook, attempt: Callable[[], T]) -> T:
    """
    Return what the attempt returns; once more if its keys are refused and the connection has other ones by now.

    :param hook: Reads the connection again.
    :param attempt: Asks CSS through the hook; it must know by itself that it is called a second time.
    """
    try:
        return attempt()
    except CssAuthError as error:
        if not renews_refused_keys(hook, error):
            raise
    return attempt()


class PatientLooks:
    """
    Asks CSS and forgives a number of looks without an answer.

    :param hook: Brings the client, and other keys when the connection has changed.
    :param log: Where each forgiven look is told.
    """

    def __init__(self, hook: CssHook, log: Log) -> None:
        self._hook = hook
        self._log = log
        self._forgiveness = Forgiveness()
        self._was_renewed = False

    def ask(self, look: Callable[[CssClient], T]) -> T | None:
        """
        Return the answer, or ``None`` when there was none this time.

        :param look: Asks the client; it must not be repeated inside, since the next look is the repetition.
        :raises CssError: if no answer came for too long, or an answer says that waiting is pointless.
        """
        try:
            answer = look(self._hook.get_conn())
        except CssAuthError as error:
            # Once in a row: a backend that gives other keys at each read would make this a loop without end.
            if self._was_renewed or not renews_refused_keys(self._hook, error):
                raise
            self._was_renewed = True
            self._log.info("The keys were refused; the connection has other ones now, which are used from here on.")
            return None
        except FORGIVEN_ERRORS as error:
            if not self._forgiveness.allows(self._hook.clock.now()):
                raise
            self._log.warning("Look %d in a row without an answer: %s", self._forgiveness.in_a_row, error)
            return None
        self._forgiveness.reset()
        self._was_renewed = False
        return answer
