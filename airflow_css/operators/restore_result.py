"""What a restore came to, as the tasks after it read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from airflow_css.operators.restore_attempt import BegunRestore
from airflow_css.operators.restore_plan import RestorePlan
from airflow_css.protocol.phrases import in_words
from airflow_css.protocol.restoring import RestoreEnd
from airflow_css.triggers.log import Log

__all__ = ["RestoreResult"]

MOST_NAMES_TOLD = 20


@dataclass(frozen=True)
class RestoreResult:
    """
    What a restore came to.

    :param snapshot_id: The snapshot.
    :param snapshot_name: Its name.
    :param cluster_id: The cluster that owns it.
    :param target_cluster_id: The cluster that was restored to.
    :param status: ``restoring`` until the end is known, then ``success``.
    :param indices: What it brought, as pairs of ``source`` and ``target`` names; ``None`` when that cannot be foreseen.
    :param duration_seconds: From the call to its end as it was noticed; ``None`` before.
    :param is_end_inferred: Whether the end was not seen but inferred.
    :param taken_at: The moment whose state the snapshot holds, ISO 8601; ``None`` when it is not known.
    """

    snapshot_id: str
    snapshot_name: str
    cluster_id: str
    target_cluster_id: str
    status: str
    indices: tuple[Mapping[str, str], ...] | None
    duration_seconds: float | None = None
    is_end_inferred: bool = False
    taken_at: str | None = None

    @classmethod
    def of(cls, plan: RestorePlan, begun: BegunRestore) -> RestoreResult:
        """
        Return the result so far of a restore that was begun.

        :param plan: The restore.
        :param begun: What it came to.
        """
        snapshot, taken_at = begun.snapshot, begun.snapshot.began_at
        return cls(
            snapshot_id=snapshot.id,
            snapshot_name=snapshot.name,
            cluster_id=plan.cluster_id,
            target_cluster_id=plan.target_cluster_id,
            status="restoring",
            indices=None if begun.names is None else tuple(asdict(name) for name in begun.names),
            taken_at=taken_at.isoformat() if taken_at else None,
        )

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> RestoreResult:
        """
        Return the result that ``as_json`` described.

        :param facts: What it gave.
        """
        indices = facts.get("indices")
        return cls(**{**facts, "indices": None if indices is None else tuple(indices)})

    @property
    def new_names(self) -> tuple[str, ...] | None:
        """The names that the restored indices have; ``None`` when they cannot be foreseen."""
        return None if self.indices is None else tuple(pair["target"] for pair in self.indices)

    def ended(self, end: RestoreEnd, seconds: float) -> RestoreResult:
        """
        Return the result after the end.

        :param end: The end.
        :param seconds: How long it took.
        """
        return replace(
            self,
            status="success",
            duration_seconds=round(seconds, 3),
            is_end_inferred=end.is_inferred,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {**asdict(self), "indices": None if self.indices is None else [dict(pair) for pair in self.indices]}

    def announce(self, log: Log, *, is_joined: bool) -> None:
        """
        Log what is restored, name by name.

        :param log: Where to tell it.
        :param is_joined: Whether an earlier try had begun it.
        """
        begins = "An earlier try has begun to restore" if is_joined else "CSS restores"
        log.info("%s %s (%s) to cluster %s.", begins, self.snapshot_name, self.snapshot_id, self.target_cluster_id)
        if self.indices is None:
            log.info("The snapshot does not list its indices by name, so the restored names cannot be told beforehand.")
            return
        for pair in self.indices[:MOST_NAMES_TOLD]:
            log.info("  %s -> %s", pair["source"], pair["target"])
        if len(self.indices) > MOST_NAMES_TOLD:
            log.info("  and %d more; all are in the XCom 'indices'", len(self.indices) - MOST_NAMES_TOLD)
        kept = [pair["source"] for pair in self.indices if pair["source"] == pair["target"]]
        if 0 < len(kept) < len(self.indices):
            log.warning(
                "The rename_pattern does not match %s: restored under the same name, or left as it is if it is there.",
                ", ".join(kept[:MOST_NAMES_TOLD]),
            )

    def sentence(self) -> str:
        """Return the end, as one sentence for people."""
        inferred = (
            " (end inferred: its beginning was not seen, and the target is at rest)" if self.is_end_inferred else ""
        )
        return (
            f"Restored {self.snapshot_name} ({self.snapshot_id}) to cluster {self.target_cluster_id} in "
            f"{in_words(self.duration_seconds or 0)}{inferred}."
        )
