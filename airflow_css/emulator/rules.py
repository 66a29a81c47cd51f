"""What differs between deployments of the service, and what its documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

__all__ = ["OpenRules", "ServiceRules"]


class OpenRules(TypedDict, total=False):
    """
    What the documentation leaves open, so that a test can play either side.

    ``busy_status`` is the HTTP status of CSS.0011: 409, the default, was seen; 202 is documented. ``first_check`` says
    what comes first when a creation meets a busy cluster and a taken name: ``busy`` (default) or ``name``.
    ``status_while_snapshotting`` is the cluster's status while a snapshot is made or restored: ``200`` (default) or
    ``100``. ``missing_snapshot`` is the code for an unknown snapshot id: ``CSS.0016`` (404, default) or ``CSS.3026``
    (400). ``existing_index`` says what a restore without overwriting does about an index whose name exists: ``keep`` it
    and end well (default), or ``fail`` as a whole. ``partial_restorable`` says whether a PART_FAILED snapshot can be
    restored; default no.
    """

    busy_status: Literal[202, 409]
    first_check: Literal["busy", "name"]
    status_while_snapshotting: Literal["200", "100"]
    missing_snapshot: Literal["CSS.0016", "CSS.3026"]
    existing_index: Literal["keep", "fail"]
    partial_restorable: bool


@dataclass(frozen=True)
class ServiceRules:
    """
    The rules of one emulator; those besides the durations are explained at ``OpenRules``.

    :param creation_takes: How long making a snapshot takes, in seconds.
    :param restore_takes: How long restoring one takes, in seconds.
    :param busy_status: The HTTP status of CSS.0011.
    :param first_check: Which refusal of a creation comes first.
    :param status_while_snapshotting: The cluster's status meanwhile.
    :param missing_snapshot: The code for an unknown snapshot id.
    :param existing_index: What a restore does about a name that exists.
    :param partial_restorable: Whether a PART_FAILED snapshot can be restored.
    """

    creation_takes: float = 2.0
    restore_takes: float = 2.0
    busy_status: Literal[202, 409] = 409
    first_check: Literal["busy", "name"] = "busy"
    status_while_snapshotting: Literal["200", "100"] = "200"
    missing_snapshot: Literal["CSS.0016", "CSS.3026"] = "CSS.0016"
    existing_index: Literal["keep", "fail"] = "keep"
    partial_restorable: bool = False
