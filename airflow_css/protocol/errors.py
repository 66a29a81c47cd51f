"""
What can go wrong, as a tree that callers can catch.

::

    CssError
    ├── CssUsageError (ValueError)    breaks a CSS rule; nothing was sent
    ├── CssConfigError (ValueError)   the connection lacks or contradicts something
    ├── CssTransportError             no answer; .request_may_have_arrived
    ├── CssApiError                   CSS answered with an error; .reply
    │   ├── CssAuthError              signature, token, key, permission
    │   ├── CssNotFoundError          missing, or not visible to these keys
    │   ├── CssBusyError              another operation is in the way
    │   ├── CssStateError             function off, frozen, not allowed in this state
    │   ├── CssConflictError          the name is taken
    │   ├── CssQuotaError             no more snapshots allowed
    │   ├── CssRefusedError           the request as it stands will never do
    │   ├── CssThrottledError         too many calls
    │   └── CssServerError            CSS or its gateway failed
    ├── CssReplyError                 an answer that is not what the API promises
    └── CssSnapshotError              the talk went well, the snapshot did not
        ├── CssSnapshotFailedError    final bad status; .snapshot
        └── CssWaitTimeoutError       the time is up; .snapshot

Every error pickles, and its text says what happened and what to do. The text of an answer ends with the request id,
because that is what the service's support asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_css.protocol.models import Snapshot

__all__ = [
    "CssApiError",
    "CssAuthError",
    "CssBusyError",
    "CssConfigError",
    "CssConflictError",
    "CssError",
    "CssNotFoundError",
    "CssQuotaError",
    "CssRefusedError",
    "CssReplyError",
    "CssServerError",
    "CssSnapshotError",
    "CssSnapshotFailedError",
    "CssStateError",
    "CssThrottledError",
    "CssTransportError",
    "CssUsageError",
    "CssWaitTimeoutError",
    "ErrorReply",
]


@dataclass(frozen=True)
class ErrorReply:
    """
    The facts of one refusal, without any secret.

    :param status: HTTP status, for example 409; 0 when it was found by looking, before anything was sent.
    :param code: Code of the service or its gateway, for example ``CSS.0043``; empty when the answer had none.
    :param message: The service's own words; what the gateway echoes of a signed request is cut out.
    :param request_id: What support asks for; empty when the answer had none.
    :param call: Name of the call, for example ``create_snapshot``.
    :param retry_after: Seconds that the answer asked to wait; ``None`` when it did not.
    """

    status: int
    code: str = ""
    message: str = ""
    request_id: str = ""
    call: str = ""
    retry_after: float | None = None


def _rebuild(kind: type[CssError], args: tuple[Any, ...], state: dict[str, Any]) -> CssError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class CssError(Exception):
    """
    The root of the tree: catch it to catch everything of this package.

    ``curable`` tells whether the same call may succeed later without anybody changing anything.
    """

    curable: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders; the default reduction loses keyword-only arguments.
        return _rebuild, (type(self), self.args, self.__dict__)


class CssUsageError(CssError, ValueError):
    """
    A value breaks a rule of CSS; nothing was sent.

    The text names the value, the rule and a legal value.

    :param what: Which value, in the user's words, for example ``snapshot name``.
    :param value: The value as given.
    :param rule: The rule that it breaks.
    :param legal: A value that passes the same check.
    """

    def __init__(self, what: str, value: object, rule: str, legal: Any) -> None:
        super().__init__(what, value, rule, legal)
        self.what = what
        self.value = value
        self.rule = rule
        self.legal = legal

    def __str__(self) -> str:
        return f"The {self.what} {self.value!r} cannot be used: {self.rule}. For example: {self.legal!r}."


class CssConfigError(CssError, ValueError):
    """
    The connection lacks or contradicts something; nothing useful can be sent until it is mended.

    ``lacks_keys`` tells whether it is keys that are missing, and nothing else; the first sentence of the text is the
    cause then, and the rest the way out.
    """

    lacks_keys: bool = False

    @classmethod
    def of_no_keys(cls, message: str) -> CssConfigError:
        """
        Return the error that says that there are no keys.

        :param message: The cause in one sentence, then what to do.
        """
        error = cls(message)
        error.lacks_keys = True
        return error


class CssTransportError(CssError):
    """
    No answer came.

    :param message: What happened and what to do.
    :param request_may_have_arrived: ``True`` when CSS may have acted all the same. Look before repeating a write.
    """

    curable = True

    def __init__(self, message: str, *, request_may_have_arrived: bool = True) -> None:
        super().__init__(message)
        self.request_may_have_arrived = request_may_have_arrived


class CssApiError(CssError):
    """
    CSS, or the gateway before it, answered with an error.

    :param reply: The facts of the answer.
    :param remedy: What the reader can do about it.
    :param curable: Whether the same call may succeed later by itself.
    """

    def __init__(self, reply: ErrorReply, remedy: str = "", *, curable: bool = False) -> None:
        super().__init__(reply, remedy)
        self.reply = reply
        self.remedy = remedy
        self.curable = curable

    def __str__(self) -> str:
        reply = self.reply
        if not reply.status:
            return f"{reply.message} {self.remedy}".strip()
        said = f"{reply.call or 'CSS'} was answered with HTTP {reply.status}"
        said += f" {reply.code}" if reply.code else ""
        said += f": {reply.message.rstrip('. ')}." if reply.message else "."
        said += f" {self.remedy}" if self.remedy else ""
        return said + f" (request id {reply.request_id or 'not given'})"


class CssAuthError(CssApiError):
    """
    The signature, the token, the key or the permission was refused.

    ``keys_from`` says in words where refused keys came from; empty when nobody knows, or they were not refused.
    """

    keys_from: str = ""


class CssNotFoundError(CssApiError):
    """It does not exist, or these keys may not see it: CSS does not always tell which."""


class CssBusyError(CssApiError):
    """
    Another operation runs on the cluster, or on the snapshot.

    ``left_behind`` holds the ids of what a deleted run of the same id made; whoever asks again hands them on.
    """

    left_behind: tuple[str, ...] = ()


class CssStateError(CssApiError):
    """Not allowed in the state that the cluster, the account or the snapshot function is in."""


class CssConflictError(CssApiError):
    """The name is taken, or an earlier snapshot of this task stands in the way."""


class CssQuotaError(CssApiError):
    """No more snapshots are allowed."""


class CssRefusedError(CssApiError):
    """The request as it stands will never do."""


class CssThrottledError(CssApiError):
    """Too many calls in too short a time."""


class CssServerError(CssApiError):
    """CSS or its gateway failed; a write may have had its effect all the same."""


class CssReplyError(CssError):
    """
    An answer that is not what the API promises.

    :param message: What was expected and what came.
    :param reply: The facts of the answer, if there was one.
    """

    curable = True

    def __init__(self, message: str, reply: ErrorReply | None = None) -> None:
        super().__init__(message, reply)
        self.reply = reply

    def __str__(self) -> str:
        request_id = self.reply.request_id if self.reply else ""
        return f"{self.args[0]} (request id {request_id or 'not given'})"


class CssSnapshotError(CssError):
    """
    The talk with CSS went well, the snapshot did not.

    :param message: What happened and what to do.
    :param snapshot: The snapshot as last seen; ``None`` when it was never seen.
    :param curable: Whether a new try of the task may end well without anybody changing anything.
    """

    def __init__(self, message: str, snapshot: Snapshot | None = None, *, curable: bool = True) -> None:
        super().__init__(message, snapshot)
        self.snapshot = snapshot
        self.curable = curable

    def __str__(self) -> str:
        return str(self.args[0])


class CssSnapshotFailedError(CssSnapshotError):
    """The snapshot ended badly, is empty, or vanished."""


class CssWaitTimeoutError(CssSnapshotError):
    """
    The time given for waiting is up; the snapshot or the cluster may still be at work.

    ``last_seen`` says what the last look showed, as one clause; empty when nobody noted it.
    """

    last_seen: str = ""
