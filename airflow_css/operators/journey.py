"""What must survive a deferral: it travels through the trigger as plain JSON, so that no template is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from airflow_css.operators.plan import CreationPlan
from airflow_css.protocol.adoption import SnapshotOrder, check_on_existing
from airflow_css.protocol.events import unreadable
from airflow_css.protocol.provenance import read_mark
from airflow_css.protocol.turns import Contradictions
from airflow_css.protocol.waiting import Expectations

__all__ = ["Journey"]


@dataclass(frozen=True)
class Journey:
    """
    How far one deferred creation is.

    :param plan: The creation.
    :param asked_at: When the turn was asked for first, in seconds since 1970.
    :param contradictions: How often "busy" was said of an idle cluster.
    :param snapshot_id: The snapshot, once there is one.
    :param snapshot_name: Its name.
    :param made_at: When CSS accepted it, in seconds since 1970; ``None`` when it was found.
    """

    plan: CreationPlan
    asked_at: float
    contradictions: Contradictions = field(default_factory=Contradictions)
    snapshot_id: str = ""
    snapshot_name: str = ""
    made_at: float | None = None

    def with_snapshot(self, snapshot_id: str, name: str, made_at: datetime | None) -> Journey:
        """
        Return the journey from the moment on in which the snapshot is known.

        :param snapshot_id: The snapshot.
        :param name: Its name.
        :param made_at: When CSS accepted it; ``None`` when it was found.
        """
        seconds = made_at.timestamp() if made_at else None
        return replace(self, snapshot_id=snapshot_id, snapshot_name=name, made_at=seconds)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        facts = asdict(self)
        # The description holds the mark already.
        facts["plan"]["order"].pop("mark")
        facts["contradictions"] = self.contradictions.count
        return facts

    @classmethod
    def from_json(cls, facts: Any) -> Journey:
        """
        Return the journey that an event brought back.

        :param facts: What ``as_json`` gave.
        :raises CssReplyError: if it is not that.
        """
        try:
            return cls(
                plan=_plan(facts["plan"]),
                asked_at=float(facts["asked_at"]),
                contradictions=Contradictions(int(facts["contradictions"])),
                snapshot_id=str(facts["snapshot_id"]),
                snapshot_name=str(facts["snapshot_name"]),
                made_at=_seconds(facts["made_at"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as cause:
            raise unreadable(cause) from cause


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)


def _plan(facts: Mapping[str, Any]) -> CreationPlan:
    return CreationPlan(
        order=_order(facts["order"]),
        run=str(facts["run"]),
        look_first=bool(facts["look_first"]),
        poll_interval=_seconds(facts["poll_interval"]),
        timeout=float(facts["timeout"]),
        turn_timeout=float(facts["turn_timeout"]),
        css_conn_id=str(facts["css_conn_id"]),
        waits=bool(facts["waits"]),
    )


def _order(facts: Mapping[str, Any]) -> SnapshotOrder:
    description = _text(facts["description"])
    expected = facts["expected"]
    return SnapshotOrder(
        cluster_id=str(facts["cluster_id"]),
        name=str(facts["name"]),
        description=description,
        mark=read_mark(description or ""),
        expected=Expectations(
            _text(expected["indices"]),
            allow_partial=bool(expected["allow_partial"]),
            fail_if_empty=bool(expected["fail_if_empty"]),
        ),
        on_existing=check_on_existing(facts["on_existing"]),
        left_behind=tuple(str(part) for part in facts.get("left_behind") or ()),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
