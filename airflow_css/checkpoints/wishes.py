"""What a user asked of a checkpoint: checked while the DAG is parsed, and sorted by the task that it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_css.checkpoints.plan import check_consent, check_mode, check_names
from airflow_css.checkpoints.restore_task import ReplacementFromRun
from airflow_css.checkpoints.wished_values import check_asking, check_flag, check_list, check_new_names, check_safety
from airflow_css.operators.default_name import NameFromRun
from airflow_css.protocol.errors import CssUsageError
from airflow_css.version_compat import AIRFLOW_V_3_1_PLUS

__all__ = ["WayBack", "Wishes", "check_retention", "without_none"]

WHOLE_NAME = "(.+)"


@dataclass(frozen=True)
class WayBack:
    """
    How the work is undone.

    :param mode: ``rollback``, ``report`` or ``confirm``.
    :param rename_pattern: Beside: what is replaced in the names; ``None`` for the whole name.
    :param rename_replacement: Beside: by what; ``None`` for what is derived from the run.
    :param safety: Whether the damaged state is backed up before it is overwritten, or which indices of it.
    :param confirm_options: Parameters of the question; ``None`` for none.
    :param in_place: Whether indices are overwritten.
    """

    mode: str
    rename_pattern: str | None
    rename_replacement: str | None
    safety: bool | str | Sequence[str]
    confirm_options: Mapping[str, Any] | None
    in_place: bool

    def check(self, indices: str | Sequence[str] | None, consent: str | None) -> None:
        """
        Return if the work may be undone like this.

        :param indices: What the snapshot holds.
        :param consent: What the user agreed to.
        :raises CssUsageError: if a parameter breaks a rule, or does not go with another.
        """
        check_mode(self.mode)
        check_flag("in_place", self.in_place)
        check_safety(self.safety)
        check_list("indices", indices, ["orders", "customers"])
        check_consent(in_place=self.in_place, consent=consent)
        if self.in_place:
            check_names(indices, is_rendered=False)
            self._refuse_names()
        elif self.safety:
            rule = "it goes with in_place=True only; beside, under new names, nothing is overwritten"
            raise CssUsageError("safety_snapshot", self.safety, rule, False)  # noqa: FBT003 - the legal value
        elif (self.rename_pattern is None) != (self.rename_replacement is None):
            names = {"rename_pattern": self.rename_pattern, "rename_replacement": self.rename_replacement}
            missing = next(what for what, value in names.items() if value is None)
            raise CssUsageError(missing, None, "pattern and replacement are given together, or neither", "before-$1")
        elif self.rename_pattern is not None:
            check_new_names(self.rename_pattern, self.rename_replacement)
        self._check_confirm()

    def _refuse_names(self) -> None:
        for what in ("rename_pattern", "rename_replacement"):
            if getattr(self, what) is not None:
                rule = "in place the indices keep their names; leave it out, or leave in_place and consent out"
                raise CssUsageError(what, getattr(self, what), rule, None)

    def _check_confirm(self) -> None:
        if self.mode != "confirm" and self.confirm_options is not None:
            raise CssUsageError("confirm_options", self.confirm_options, "it goes with mode='confirm' only", None)
        if self.mode == "confirm" and not AIRFLOW_V_3_1_PLUS:
            rule = "a human can be asked from Airflow 3.1 on; here use 'report' and restore by hand, or 'rollback'"
            raise CssUsageError("mode", self.mode, rule, "report")
        check_asking(self.confirm_options)

    @property
    def restore(self) -> dict[str, Any]:
        """What the restore is told of names."""
        if self.in_place:
            return {"existing_indices": "replace"}
        if self.rename_pattern is not None:
            return {"rename_pattern": self.rename_pattern, "rename_replacement": self.rename_replacement}
        return {"rename_pattern": WHOLE_NAME, "rename_replacement": ReplacementFromRun()}


@dataclass(frozen=True)
class Wishes:
    """
    What the user asked for.

    :param way: How the work is undone.
    :param cluster: Which cluster.
    :param waiting: Connection, and how every task of the checkpoint waits.
    :param of_snapshot: Parameters of the snapshot alone.
    :param keep: Keep rules for the snapshots; ``None`` to keep all.
    """

    way: WayBack
    cluster: Mapping[str, Any]
    waiting: Mapping[str, Any]
    of_snapshot: Mapping[str, Any]
    keep: Mapping[str, Any] | None

    @property
    def connection(self) -> dict[str, Any]:
        """The connection; nothing when the DAG says which."""
        return {name: value for name, value in self.waiting.items() if name == "css_conn_id"}

    @property
    def has_safety(self) -> bool:
        """Whether the damaged state is backed up; nobody overwrites it who only reports."""
        return bool(self.way.safety) and self.way.mode != "report"

    @property
    def snapshot(self) -> dict[str, Any]:
        """Parameters of the snapshot: what is overwritten, and whatever is looked at before that happens."""
        overwritten = self.of_snapshot["indices"] if self.way.in_place else None
        how = {**self.of_snapshot, "indices": self._looked_at, "overwritten": overwritten}
        return {**self.waiting, **self.cluster, **how}

    @property
    def safety(self) -> dict[str, Any]:
        """Parameters of the snapshot of the damaged state: whatever is left of it, and anew for each damage."""
        how = {"indices": self._looked_at, "fail_if_empty": False, "on_existing": "new"}
        how["snapshot_name"] = NameFromRun("damaged-")
        return {**self.waiting, **self.cluster, **how}

    @property
    def _looked_at(self) -> Any:
        """What both snapshots hold: what is in the second alone was created between them."""
        indices, more = self.of_snapshot["indices"], self.way.safety
        if not self.has_safety or isinstance(more, bool):
            return indices
        return [*_as_list(indices), *(item for item in _as_list(more) if item not in _as_list(indices))]

    @property
    def confirm(self) -> dict[str, Any]:
        """Parameters of the question."""
        return {"response_timeout": None, **(self.way.confirm_options or {})}

    @property
    def restore(self) -> dict[str, Any]:
        """Parameters of the restore."""
        taken = {"indices": self.of_snapshot["indices"]} if self.way.in_place else {}
        # The snapshot says which cluster, whatever the DAG's default_args name.
        return {**self.waiting, "cluster_name": None, **self.way.restore, **taken}

    @property
    def retention(self) -> dict[str, Any] | None:
        """Parameters of the pruning; ``None`` for none."""
        return None if self.keep is None else {**self.waiting, **self.cluster, **self.keep}


def _as_list(indices: str | Sequence[str]) -> list[str]:
    items = indices.split(",") if isinstance(indices, str) else indices
    return [str(item).strip() for item in items]


def check_retention(keep: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """
    Return the keep rules, which are some.

    :param keep: What the user gave.
    :raises CssUsageError: if one of them breaks a rule, or is none.
    """
    if keep is None:
        return None
    if not isinstance(keep, Mapping):
        raise CssUsageError("retention", keep, "it holds keep rules by their names", {"keep_last": 7})
    # Loaded only where somebody prunes.
    from airflow_css.protocol.rules import RetentionRules, check_rules

    unknown = next((name for name in keep if name not in RetentionRules.__dataclass_fields__), None)
    if unknown is not None:
        rule = f"it knows no {unknown!r}; the rules are those of PruneSnapshotsOperator"
        raise CssUsageError("retention", dict(keep), rule, {"keep_last": 7})
    check_rules(RetentionRules(**keep))
    return keep


def without_none(**parameters: Any) -> dict[str, Any]:
    """
    Return those parameters that were given, so that the others stay as Airflow or the DAG says.

    :param parameters: By name.
    """
    return {name: value for name, value in parameters.items() if value is not None}
