"""
The probe: makes one small snapshot, asks on the way what the documentation leaves open, and deletes it.

Whatever happens in between, also Ctrl-C, what was made is deleted; a second Ctrl-C, or a service that does not let it,
leaves it, and its name and id are returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_css.client.css import CssClient
from airflow_css.doctor.cleanup import clean_up, wait_until_made
from airflow_css.doctor.probe_rules import ProbeOrder
from airflow_css.protocol.errors import CssApiError, CssError, CssServerError, CssThrottledError
from airflow_css.protocol.models import CreatedSnapshot, Snapshot, SnapshotStatus

__all__ = ["Probed", "probe"]

_ACCEPTED = "accepted"
_QUARTER = timedelta(minutes=15)


@dataclass
class Probed:
    """
    What came of a probe.

    :param notes: What was seen, by the key of the assumption.
    :param reasons: Why something could not be seen, likewise.
    :param trouble: What ended it early; empty when it came to its end.
    :param left_behind: Name and id of each snapshot that is still there, or may be.
    :param was_interrupted: Whether Ctrl-C ended it.
    :param is_empty: Whether the snapshot held no index.
    """

    notes: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    trouble: str = ""
    left_behind: Sequence[str] = ()
    was_interrupted: bool = False
    is_empty: bool = False


def probe(client: CssClient, order: ProbeOrder, tell: Callable[[str], None]) -> Probed:
    """
    Return what was seen. Nothing of the service's own makes it raise.

    :param client: The client.
    :param order: What to make.
    :param tell: Takes a line for people.
    """
    probed = Probed()
    walker = _Walker(client, order, tell, probed)
    try:
        walker.walk()
    except KeyboardInterrupt:
        probed.was_interrupted = True
        tell("Stopped. What was made is being deleted; a second Ctrl-C leaves it.")
    except CssError as error:
        probed.trouble = str(error)
    except Exception:  # a defect of ours, too, must leave nothing behind before it is shown
        clean_up(client, order, tell, open_names=frozenset(walker.open_names))
        raise
    try:
        probed.left_behind = clean_up(client, order, tell, open_names=frozenset(walker.open_names))
    except KeyboardInterrupt:
        probed.was_interrupted = True
        probed.left_behind = [f"{order.name} {walker.snapshot_id}".strip(), order.other_name]
    return probed


class _Walker:
    """One walk over all rows."""

    def __init__(self, client: CssClient, order: ProbeOrder, tell: Callable[[str], None], probed: Probed) -> None:
        self.snapshot_id = ""
        self.open_names: set[str] = set()
        self._says_when = False
        self._client = client
        self._order = order
        self._tell = tell
        self._probed = probed
        self._notes = probed.notes

    def walk(self) -> None:
        asked_at = self._client.clock.now()
        self._begin()
        self._look_at_the_new_one()
        self._look_while_it_is_made()
        self._tell("It is being made; this takes as long as a snapshot of these indices does.")
        made = [s for s in wait_until_made(self._client, self._order, self._tell) if s.id == self.snapshot_id]
        if not made or made[0].status is SnapshotStatus.BUILDING:
            return
        self._look_at_the_finished_one(made[0], asked_at)
        self._look_at_the_deletion()

    def _begin(self) -> None:
        self._tell(f"Making {self._order.name} of {self._order.indices}.")
        self.snapshot_id = self._create(self._order.name).id

    def _look_at_the_new_one(self) -> None:
        found = self._listed()
        self._notes["listed"] = "yes" if found else "no"
        if found:
            self._notes["description"] = "yes" if found.description == self._order.description else "no"

    def _look_while_it_is_made(self) -> None:
        """Note what was seen only if the snapshot was in work before and after each question."""
        if not self._is_in_work():
            return
        cluster = self._client.get_cluster(self._order.cluster_id)
        if not self._is_in_work():
            return
        self._notes["status"] = cluster.status
        self._notes["actions"] = ", ".join(cluster.actions) or "none"
        for key, question in (
            ("busy", lambda: self._create(self._order.other_name)),
            ("busy_first", lambda: self._create(self._order.name)),
            ("delete_building", self._delete),
        ):
            if not self._ask_while_in_work(key, question):
                return

    def _ask_while_in_work(self, key: str, question: Callable[[], object]) -> bool:
        reply = self._answer(question)
        # What was accepted although it is in work is the very thing to note; a deletion takes it out of the list.
        is_in_work = self._is_in_work() or (key == "delete_building" and reply == _ACCEPTED)
        if is_in_work and reply:
            self._notes[key] = reply
        if key in self._notes and key == "busy" and reply != _ACCEPTED:
            self._notes["retry_after"] = "yes" if self._says_when else "no"
        return is_in_work and reply != _ACCEPTED

    def _look_at_the_finished_one(self, made: Snapshot, asked_at: datetime) -> None:
        self._tell(f"It ended as {made.status_word}.")
        self._look_at_its_indices(made)
        if made.created_at is not None:
            self._notes["zone"] = _zone(made.created_at - asked_at)
        reply = self._answer(lambda: self._create(self._order.name))
        if reply:
            self._notes["name_taken"] = reply

    def _look_at_its_indices(self, made: Snapshot) -> None:
        self._probed.is_empty = not made.indices
        if "*" not in self._order.indices:
            self._probed.reasons["resolved"] = "--indices named no pattern"
        elif not made.indices:
            self._probed.reasons["resolved"] = "no index matched"
        else:
            self._notes["resolved"] = "no" if any("*" in name for name in made.indices) else "yes"

    def _look_at_the_deletion(self) -> None:
        if self._answer(self._delete) != _ACCEPTED:
            return
        self._tell("Deleted.")
        self._notes["gone"] = "no" if self._listed() else "yes"
        reply = self._answer(self._delete)
        if reply:
            self._notes["missing"] = reply

    def _create(self, name: str) -> CreatedSnapshot:
        order = self._order
        # Noted before it is sent: Ctrl-C may come before the answer.
        self.open_names.add(name)
        try:
            made = self._client.create_snapshot(
                order.cluster_id, name, indices=order.indices, description=order.description
            )
        except CssApiError as error:
            if not isinstance(error, CssServerError):
                self.open_names.discard(name)
            raise
        self.open_names.discard(name)
        return made

    def _delete(self) -> None:
        self._client.delete_snapshot(self._order.cluster_id, self.snapshot_id)

    def _answer(self, question: Callable[[], object]) -> str:
        """Return what CSS says to a question: its code, or that it was accepted; empty when that tells nothing."""
        try:
            question()
        except (CssServerError, CssThrottledError):
            return ""
        except CssApiError as error:
            self._says_when = error.reply.retry_after is not None
            return f"{error.reply.code or 'no code'} (HTTP {error.reply.status})"
        except CssError:
            return ""
        return _ACCEPTED

    def _listed(self) -> Snapshot | None:
        return self._client.find_snapshot(self._order.cluster_id, snapshot_id=self.snapshot_id)

    def _is_in_work(self) -> bool:
        found = self._listed()
        return found is not None and found.status is SnapshotStatus.BUILDING


def _zone(difference: timedelta) -> str:
    """Return the zone of a text without one, from how far it is from UTC when read as such."""
    quarters = round(difference / _QUARTER)
    if not quarters:
        return "UTC"
    hours, minutes = divmod(abs(quarters) * 15, 60)
    return f"UTC{'+' if quarters > 0 else '-'}{hours:02}:{minutes:02}"
