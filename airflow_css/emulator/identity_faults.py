"""What goes wrong with the services that hand keys out: what strikes CSS, and what only they can get wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from airflow_css.emulator.exchange import Reply, json_reply
from airflow_css.emulator.faults import FaultScript, Match
from airflow_css.emulator.iam import IAM_CALLS
from airflow_css.emulator.metadata import METADATA_CALLS
from airflow_css.emulator.pod import POD_CALLS

__all__ = ["IDENTITY_CALLS", "IdentityFaults"]

IDENTITY_CALLS = (*IAM_CALLS.values(), *METADATA_CALLS.values(), *POD_CALLS.values())
ISSUING_CALLS = ("assume_agency", "get_security_key", "get_pod_credentials")


class IdentityFaults(FaultScript):
    """
    The faults that are still to come, as of CSS; ``call`` is one of the identity side's.

    Of the methods for CSS, those about snapshots have nothing to strike here.

    :raises ValueError: by every method, if a value is not possible.
    """

    def __init__(self) -> None:
        super().__init__(IDENTITY_CALLS)

    def throttle(self, retry_after: float | None = None, **match: Unpack[Match]) -> None:
        """
        Answer 429 as IAM does.

        Source: IAM API reference, "Error Codes", read 2026-11-23. Assumed: the words.

        :param retry_after: Seconds in the header Retry-After; ``None`` for no such header.
        :param match: When it strikes.
        """
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        self.answer(429, "IAM.0012", message="The throttling threshold has been reached.", headers=headers, **match)

    def no_permission(self, **match: Unpack[Match]) -> None:
        """
        Answer 403 as IAM does.

        Source: IAM API reference, "Error Codes", read 2026-11-24. Assumed: which action it names.

        :param match: When it strikes.
        """
        words = "Policy doesn't allow iam:agencies:assume to be performed."
        self.answer(403, "IAM.0003", message=words, **match)

    def odd_key(
        self,
        *,
        without: Sequence[str] = (),
        changed: Mapping[str, Any] | None = None,
        **match: Unpack[Match],
    ) -> None:
        """
        Hand the next key out with other fields than usual.

        :param without: The fields to leave out, for example ``["secret"]``.
        :param changed: The fields to add or to change, for example ``{"expires_at": "soon"}``.
        :param match: When it strikes; always after the effect. ``call`` is needed: ``assume_agency``,
            ``get_security_key`` or ``get_pod_credentials``.
        """
        if match.get("call") not in ISSUING_CALLS:
            raise ValueError(f"keys are handed out by {', '.join(ISSUING_CALLS)}, not by {match.get('call')!r}")
        match["when"] = "after"
        new = dict(changed or {})
        self._add("answer", lambda true, _id: _with_odd_key(true, without, new), match)


def _with_odd_key(true: Reply | None, without: Sequence[str], changed: Mapping[str, Any]) -> Reply:
    """Return the answer with other fields; one that hands no key out stays as it is."""
    if true is None or true.status not in {200, 201}:
        return true or Reply(200)
    kept = {name: value for name, value in true.json()["credential"].items() if name not in without}
    return json_reply(true.status, {"credential": {**kept, **changed}})
